/** Each way of reading a history, as a task: how many records, in how much time. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readTrade } from '../../exchange/binance/read.ts';
import { openFeed } from '../../feed/feed.ts';
import type { Task } from '../task/task.ts';
import { measureUsage, type Usage } from '../usage-process.ts';
import { newLineOf, replayLogNames, TARDIS_FROM, TARDIS_TO, tradePayload } from './logs-disk.ts';

export type ReplayOptions = { readonly path: string; readonly records: number };
export type Replayed = { readonly records: number; readonly usage: Usage };

const replay =
  (read: (options: ReplayOptions) => Promise<number>): Task<ReplayOptions, Replayed> =>
  async (options, context) => {
    await context.ready();
    const stop = measureUsage();
    const records = await read(options);
    return { records, usage: stop() };
  };

const feedOf =
  (logs: number) =>
  async ({ path }: ReplayOptions): Promise<number> => {
    let taken = 0;
    const feed = openFeed({
      data: path,
      logs: replayLogNames(logs),
      from: 'start',
      until: 'end',
      notices: 'none',
    });
    for await (const { records } of feed) taken += records.length;
    return taken;
  };

async function readlineParse({ path }: ReplayOptions): Promise<number> {
  let taken = 0;
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Infinity,
  })) {
    const record = JSON.parse(line) as { t: number };
    if (record.t > 0) taken++;
  }
  return taken;
}

async function tardis({ path }: ReplayOptions): Promise<number> {
  const { init, replay: replayed } = await import('tardis-dev');
  init({ cacheDir: path });
  const messages = replayed({
    exchange: 'binance',
    from: TARDIS_FROM,
    to: TARDIS_TO,
    filters: [],
    skipDecoding: true,
  });
  let taken = 0;
  for await (const message of messages) if (message) taken++;
  return taken;
}

const SAMPLE = 1_000;

/** Decodes the same thousand lines again and again: nothing is read. */
function decode(one: (payload: Buffer, line: Buffer) => unknown) {
  return async ({ records }: ReplayOptions): Promise<number> => {
    const payloads = Array.from({ length: SAMPLE }, (_, k) => tradePayload(k));
    const lines = payloads.map((payload, k) => newLineOf(payload, k));
    let taken = 0;
    while (taken < records)
      for (let at = 0; at < SAMPLE; at++) {
        if (one(payloads[at]!, lines[at]!) === undefined) return taken;
        taken++;
      }
    return taken;
  };
}

export const replayTasks: Readonly<Record<string, Task<ReplayOptions, Replayed>>> = {
  readline: replay(readlineParse),
  tardis: replay(tardis),
  replay: replay(feedOf(1)),
  'merge-2': replay(feedOf(2)),
  'merge-20': replay(feedOf(20)),
  'json-parse': replay(decode((_payload, line) => JSON.parse(line.toString('latin1')) as unknown)),
  decode: replay(decode((payload) => readTrade(payload).price)),
};
