/** What runs in the process of `writer-process.ts`. Ends when its standard input does. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { openFeed } from '../../lib/feed/feed.ts';
import { Fetcher } from '../../lib/fetcher/fetcher.ts';
import { LogWriter } from '../../lib/log/disk-writer.ts';
import type { Source, SourceRecord } from '../../lib/source/source.ts';
import { TickmeshError } from '../../lib/world/error.ts';
import { realClock } from '../../lib/world/clock.ts';
import { START_US, payloadOf, trades } from './logs.ts';

type Settings = {
  readonly mode: 'hold' | 'limit' | 'flood' | 'one';
  readonly data: string;
  readonly node?: string;
  readonly feed?: string;
  readonly perSecond?: number;
};

const settings = JSON.parse(process.argv[2]!) as Settings;
const say = (event: string, more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};
const ended = settings.mode === 'one' ? Promise.resolve([]) : once(process.stdin.resume(), 'end');

const open = (): Promise<LogWriter> =>
  LogWriter.open({
    data: settings.data,
    log: trades,
    node: settings.node ?? 'writer',
    clock: realClock,
  });

async function hold(): Promise<void> {
  await using writer = await open();
  say('open', { epoch: writer.epoch });
  await ended;
}

async function limit(): Promise<void> {
  await using writer = await open();
  try {
    for (let i = 0; ; i++) {
      writer.stage(START_US + i, START_US, Buffer.from(payloadOf(i)));
      if (i % 50 !== 49) continue;
      writer.write();
      writer.announce();
    }
  } catch (error) {
    if (!(error instanceof TickmeshError)) throw error;
    say('stalled', { code: error.code, errno: error.facts['errno'], position: writer.position });
  }
  await ended;
}

/** A fetcher that writes numbered records at an even rate; goes on counting where the log ends. */
async function flood(): Promise<void> {
  const { data, feed, perSecond = 1_000 } = settings;
  const abort = new AbortController();
  void ended.then(() => abort.abort());
  const source: Source = {
    logs: [trades],
    async *open(context) {
      const { signal } = context;
      const [newest] = context.tail(trades)?.backward() ?? [];
      let next = newest ? (JSON.parse(newest.toString()) as { i: number }).i + 1 : 0;
      const beganMs = performance.now();
      for (let sent = 0; !signal.aborted;) {
        const due = ((performance.now() - beganMs) * perSecond) / 1_000;
        const batch: SourceRecord[] = [];
        for (; sent < due && batch.length < 1_000; sent++)
          batch.push({ log: trades, payload: Buffer.from(`{"i":${next++}}`) });
        if (batch.length > 0) yield batch;
        await sleep(1);
      }
    },
  };
  await using fetcher = await Fetcher.open({
    node: 'flood',
    data,
    source,
    clock: realClock,
    eventTimeUs: () => undefined,
    ...(feed ? { feed } : {}),
  });
  say('open', { epoch: fetcher.writers.get(trades)!.epoch });
  await fetcher.run(abort.signal);
}

/** Reads one record, ends its feed, and should then end by itself. */
async function one(): Promise<void> {
  for await (const batch of openFeed({ data: settings.data, logs: [trades], from: 'start' })) {
    if (batch.records.length === 0) continue;
    process.stdout.write(`${batch.records[0]!.payload.toString()}\n`);
    break;
  }
}

await { hold, limit, flood, one }[settings.mode]();
