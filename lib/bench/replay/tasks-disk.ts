/** Each way of reading a history, as a task: how many records, in how much time. */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { readTrade } from '../../exchange/binance/read.ts';
import { openFeed } from '../../feed/feed.ts';
import { CLOSING, PAYLOAD_AT } from '../../log/line.ts';
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

type Place = { readonly at: number; readonly end: number };

/**
 * Decodes the same thousand lines of a chunk, as a feed hands them out, again and again: nothing is read. Every result is
 * kept until its line comes again, and each of its fields is looked at: nothing can be left undone.
 */
function decode<T>(
  one: (chunk: Buffer, line: Place, payload: Place) => T,
  sumOf: (decoded: T) => number,
) {
  return async ({ records }: ReplayOptions): Promise<number> => {
    const lines = Array.from({ length: SAMPLE }, (_, k) => newLineOf(tradePayload(k), k));
    const chunk = Buffer.concat(lines);
    let next = 0;
    const places = lines.map(({ length }) => ({ at: next, end: (next += length) }));
    const payloads = places.map(({ at, end }) => ({ at: at + PAYLOAD_AT, end: end - CLOSING }));
    const kept: T[] = [];
    let taken = 0;
    let sum = 0;
    while (taken < records)
      for (let k = 0; k < SAMPLE; k++) {
        const decoded = one(chunk, places[k]!, payloads[k]!);
        kept[k] = decoded;
        sum += sumOf(decoded);
        taken++;
      }
    return sum > 0 ? taken : 0;
  };
}

type Parsed = {
  readonly t: number;
  readonly e: number;
  readonly data: { s: string; t: number; p: string; q: string; T: number; m: boolean };
};

export const replayTasks: Readonly<Record<string, Task<ReplayOptions, Replayed>>> = {
  readline: replay(readlineParse),
  tardis: replay(tardis),
  replay: replay(feedOf(1)),
  'merge-2': replay(feedOf(2)),
  'merge-20': replay(feedOf(20)),
  'json-parse': replay(
    decode(
      (chunk, { at, end }) => JSON.parse(chunk.toString('latin1', at, end)) as Parsed,
      ({ t, e, data }) =>
        t + e + data.s.length + data.t + data.p.length + data.q.length + data.T + Number(data.m),
    ),
  ),
  decode: replay(
    decode(
      (chunk, _line, { at, end }) => readTrade(chunk, at, end),
      ({ timeUs, id, price, quantity, taker }) =>
        timeUs + id.length + price.length + quantity.length + taker.length,
    ),
  ),
};
