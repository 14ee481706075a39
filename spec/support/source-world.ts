/** A fetcher without disk and clock, for sources: time passes only while they wait, logs are arrays. */
import { createHash } from 'node:crypto';
import type { LogName } from '../../lib/log/name.ts';
import { sources } from '../../lib/source/registry.ts';
import type { LogTail, Source, SourceContext, SourceRecord } from '../../lib/source/source.ts';

export class StillClock {
  ms = 0;
  readonly epochUs: number;
  /** Every wait that was asked for, ms. */
  readonly waits: number[] = [];
  /** Added to each wait that is not 0: a timer that fires late. */
  lateMs = 0;

  constructor(epochUs = 1_800_000_000_000_000) {
    this.epochUs = epochUs;
  }
  readonly monoMs = (): number => this.ms;
  readonly wallUs = (): number => this.epochUs + Math.round(this.ms * 1000);
  readonly wait = async (ms: number, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
    this.waits.push(ms);
    if (ms > 0) this.ms += ms + this.lateMs;
  };
}

export type Kept = SourceRecord & { readonly batch: number; readonly atMs: number };

/** The logs of a fetcher, kept in memory. */
export class Shelf {
  records: Kept[] = [];
  batches = 0;

  keep(batch: readonly SourceRecord[], atMs = 0): void {
    this.batches++;
    for (const record of batch) this.records.push({ ...record, batch: this.batches, atMs });
  }
  of(log: string): Kept[] {
    return this.records.filter((record) => record.log === log);
  }
  readonly tail = (log: LogName): LogTail | undefined => {
    const lines = this.of(log);
    if (lines.length === 0) return undefined;
    return {
      lines: lines.length,
      marks: lines.filter((line) => line.mark).length,
      lastTimeUs: lines.at(-1)?.timeUs ?? 0,
      *backward() {
        for (let i = lines.length - 1; i >= 0; i--) if (!lines[i]!.mark) yield lines[i]!.payload;
      },
    };
  };
  /** A crash: of the last batch each log keeps only so many records; returns that batch's number. */
  tear(keep: (records: number) => number): number {
    const left = new Map<LogName, number>();
    for (const { log, batch } of this.records) {
      if (batch === this.batches) left.set(log, (left.get(log) ?? 0) + 1);
    }
    for (const [log, count] of left) left.set(log, keep(count));
    this.records = this.records.filter(({ log, batch }) => {
      if (batch !== this.batches) return true;
      const more = left.get(log)!;
      left.set(log, more - 1);
      return more > 0;
    });
    return this.batches;
  }
  /** Payloads a log, in order; marks left out. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { log, mark } of this.records) if (!mark) counts[log] = (counts[log] ?? 0) + 1;
    return counts;
  }
  /** Everything that a disk would hold. */
  sha256(log?: string): string {
    const hash = createHash('sha256');
    for (const r of log === undefined ? this.records : this.of(log)) {
      if (!r.mark) hash.update(`${r.log} ${r.timeUs} ${r.eventTimeUs} `).update(r.payload);
    }
    return hash.digest('hex');
  }
}

export type World = { readonly shelf: Shelf; readonly clock: StillClock };
export const world = (): World => ({ shelf: new Shelf(), clock: new StillClock() });

/** Runs a source into the shelf until it ends, or until at least `count` more records are there. */
export async function run(
  source: Source,
  { shelf, clock }: World,
  count = Infinity,
): Promise<void> {
  const stop = new AbortController();
  const context: SourceContext = { signal: stop.signal, clock, tail: shelf.tail, wait: clock.wait };
  const until = shelf.records.length + count;
  for await (const batch of source.open(context)) {
    shelf.keep(batch, clock.ms);
    if (shelf.records.length >= until) stop.abort();
  }
}

export const make = async (name: keyof typeof sources, settings: unknown): Promise<Source> =>
  (await sources[name]()).source.make(settings);
