/** For specs of catch-up: fetchers that are fed by hand, folders that are compared, and waiting for what must come. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { Fetcher } from '../../lib/fetcher/fetcher.ts';
import type { FetcherOptions } from '../../lib/fetcher/options.ts';
import { logName, type LogName } from '../../lib/log/name.ts';
import { Replica, type ReplicaOptions } from '../../lib/replica/replica.ts';
import type { ReplicaReport } from '../../lib/replica/report.ts';
import type { Source, SourceRecord } from '../../lib/source/source.ts';
import { realClock } from '../../lib/world/clock.ts';

let counter = 0;
/** An endpoint that no other spec uses. */
export const endpoint = (what: string): string =>
  `ipc://@tickmesh-spec-${process.pid}-${threadId}-${++counter}-${what}`;

export const trades = logName('binance/BTC-USDT/trade');
export const quotes = logName('binance/BTC-USDT/bookTicker');

/** Runs `work` with so many empty folders, and removes them. */
export async function inFolders(
  count: number,
  work: (...folders: string[]) => Promise<void>,
): Promise<void> {
  const folders = Array.from({ length: count }, () => mkdtempSync(join(tmpdir(), 'tickmesh-')));
  try {
    await work(...folders);
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

/** Waits for a condition; fails after `withinMs`. */
export async function until(
  what: string,
  condition: () => boolean,
  withinMs = 30_000,
): Promise<void> {
  const endMs = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited ${withinMs} ms in vain until ${what}`);
    await sleep(2);
  }
}

/** A source that brings what the spec pushes. */
export class HandSource implements Source {
  readonly logs: readonly LogName[];
  #waiting: SourceRecord[][] = [];
  #wake: (() => void) | undefined;
  #number = 0;

  constructor(logs: readonly LogName[]) {
    this.logs = logs;
  }

  /** So many trades to `log`, in batches of `batch`; resolved when the source has handed out the last. */
  push(log: LogName, count: number, batch = 1_000): void {
    for (let left = count; left > 0; left -= batch) {
      const records: SourceRecord[] = [];
      for (let i = 0; i < Math.min(batch, left); i++) {
        const id = this.#number++;
        const text = `{"e":"trade","E":1723161255030,"s":"BTCUSDT","t":${id},"p":"55123.${id % 97}0000","q":"0.${id % 9973}","m":${id % 2 === 0}}`;
        records.push({ log, payload: Buffer.from(text) });
      }
      this.#waiting.push(records);
    }
    this.#wake?.();
  }

  async *open({ signal }: { signal: AbortSignal }): AsyncGenerator<readonly SourceRecord[]> {
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
    while (!signal.aborted) {
      const next = this.#waiting.shift();
      if (next) {
        yield next;
        continue;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export type Fed = { source: HandSource; fetcher: Fetcher; stop(): Promise<void> };

/** A running fetcher. */
export async function feedBy(
  options: Partial<FetcherOptions> & Pick<FetcherOptions, 'data'>,
  logs: readonly LogName[] = [trades],
): Promise<Fed> {
  const source = new HandSource(logs);
  const fetcher = await Fetcher.open({
    node: 'fetcher',
    source,
    clock: realClock,
    eventTimeUs: () => undefined,
    ...options,
  });
  const stop = new AbortController();
  const running = fetcher.run(stop.signal);
  return {
    source,
    fetcher,
    async stop() {
      stop.abort();
      await running;
      await fetcher[Symbol.asyncDispose]();
    },
  };
}

export type Wires = { feed: string; catchup: string; inbox: string };
export const wires = (): Wires => ({
  feed: endpoint('feed'),
  catchup: endpoint('catchup'),
  inbox: endpoint('inbox'),
});

/** What a fetcher needs to serve one replica over these wires. */
export const serving = ({ feed, catchup, inbox }: Wires, reader = 'replica') => ({
  feed,
  catchup: { endpoint: catchup, readers: { [reader]: inbox } },
});

export type Copying = { replica: Replica; reports: ReplicaReport[] };

export async function copyBy(
  { feed, catchup, inbox }: Wires,
  options: Partial<ReplicaOptions> & Pick<ReplicaOptions, 'data'>,
): Promise<Copying> {
  const reports: ReplicaReport[] = [];
  const replica = await Replica.open({
    node: 'replica',
    logs: [trades],
    from: { feed, catchup },
    inbox,
    clock: realClock,
    report: (what) => reports.push(what),
    ...options,
  });
  return { replica, reports };
}

/** Segments with bytes in them: name, length and sha256. */
export function segmentsOf(data: string, log: LogName): Record<string, string> {
  const folder = join(data, log);
  const found: Record<string, string> = {};
  let names: string[] = [];
  try {
    names = readdirSync(folder).sort();
  } catch {
    return found;
  }
  for (const name of names) {
    if (!name.endsWith('.jsonl') || name === 'epochs.jsonl') continue;
    const bytes = readFileSync(join(folder, name));
    if (bytes.length > 0)
      found[name] = `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;
  }
  return found;
}
