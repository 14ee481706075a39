/** A source that a spec feeds by hand, and fetchers and feeds that clean up after themselves. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Fetcher } from '../../lib/fetcher/fetcher.ts';
import type { FetcherOptions } from '../../lib/fetcher/options.ts';
import { openFeed, type Feed } from '../../lib/feed/feed.ts';
import type { FeedOptions } from '../../lib/feed/options.ts';
import type { FeedEvent, FeedRecord } from '../../lib/feed/record.ts';
import type { LogName } from '../../lib/log/name.ts';
import type { Source, SourceContext, SourceRecord } from '../../lib/source/source.ts';
import { realClock } from '../../lib/world/clock.ts';
import { trades } from './logs.ts';

type Cleaner = { teardown(fn: () => void | Promise<void>): void };

export class PushSource implements Source {
  readonly logs: readonly LogName[];
  context: SourceContext | undefined;
  #batches: (readonly SourceRecord[])[] = [];
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(logs: readonly LogName[] = [trades]) {
    this.logs = logs;
  }

  push(...records: SourceRecord[]): void {
    this.#batches.push(records);
    this.#wake?.();
  }
  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *open(context: SourceContext): AsyncIterable<readonly SourceRecord[]> {
    this.context = context;
    context.signal.addEventListener('abort', () => this.#wake?.());
    for (;;) {
      const batch = this.#batches.shift();
      if (batch) yield batch;
      else if (this.#ended || context.signal.aborted) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

export const record = (payload: string, more: Partial<SourceRecord> = {}): SourceRecord => ({
  log: trades,
  payload: Buffer.from(payload),
  ...more,
});

export type Running = {
  readonly fetcher: Fetcher;
  readonly source: PushSource;
  /** Ends the source's run in order and closes the fetcher. */
  readonly stop: () => Promise<void>;
};

let nextEndpoint = 0;
export const someEndpoint = (): string =>
  `ipc://@tickmesh-spec-${process.pid}-${Math.random()}-${nextEndpoint++}`;

/** A fetcher that runs until it is stopped, or the test is over. */
export async function runFetcher(
  t: Cleaner,
  data: string,
  options: Partial<Omit<FetcherOptions, 'source'>> & { source?: PushSource } = {},
): Promise<Running> {
  const { source = new PushSource(), ...rest } = options;
  const fetcher = await Fetcher.open({
    node: 'fetcher',
    data,
    source,
    clock: realClock,
    eventTimeUs: () => undefined,
    ...rest,
  });
  const abort = new AbortController();
  const run = fetcher.run(abort.signal);
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> =>
    (stopped ??= (async () => {
      abort.abort();
      await run;
      await fetcher[Symbol.asyncDispose]();
    })());
  t.teardown(stop);
  return { fetcher, source, stop };
}

export type Reading = {
  readonly feed: Feed;
  readonly records: FeedRecord[];
  readonly events: FeedEvent[];
  /** Resolves when `enough` says so, looked at after every batch. Rejects after 20 s or when the feed ends. */
  readonly until: (enough: (reading: Reading) => boolean) => Promise<void>;
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
};

/** A feed that is read in the background. */
export function readFeed(t: Cleaner, options: FeedOptions): Reading {
  const feed = openFeed(options);
  const records: FeedRecord[] = [];
  const events: FeedEvent[] = [];
  const waiting = new Set<() => void>();
  let over: unknown;
  const ended = (async () => {
    try {
      for await (const batch of feed) {
        for (const one of batch.records) records.push(one);
        events.push(...batch.events);
        for (const look of waiting) look();
      }
      over = new Error('the feed ended before');
    } catch (error) {
      over = error;
      throw error;
    } finally {
      for (const look of waiting) look();
    }
  })();
  ended.catch(() => undefined);
  const stop = async (): Promise<void> => {
    await feed[Symbol.asyncDispose]();
    await ended;
  };
  t.teardown(() => stop().catch(() => undefined));
  const reading: Reading = {
    feed,
    records,
    events,
    ended,
    stop,
    async until(enough) {
      const late = new AbortController();
      try {
        await Promise.race([
          new Promise<void>((resolve, reject) => {
            const look = (): void => {
              if (enough(reading)) resolve();
              else if (over) reject(over as Error);
              else return;
              waiting.delete(look);
            };
            waiting.add(look);
            look();
          }),
          sleep(20_000, undefined, { signal: late.signal }).then(() => {
            throw new Error(`waited 20 s: ${records.length} records, ${JSON.stringify(events)}`);
          }),
        ]);
      } finally {
        late.abort();
      }
    },
  };
  return reading;
}

/** Reads to the end of what is there. */
export async function readToEnd(options: Omit<FeedOptions, 'until'>): Promise<FeedRecord[]> {
  const records: FeedRecord[] = [];
  for await (const batch of openFeed({ from: 'start', notices: 'none', ...options, until: 'end' }))
    for (const one of batch.records) records.push(one);
  return records;
}

/** Waits for a condition that nothing announces, looking every few ms. */
export async function eventually(holds: () => boolean, what: string, ms = 10_000): Promise<void> {
  const untilMs = performance.now() + ms;
  while (!holds()) {
    if (performance.now() > untilMs) throw new Error(`waited ${ms} ms for ${what}`);
    await sleep(5);
  }
}
