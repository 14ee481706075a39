/** The quick ways (bytes scanned into numbers, memory used again) say what the plain ones say. */
import test, { type ExecutionContext } from 'ava';
import fc from './support/property.ts';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FrameCounter } from '../lib/bench/frame-counter.ts';
import { lengthen } from '../lib/bench/long-capture.ts';
import { readers } from '../lib/exchange/registry.ts';
import { openFeed } from '../lib/feed/feed.ts';
import { LogWriter } from '../lib/log/disk-writer.ts';
import { logName } from '../lib/log/name.ts';
import type { Level } from '../lib/market/event.ts';
import { LevelList } from '../lib/market/level-list.ts';
import { OrderBook } from '../lib/market/order-book.ts';
import { QuickBook } from '../lib/market/quick-book.ts';
import { Arena, Pile } from '../lib/publisher/arena.ts';
import { framePayloads, textFrame } from '../lib/publisher/frame.ts';
import { viewed } from '../lib/publisher/source.ts';
import { realClock } from '../lib/world/clock.ts';
import { World } from './support/binance-world.ts';

const START = Date.parse('2024-08-08T12:00:00Z') * 1000;
const ms = (us: number): number => Math.floor(us / 1000);
const eight = (hundredths: number): string => `${(hundredths / 100).toFixed(2)}000000`;

/** All the same, text by text; shows the first that is not. */
function same(t: ExecutionContext, answers: readonly (readonly string[])[]): void {
  const [first = [], ...others] = answers;
  for (const other of others) {
    const at = first.findIndex((text, i) => text !== other[i]);
    if (at >= 0) t.is(other[at], first[at]);
    t.is(other.length, first.length);
  }
}

// Books

const change = fc.record({
  bids: fc.array(fc.tuple(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 0, max: 2 })), {
    maxLength: 60,
  }),
  asks: fc.array(fc.tuple(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 0, max: 2 })), {
    maxLength: 60,
  }),
  /** How many levels somebody asks for afterwards; 0: nobody asks. */
  ask: fc.constantFrom(0, 0, 0, 1, 5, 20, 64, 65, 1000),
  clear: fc.integer({ min: 0, max: 30 }).map((n) => n === 0),
});

test('a quick book has the levels of an order book at any time, however seldom or often it is asked', (t) => {
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 80 }), (changes) => {
      const quick = new QuickBook();
      let plain = new OrderBook();
      const lists = { bids: new LevelList(), asks: new LevelList() };
      changes.forEach(({ bids, asks, ask, clear }, i) => {
        if (clear) {
          quick.clear();
          plain = new OrderBook();
        }
        const texts: Record<'bids' | 'asks', Level[]> = { bids: [], asks: [] };
        for (const side of ['bids', 'asks'] as const) {
          lists[side].count = 0;
          for (const [price, quantity] of side === 'bids' ? bids : asks) {
            lists[side].add(price * 1e6, quantity * 1e6);
            texts[side].push([eight(price), eight(quantity)]);
          }
        }
        const about = { lastId: i + 1, timeUs: i };
        quick.apply({ ...about, ...lists });
        plain.apply({ kind: 'book', snapshot: false, firstId: i + 1, ...about, ...texts });
        if (ask === 0) return;
        t.deepEqual(quick.bids(ask), plain.bids(ask));
        t.deepEqual(quick.asks(ask), plain.asks(ask));
        t.deepEqual(quick.bestBid(), plain.bestBid());
        t.deepEqual(quick.bestAsk(), plain.bestAsk());
      });
      t.deepEqual(quick.bids(), plain.bids());
      t.deepEqual(quick.toOrderBook().asks(), plain.asks());
    }),
    { numRuns: 60 },
  );
});

/** The same text in a form that cannot be scanned. */
const spaced = (text: string): string => JSON.stringify(JSON.parse(text), null, 1);
type Way = 'scanned' | 'parsed' | 'mixed';
const written = (text: string, way: Way, index: number): string =>
  way === 'parsed' || (way === 'mixed' && index === 7) ? spaced(text) : text;

test('a market answers the same whether its diffs could be scanned or had to be parsed, also from the midst on', (t) => {
  const levels = fc.array(
    fc.tuple(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 0, max: 3 })),
    { maxLength: 12 },
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(levels, levels), { minLength: 9, maxLength: 20 }),
      fc.integer({ min: 0, max: 12 }),
      fc.boolean(),
      (diffs, snapshotAt, hole) => {
        const texts = (list: [number, number][], offset: number): string =>
          JSON.stringify(list.map(([price, quantity]) => [eight(price + offset), eight(quantity)]));
        const answers = (['scanned', 'parsed', 'mixed'] as const).map((way) => {
          const world = new World(START, { logs: ['binance/BTC-USDT/depth'] });
          const client = world.dial('/ws/btcusdt@depth5@100ms/btcusdt@depth@1000ms');
          diffs.forEach(([bids, asks], i) => {
            const id = 101 + 2 * i + (hole && i > 10 ? 5 : 0);
            if (i === snapshotAt) {
              const snapshot = `{"lastUpdateId":${id - 1},"bids":${texts([[5, 9]], 0)},"asks":${texts([[9, 9]], 300)}}`;
              world.record('binance/BTC-USDT/depth', written(snapshot, way, i));
            }
            const diff = `{"e":"depthUpdate","E":${ms(world.nowUs)},"s":"BTCUSDT","U":${id},"u":${id + 1},"b":${texts(bids, 0)},"a":${texts(asks, 300)}}`;
            world.record('binance/BTC-USDT/depth', written(diff, way, i));
            world.pass(100);
          });
          const rest = world.get('/api/v3/depth?symbol=BTCUSDT&limit=5000').body;
          return [rest, ...client.take()];
        });
        same(t, answers);
      },
    ),
    { numRuns: 40 },
  );
});

// Trades

const aTrade = fc.record({
  afterMs: fc.constantFrom(0, 0, 0, 1, 30, 400, 1100, 61_000, -700),
  price: fc.integer({ min: 1, max: 9_000_000 }),
  quantity: fc.oneof(fc.integer({ min: 0, max: 900 }), fc.integer({ min: 0, max: 8_000_000_000 })),
  maker: fc.boolean(),
  /** Whether somebody looks afterwards. */
  look: fc.integer({ min: 0, max: 6 }).map((n) => n === 0),
});

test('a market answers the same whether its trades could be scanned or had to be parsed, also from the midst on', (t) => {
  fc.assert(
    fc.property(fc.array(aTrade, { minLength: 8, maxLength: 60 }), fc.boolean(), (trades, agg) => {
      const log = `binance/BTC-USDT/${agg ? 'aggTrade' : 'trade'}`;
      const answers = (['scanned', 'parsed', 'mixed'] as const).map((way) => {
        const world = new World(START, { logs: [log] });
        const client = world.dial('/ws/btcusdt@aggTrade/btcusdt@kline_1s/btcusdt@kline_1m');
        const said: string[] = [];
        const look = (): void => {
          const query = 'symbol=BTCUSDT';
          for (const path of [
            `trades?${query}`,
            `aggTrades?${query}`,
            `historicalTrades?${query}&fromId=1003&limit=4`,
            `aggTrades?${query}&startTime=${ms(START) + 400}&limit=7`,
            `klines?${query}&interval=1s`,
            `klines?${query}&interval=1m`,
            `klines?${query}&interval=3m`,
            `ticker/24hr?${query}`,
            `ticker?${query}&windowSize=5m`,
            `avgPrice?${query}`,
          ]) {
            said.push(world.get(`/api/v3/${path}`).body);
          }
        };
        let atUs = START;
        let id = 1000;
        trades.forEach((trade, i) => {
          atUs += trade.afterMs * 1000;
          if (trade.afterMs > 0) world.pass(trade.afterMs);
          id++;
          const amounts = `"p":"${eight(trade.price)}","q":"${eight(trade.quantity)}"`;
          const tail = `"T":${ms(atUs)},"m":${trade.maker},"M":true}`;
          const text = agg
            ? `{"e":"aggTrade","E":${ms(atUs)},"s":"BTCUSDT","a":${id},${amounts},"f":${id * 3},"l":${id * 3 + 2},${tail}`
            : `{"e":"trade","E":${ms(atUs)},"s":"BTCUSDT","t":${id},${amounts},${i % 3 === 0 ? '"b":88,"a":99,' : ''}${tail}`;
          // The same for all: a text with blanks hides its event time.
          world.record(log, written(text, way, i), { eventTimeUs: ms(atUs) * 1000 });
          if (trade.look) look();
        });
        world.pass(3000);
        look();
        // The log's own aggregates go out as they are written.
        return [...said, ...client.take().filter((frame) => !agg || !frame.includes('"aggTrade"'))];
      });
      same(t, answers);
    }),
    { numRuns: 40 },
  );
});

test('a trade reads the same whether it can be scanned or has to be parsed', (t) => {
  const read = readers()['binance']!;
  const text = (more: string, T: string, m: boolean): string =>
    `{"e":"trade","E":1723161255343,"s":"1000SATSUSDT","t":18446744073709551615,"p":"61837.63000000","q":"123456789.02",${more}"T":${T},"m":${m},"M":true}`;
  for (const more of ['', '"b":88,"a":50,'])
    for (const T of ['1723161255342', '1723161255342123'])
      for (const m of [true, false]) {
        t.deepEqual(read('trade', Buffer.from(text(more, T, m)), 0), [
          {
            kind: 'trade',
            timeUs: T.length === 13 ? 1723161255342000 : 1723161255342123,
            id: '18446744073709551615',
            price: '61837.63000000',
            quantity: '123456789.02',
            taker: m ? 'sell' : 'buy',
          },
        ]);
      }
  const whole = text('"b":88,"a":50,', '1723161255342', true);
  for (let end = 0; end < whole.length; end++)
    t.notThrows(() => read('trade', Buffer.from(whole.slice(0, end)), 0));
});

// Frames

test('a payload goes through an arena byte for byte, at any length, place and wrapping', (t) => {
  const arena = new Arena(4096);
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 900 }),
      fc.string({ maxLength: 40 }),
      fc.nat({ max: 9 }),
      (text, head, shift) => {
        const source = Buffer.from('x'.repeat(shift) + text + 'yy');
        const [from, to] = [shift, source.length - 2];
        const [before, after] = [Buffer.from(head), Buffer.from('}')];
        const span = arena.wrapped(before, viewed(source), from, to, after);
        const frame = span.bytes.subarray(span.start, span.end);
        t.deepEqual(frame, textFrame(`${head}${text}}`));
      },
    ),
  );
});

test('the bytes of an arena are written over only where no socket reads them any more', (t) => {
  const arena = new Arena(4096);
  const pile = new Pile();
  const turn = (text: string): Buffer => {
    pile.add(arena.frame(text));
    const view = pile.view();
    pile.clear();
    return view;
  };
  const first = turn('one');
  arena.rewind();
  const second = turn('two');
  t.is(second.byteOffset, first.byteOffset, 'all was taken: the same place again');
  arena.pin();
  arena.rewind();
  const third = turn('three');
  t.deepEqual([...framePayloads(second)].map(String), ['two'], 'still there');
  t.deepEqual([...framePayloads(third)].map(String), ['three']);
  for (let i = 0; i < 2000; i++) {
    turn(`many ${i}`);
    if (i % 7 === 0) arena.rewind();
  }
  t.deepEqual([...framePayloads(second)].map(String), ['two'], 'a full arena is left, not reused');
});

// Feeds

test('a feed that uses its memory again hands out what any feed does', async (t) => {
  const data = mkdtempSync(join(tmpdir(), 'tickmesh-quick-'));
  t.teardown(() => rmSync(data, { recursive: true, force: true }));
  const logs = ['a', 'b', 'c'].map((name) => logName(`x/A-B/${name}`));
  let timeUs = 1_723_161_255_000_000;
  for (const log of logs) {
    await using writer = await LogWriter.open({ data, log, node: 'n', clock: realClock });
    for (let i = 0; i < 3000; i++) {
      // Long runs of one log, then short ones, so that queues are emptied at different times.
      timeUs += ((i * 7919) % 13) + 1;
      writer.stage(timeUs, timeUs, Buffer.from(`"${log} ${i} ${'z'.repeat((i * 31) % 400)}"`));
    }
    writer.write();
    writer.announce();
    timeUs -= 15_000;
  }
  const all = async (names: readonly string[], reuse: boolean): Promise<string[]> => {
    const found: string[] = [];
    const rules = { maxBytes: 8192 };
    const feed = openFeed({ data, logs: names, from: 'start', until: 'end', reuse, rules });
    for await (const { records } of feed) {
      for (const record of records) found.push(`${record.timeUs} ${record.payload.toString()}`);
    }
    return found;
  };
  for (const names of [logs, logs.slice(0, 1)]) {
    const plain = await all(names, false);
    t.is(plain.length, 3000 * names.length);
    t.deepEqual(await all(names, true), plain);
  }
});

// Bench

test('frames are counted right however the stream is cut', (t) => {
  const frames = [0, 1, 125, 126, 300, 65_535, 65_536].map((n) => textFrame('x'.repeat(n)));
  const stream = Buffer.concat([...frames, Buffer.from([0x88, 2, 3, 0xe8])]);
  for (const step of [1, 3, 7, 1000, stream.length]) {
    const counter = new FrameCounter();
    for (let at = 0; at < stream.length; at += step) {
      counter.take(stream.subarray(at, at + step), 0);
    }
    t.is(counter.frames, frames.length);
    t.is(counter.bytes, stream.length);
    t.true(counter.closed);
  }
});

test('a lengthened capture goes on where its round ended: times, trade ids and update ids', (t) => {
  const depth = logName('binance/BTC-USDT/depth');
  const trade = logName('binance/BTC-USDT/trade');
  const timeUs = START;
  const records = [
    { log: depth, timeUs, payload: Buffer.from('{"lastUpdateId":10,"bids":[],"asks":[]}') },
    {
      log: depth,
      timeUs: timeUs + 1000,
      payload: Buffer.from(
        '{"e":"depthUpdate","E":1723118400000,"s":"X","U":11,"u":14,"b":[],"a":[]}',
      ),
    },
    {
      log: trade,
      timeUs: timeUs + 5000,
      payload: Buffer.from(
        '{"e":"trade","E":1723118400004,"s":"X","t":7,"p":"1","q":"1","T":1723118400003,"m":true}',
      ),
    },
  ];
  const long = [...lengthen(records, 7)].map(
    (one) => `${one.timeUs! - timeUs} ${one.payload.toString()}`,
  );
  t.is(long.length, 7);
  t.deepEqual(
    long.slice(0, 3),
    records.map((one) => `${one.timeUs - timeUs} ${one.payload.toString()}`),
  );
  t.is(long[3], '6000 {"lastUpdateId":15,"bids":[],"asks":[]}');
  t.regex(long[4]!, /^7000 .*"E":1723118400006,.*"U":16,"u":19,/);
  t.regex(long[5]!, /"t":8,.*"T":1723118400009/);
});
