import { createHash } from 'node:crypto';
import test from 'ava';
import type { LogName } from '../lib/log/name.ts';
import { sources } from '../lib/source/registry.ts';
import type { LogTail, Source, SourceContext, SourceRecord } from '../lib/source/source.ts';
import { BinanceJudge, KrakenJudge } from './support/market-rules.ts';

/** A world where time passes only while somebody waits. */
class StillClock {
  ms = 0;
  readonly epochUs: number;
  readonly waits: number[] = [];
  constructor(epochUs = 1_800_000_000_000_000) {
    this.epochUs = epochUs;
  }
  readonly monoMs = (): number => this.ms;
  readonly wallUs = (): number => this.epochUs + Math.round(this.ms * 1000);
  readonly wait = async (ms: number, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
    this.waits.push(ms);
    this.ms += ms;
  };
}

/** The logs of a fetcher, kept in memory. */
class Shelf {
  readonly records: SourceRecord[] = [];
  readonly byLog = new Map<LogName, SourceRecord[]>();

  keep(batch: readonly SourceRecord[]): void {
    for (const record of batch) {
      this.records.push(record);
      const log = this.byLog.get(record.log) ?? [];
      this.byLog.set(record.log, log);
      log.push(record);
    }
  }
  readonly tail = (log: LogName): LogTail | undefined => {
    const lines = this.byLog.get(log);
    if (!lines) return undefined;
    return {
      lines: lines.length,
      marks: lines.filter((line) => line.mark).length,
      lastTimeUs: lines.at(-1)?.timeUs ?? 0,
      *backward() {
        for (let i = lines.length - 1; i >= 0; i--) if (!lines[i]!.mark) yield lines[i]!.payload;
      },
    };
  };
  /** Everything that a disk would hold, in order. */
  sha256(): string {
    const hash = createHash('sha256');
    for (const r of this.records)
      hash.update(`${r.log} ${r.timeUs} ${r.mark ?? ''} `).update(r.payload);
    return hash.digest('hex');
  }
}

type World = { readonly shelf: Shelf; readonly clock: StillClock };
const world = (): World => ({ shelf: new Shelf(), clock: new StillClock() });

/** Runs a source into the shelf until it ends or at least `count` more records are there. */
async function run(source: Source, { shelf, clock }: World, count = Infinity): Promise<void> {
  const stop = new AbortController();
  const context: SourceContext = { signal: stop.signal, clock, tail: shelf.tail, wait: clock.wait };
  const until = shelf.records.length + count;
  for await (const batch of source.open(context)) {
    shelf.keep(batch);
    if (shelf.records.length >= until) stop.abort();
  }
}

const make = async (name: keyof typeof sources, settings: unknown): Promise<Source> =>
  (await sources[name]()).source.make(settings);

const decimals: Record<string, number> = { 'BTC-USD': 1, 'ETH-USD': 2, 'SOL-USD': 2 };

/** Puts every record before the judge of its instrument. */
function judge(records: readonly SourceRecord[]): Map<string, BinanceJudge | KrakenJudge> {
  const judges = new Map<string, BinanceJudge | KrakenJudge>();
  for (const { log, payload, mark } of records) {
    if (mark) continue;
    const [exchange = '', instrument = '', channel = ''] = log.split('/');
    const key = `${exchange}/${instrument}`;
    let one = judges.get(key);
    if (!one) {
      one = exchange === 'binance' ? new BinanceJudge() : new KrakenJudge(decimals[instrument]!);
      judges.set(key, one);
    }
    one.record(channel, payload.toString());
  }
  for (const one of judges.values()) if (one instanceof BinanceJudge) one.oracle();
  return judges;
}

test('synthetic: same seed, same settings, same bytes; another seed, other bytes', async (t) => {
  const hash = async (seed: number, start?: string): Promise<string> => {
    const w = world();
    await run(await make('synthetic', { seed, start, records: 10_000 }), w);
    t.true(w.shelf.records.length >= 10_000);
    return w.shelf.sha256();
  };
  const first = await hash(7);
  t.is(await hash(7), first);
  t.not(await hash(8), first);
  const past = await hash(7, '2024-01-01T00:00:00Z');
  t.is(await hash(7, '2024-01-01T00:00:00Z'), past);
  t.not(past, first);
});

test('synthetic: every rule of both venues holds', async (t) => {
  const w = world();
  await run(await make('synthetic', { records: 40_000 }), w);
  const judges = judge(w.shelf.records);
  t.is(judges.size, 6);
  for (const [key, one] of judges) {
    t.true(one.trades > 100, key);
    t.true(one.snapshots > 1, `${key}: a late reader finds a recent snapshot`);
    t.log(key, { ...one });
  }
});
