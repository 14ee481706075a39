/**
 * A feed that uses its memory again, and what hangs on it: no venue, hub, arena, socket or REST answer keeps a view of a
 * batch. Memory is filled with junk the moment it is free; what clients get is what they get without.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { exchanges, readers } from '../lib/exchange/registry.ts';
import { openFeed } from '../lib/feed/feed.ts';
import { ChunkPool } from '../lib/feed/chunk-pool.ts';
import type { FeedBatch } from '../lib/feed/record.ts';
import { LogWriter } from '../lib/log/disk-writer.ts';
import { logName } from '../lib/log/name.ts';
import { instrumentOf } from '../lib/market/instrument.ts';
import { Publisher } from '../lib/publisher/publisher.ts';
import { realClock } from '../lib/world/clock.ts';
import { RawClient } from './support/raw-client.ts';

const START = Date.parse('2024-08-08T12:00:00Z') * 1000;
const RECORDS = 12_000;

type Line = { readonly log: string; readonly text: string };

/** Payloads of Binance: trades, quotes, diffs, a snapshot that comes long after the diffs that go on from it. */
function* binanceLines(): Generator<Line> {
  for (let i = 0; i < RECORDS; i++) {
    const ms = Math.floor(START / 1000) + i * 10;
    const at = `binance/BTC-USDT`;
    const price = `${60_000 + ((i * 31) % 400)}.${String(i % 100).padStart(2, '0')}000000`;
    const level = (from: number, k: number): string =>
      `["${from + ((i * 7 + k * 13) % 300)}.50000000","${(i + k) % 5}.25000000"]`;
    const levels = (from: number): string =>
      `[${Array.from({ length: 1 + (i % 9) * 4 }, (_, k) => level(from, k)).join(',')}]`;
    const kind = i % 3;
    if (i === 5000) {
      const text = `{"lastUpdateId":4001,"bids":[["59990.50000000","1.00000000"]],"asks":[["61000.50000000","2.00000000"]]}`;
      yield { log: `${at}/depth`, text };
    }
    if (kind === 0) {
      const blank = i % 900 === 0 && i > 9000 ? ' ' : '';
      const text = `{"e":"trade","E":${ms},"s":"BTCUSDT",${blank}"t":${1000 + i},"p":"${price}","q":"0.${String(i).padStart(8, '0')}","T":${ms},"m":${i % 2 === 0},"M":true}`;
      yield { log: `${at}/trade`, text };
    } else if (kind === 1) {
      const text = `{"u":${i},"s":"BTCUSDT","b":"${price}","B":"1.00000000","a":"${price}","A":"${i}.00000000"}`;
      yield { log: `${at}/bookTicker`, text };
    } else {
      const text = `{"e":"depthUpdate","E":${ms},"s":"BTCUSDT","U":${i - 2},"u":${i},"b":${levels(59_000)},"a":${levels(60_500)}}`;
      yield { log: `${at}/depth`, text };
    }
  }
}

/** Payloads of Kraken: a book of ten, trades. */
function* krakenLines(): Generator<Line> {
  const at = 'kraken/BTC-USD';
  const time = (i: number): string => new Date(START / 1000 + i * 10).toISOString();
  const side = (from: number, step: number, quantity: string): string =>
    Array.from(
      { length: 10 },
      (_, k) => `{"price":${(from + k * step).toFixed(1)},"qty":${quantity}}`,
    ).join(',');
  const snapshot = `{"channel":"book","type":"snapshot","data":[{"symbol":"BTC/USD","bids":[${side(60_000, -1, '1.00000000')}],"asks":[${side(60_001, 1, '2.00000000')}],"checksum":0}]}`;
  yield { log: `${at}/book-10`, text: snapshot };
  for (let i = 1; i < RECORDS; i++) {
    if (i % 2 === 0) {
      const text = `{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"${i % 4 ? 'buy' : 'sell'}","price":${60_000 + (i % 90)}.5,"qty":0.${String(i).padStart(8, '0')},"ord_type":"limit","trade_id":${i},"timestamp":"${time(i)}"}]}`;
      yield { log: `${at}/trade`, text };
    } else {
      const bid = (59_991 + (i % 10)).toFixed(1);
      const text = `{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":${bid},"qty":${1 + (i % 7)}.00000000}],"asks":[],"checksum":0,"timestamp":"${time(i)}"}]}`;
      yield { log: `${at}/book-10`, text };
    }
  }
}

/** Writes them, 10 ms apart; says which logs there are. */
async function written(data: string, lines: Iterable<Line>): Promise<string[]> {
  const writers = new Map<string, LogWriter>();
  let timeUs = START;
  for (const { log, text } of lines) {
    let writer = writers.get(log);
    if (!writer) {
      writer = await LogWriter.open({ data, log: logName(log), node: 'n', clock: realClock });
      writers.set(log, writer);
    }
    timeUs += 10_000;
    writer.stage(timeUs, timeUs - 3000, Buffer.from(text));
  }
  for (const writer of writers.values()) {
    writer.write();
    writer.announce();
    await writer[Symbol.asyncDispose]();
  }
  return [...writers.keys()];
}

type Case = {
  readonly venue: 'binance' | 'kraken';
  readonly instrument: string;
  readonly url: string;
  readonly subscribe: readonly string[];
  readonly rest: readonly string[];
};

const binanceCase: Case = {
  venue: 'binance',
  instrument: 'BTC-USDT',
  url: '/stream?streams=btcusdt@trade/btcusdt@depth@100ms',
  subscribe: [
    '{"method":"SUBSCRIBE","params":["btcusdt@bookTicker","btcusdt@aggTrade","btcusdt@depth20@100ms"],"id":1}',
  ],
  rest: [
    '/api/v3/depth?symbol=BTCUSDT&limit=1000',
    '/api/v3/trades?symbol=BTCUSDT',
    '/api/v3/aggTrades?symbol=BTCUSDT',
    '/api/v3/klines?symbol=BTCUSDT&interval=1s',
    '/api/v3/ticker/bookTicker?symbol=BTCUSDT',
  ],
};
const krakenCase: Case = {
  venue: 'kraken',
  instrument: 'BTC-USD',
  url: '/v2',
  subscribe: ['trade', 'book'].map(
    (channel) =>
      `{"method":"subscribe","params":{"channel":"${channel}","symbol":["BTC/USD"],"snapshot":true}}`,
  ),
  rest: [
    '/0/public/Depth?pair=XBTUSD&count=10',
    '/0/public/Trades?pair=XBTUSD',
    '/0/public/OHLC?pair=XBTUSD',
  ],
};

type Reuse = boolean | ((freed: Buffer) => void);
type Seen = { healthy: string[]; stalled: string[]; rest: string[]; freed: number };

/** A replay through a publisher: what a client that reads, one that reads nothing till the end, and REST were told. */
async function replay(
  t: ExecutionContext,
  where: { data: string; logs: readonly string[] },
  { venue, instrument, url, subscribe, rest }: Case,
  poison: boolean,
): Promise<Seen> {
  let freed = 0;
  const junk = (memory: Buffer): void => {
    freed++;
    memory.fill('#');
  };
  const reuse: Reuse = poison ? junk : false;
  let go: () => void = () => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  async function* live(): AsyncGenerator<FeedBatch> {
    await gate;
    const rules = { maxBytes: 4096 };
    for await (const batch of openFeed({ ...where, from: 'start', until: 'end', reuse, rules })) {
      yield { ...batch, live: true };
    }
  }
  await using publisher = new Publisher({
    venue: (seams) =>
      exchanges[venue]!.venue({
        ...seams,
        instruments: [instrumentOf(instrument)],
        readers: readers(),
        logs: [...where.logs],
      }),
    feed: live(),
    time: 'records',
    settings: { slow: { policy: 'disconnect', boundBytes: 1 << 30, waitMs: 30_000 } },
    onFailure: (error) => t.fail(String(error)),
  });
  const { port } = await publisher.start(0);
  const clients = [await RawClient.open(port, url), await RawClient.open(port, url)] as const;
  for (const client of clients) {
    for (const [i, text] of subscribe.entries()) {
      client.send(text);
      await client.until(
        () => client.texts.filter((one) => /"(result|success)"/.test(one)).length > i,
      );
    }
  }
  const [healthy, stalled] = clients;
  stalled.socket.pause();
  go();
  await publisher.done;
  const told: string[] = [];
  for (const path of rest) told.push(await (await fetch(`http://127.0.0.1:${port}${path}`)).text());
  stalled.socket.resume();
  const { frames } = publisher.metrics;
  await Promise.all(clients.map((one) => one.until(() => one.texts.length * 2 >= frames)));
  t.is(publisher.metrics.slowDisconnects, 0);
  // What says when it was said differs from run to run: answers to requests.
  const own = (texts: readonly string[]): string[] =>
    texts.filter((one) => !/"(result|success)"|"channel":"status"/.test(one));
  return { healthy: own(healthy.texts), stalled: own(stalled.texts), rest: told, freed };
}

function same(t: ExecutionContext, found: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((text, i) => text !== found[i]);
  if (at >= 0) t.is(found[at], expected[at]);
  t.is(found.length, expected.length);
}

for (const [name, lines] of [
  ['Binance', binanceLines],
  ['Kraken', krakenLines],
] as const) {
  for (const served of [binanceCase, krakenCase]) {
    test.serial(
      `clients of ${served.venue} get what ${name}'s logs say, although the feed's memory is used again`,
      async (t) => {
        const data = mkdtempSync(join(tmpdir(), 'tickmesh-reuse-'));
        t.teardown(() => rmSync(data, { recursive: true, force: true }));
        const logs = await written(data, lines());
        const instrument = name === 'Binance' ? 'BTC-USDT' : 'BTC-USD';
        const text = JSON.stringify(served);
        const here = JSON.parse(
          served.venue === 'binance'
            ? text
                .replaceAll('BTC-USDT', instrument)
                .replaceAll('BTCUSDT', instrument.replace('-', ''))
                .replaceAll('btcusdt', instrument.replace('-', '').toLowerCase())
            : text
                .replaceAll('BTC-USD"', `${instrument}"`)
                .replaceAll('BTC/USD', instrument.replace('-', '/'))
                .replaceAll('XBTUSD', instrument.replace('-', '').replace('BTC', 'XBT')),
        ) as Case;
        const plain = await replay(t, { data, logs }, here, false);
        const poisoned = await replay(t, { data, logs }, here, true);
        t.true(poisoned.freed > 200, `${poisoned.freed} pieces`);
        t.true(plain.healthy.length > RECORDS / 4, `${plain.healthy.length} frames`);
        t.false(poisoned.healthy.some((one) => one.includes('##')));
        same(t, poisoned.healthy, plain.healthy);
        same(t, poisoned.stalled, plain.healthy);
        same(t, poisoned.rest, plain.rest);
        t.true(
          plain.rest.every((one) => one.length > 40),
          plain.rest.join('\n').slice(0, 400),
        );
      },
    );
  }
}

test('a pool never lends memory that waits, and takes back all that does not', (t) => {
  const freed: Buffer[] = [];
  const pool = new ChunkPool((memory) => freed.push(memory));
  const first = pool.take(100);
  const second = pool.take(50);
  pool.turn(first.subarray(10, 20));
  t.deepEqual(freed, [second]);
  t.is(pool.take(40).buffer, second.buffer);
  t.not(pool.take(40).buffer, first.buffer);
  pool.turn(undefined);
  t.is(freed.length, 4);
});
