/** Binance served from real recordings: bytes, books and derived streams against what the exchange itself said. */
import test from 'ava';
import { World, type FakeClient } from './support/binance-world.ts';
import { readers } from '../lib/exchange/registry.ts';
import { cbcap, cryptofeed, hft } from './support/captures.ts';
import { recorded } from './support/data.ts';

const TRADE = 'binance/BTC-USDT/trade';
const DEPTH = 'binance/BTC-USDT/depth';
const BOOK_TICKER = 'binance/BTC-USDT/bookTicker';
const logs = [TRADE, DEPTH, BOOK_TICKER];
/** Just before the first record of the capture. */
const START = Date.parse('2024-08-08T23:54:13Z') * 1000;
type Levels = [string, string][];
const data = (client: FakeClient): Record<string, unknown>[] =>
  client.take().map((frame) => JSON.parse(frame) as Record<string, unknown>);

const HFT = 'binance/spot-btcusdt-20240808.hft.gz';

test('real capture: all 41,248 frames reach a /stream client byte for byte, in order, once', (t) => {
  const path = recorded(t, HFT);
  if (!path) {
    t.pass();
    return;
  }
  const records = [...hft(path)];
  const world = new World(records[0]!.timeUs, { instruments: ['BTC-USDT'], logs });
  const client = world.dial('/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade');
  for (const { log, timeUs, payload } of records) {
    world.pass((timeUs - world.nowUs) / 1000);
    world.record(log, payload);
  }
  const frames = records.map(({ frame }) => frame).filter((frame) => frame !== undefined);
  t.is(frames.length, 41_248);
  t.is(client.frames.length, frames.length);
  t.is(
    client.frames.findIndex((frame, i) => frame !== frames[i]),
    -1,
  );
});

type Diff = { U: number; u: number; b: Levels; a: Levels };

/** A client's book by Binance's procedure: buffer, snapshot, drop u <= id, then each U = u + 1. */
class ClientBook {
  readonly buffer: Diff[] = [];
  readonly bids = new Map<string, string>();
  readonly asks = new Map<string, string>();
  lastId = -1;

  snapshot(of: { lastUpdateId: number; bids: Levels; asks: Levels }): void {
    for (const [price, quantity] of of.bids) this.bids.set(price, quantity);
    for (const [price, quantity] of of.asks) this.asks.set(price, quantity);
    this.lastId = of.lastUpdateId;
    for (const diffOf of this.buffer.splice(0)) this.apply(diffOf);
  }
  apply({ U, u, b, a }: Diff): void {
    if (u <= this.lastId) return;
    if (U > this.lastId + 1) throw new Error(`gap: ${U} after ${this.lastId}`);
    for (const [levels, side] of [
      [b, this.bids],
      [a, this.asks],
    ] as const) {
      for (const [price, quantity] of levels) {
        if (Number(quantity) === 0) side.delete(price);
        else side.set(price, quantity);
      }
    }
    this.lastId = u;
  }
  best(): string {
    let bid = '';
    let ask = '';
    for (const price of this.bids.keys())
      if (bid === '' || Number(price) > Number(bid)) bid = price;
    for (const price of this.asks.keys())
      if (ask === '' || Number(price) < Number(ask)) ask = price;
    return [bid, this.bids.get(bid), ask, this.asks.get(ask)].join();
  }
}

test("B20: real capture: the book that a client builds from our snapshot and diffs has at 3,449 of 3,449 diffs the exchange's own best bid and ask", (t) => {
  const path = recorded(t, HFT);
  if (!path) {
    t.pass();
    return;
  }
  const world = new World(START, { instruments: ['BTC-USDT'], logs });
  const client = world.dial('/ws/btcusdt@depth@100ms/btcusdt@depth20@100ms');
  const book = new ClientBook();
  const quotes: { u: number; text: string }[] = [];
  const bests: { u: number; text: string }[] = [];
  let asked = 0;
  let partials = 0;
  for (const { log, timeUs, payload, frame } of hft(path)) {
    if (timeUs > world.nowUs + 100_000) world.pass((timeUs - world.nowUs) / 1000);
    world.nowUs = timeUs;
    world.record(log, payload);
    if (log === BOOK_TICKER) {
      const { u, b, B, a, A } = JSON.parse(payload) as Record<string, string> & { u: number };
      quotes.push({ u, text: [b, B, a, A].join() });
    }
    for (const text of client.take()) {
      const event = JSON.parse(text) as Diff & {
        lastUpdateId?: number;
        bids: Levels;
        asks: Levels;
      };
      if (event.lastUpdateId !== undefined) {
        if (book.lastId === event.lastUpdateId && partials++ % 50 === 0) {
          for (const [levels, side, sign] of [
            [event.bids, book.bids, -1],
            [event.asks, book.asks, 1],
          ] as const) {
            const mine = [...side].sort(([p], [q]) => sign * (Number(p) - Number(q))).slice(0, 20);
            t.deepEqual(levels, mine);
          }
        }
      } else if (book.lastId < 0) book.buffer.push(event);
      else {
        book.apply(event);
        bests.push({ u: event.u, text: book.best() });
      }
    }
    // The client asks once the recorder's snapshot is in: the first diff after it is the first it can check.
    if (frame === undefined && asked++ === 0) {
      book.snapshot(
        world.get('/api/v3/depth?symbol=BTCUSDT&limit=5000').json as Parameters<
          ClientBook['snapshot']
        >[0],
      );
      bests.push({ u: book.lastId, text: book.best() });
    }
  }
  let held = 0;
  let at = 0;
  for (const { u, text } of bests) {
    while (at < quotes.length && quotes[at]!.u <= u) at++;
    if (quotes[at - 1]?.text === text) held++;
  }
  t.log(`${held} of ${bests.length} hold, ${partials} partial books at the same id`);
  t.is(bests.length, 3449);
  t.is(held, bests.length);
  t.true(partials > 3000);
});

test('B20: a client that comes at any time gets a snapshot that joins its stream at the first try', (t) => {
  const path = recorded(t, HFT);
  if (!path) {
    t.pass();
    return;
  }
  const world = new World(START, { instruments: ['BTC-USDT'], logs: [DEPTH] });
  const clients: { client: FakeClient; book: ClientBook }[] = [];
  const reference: { book?: ClientBook } = {};
  let count = 0;
  for (const { log, timeUs, payload } of hft(path)) {
    if (log !== DEPTH) continue;
    world.pass(Math.max(0, timeUs - world.nowUs) / 1000);
    if (count % 100 === 50 && count < 1500) {
      const every = count % 200 === 50 ? '@100ms' : '';
      const client = world.dial(`/ws/btcusdt@depth${every}`);
      clients.push({ client, book: new ClientBook() });
    }
    world.record(log, payload);
    count++;
    for (const { client, book } of clients) {
      for (const event of data(client)) {
        if (book.lastId >= 0) book.apply(event as unknown as Diff);
        else {
          book.buffer.push(event as unknown as Diff);
          if (book.buffer.length < 3) continue;
          const rest = world.get('/api/v3/depth?symbol=BTCUSDT&limit=5000').json;
          const first = rest as Parameters<ClientBook['snapshot']>[0];
          t.true(first.lastUpdateId >= book.buffer[0]!.U);
          book.snapshot(first);
        }
      }
    }
    if (count === 2000) break;
  }
  world.pass(1000);
  for (const { client, book } of clients) {
    for (const event of data(client)) book.apply(event as unknown as Diff);
    reference.book ??= book;
    t.is(book.lastId, reference.book.lastId);
    t.is(book.best(), reference.book.best());
  }
  t.is(clients.length, 15);
});

test('real capture of three symbols: aggTrade, kline_1m and depth pass untouched, and books join their snapshots', (t) => {
  const path = recorded(t, 'binance/spot-btc-eth-dot-20210404.cryptofeed.gz');
  if (!path) {
    t.pass();
    return;
  }
  const records = [...cryptofeed(path)];
  const names = ['BTC-USDT', 'ETH-USDT', 'DOT-USDT'];
  const world = new World(records[0]!.timeUs, {
    instruments: names,
    logs: names.flatMap((name) =>
      ['depth', 'aggTrade', 'kline_1m'].map((channel) => `binance/${name}/${channel}`),
    ),
  });
  const streams = new Set(records.filter(({ frame }) => frame).map(({ stream }) => stream));
  t.is(streams.size, 9);
  const client = world.dial(`/stream?streams=${[...streams].join('/')}`);
  for (const { log, timeUs, payload } of records) {
    world.pass(Math.max(0, timeUs - world.nowUs) / 1000);
    world.record(log, payload);
  }
  const frames = records.map(({ frame }) => frame).filter((frame) => frame !== undefined);
  t.is(frames.length, 4716);
  t.deepEqual(client.frames, frames);
  for (const symbol of ['BTCUSDT', 'ETHUSDT', 'DOTUSDT']) {
    const { bids, asks, lastUpdateId } = world.get(`/api/v3/depth?symbol=${symbol}&limit=1000`)
      .json as { bids: Levels; asks: Levels; lastUpdateId: number };
    const last = records.findLast(({ stream }) => stream === `${symbol.toLowerCase()}@depth@100ms`);
    t.is(lastUpdateId, (JSON.parse(last!.payload) as Diff).u);
    t.true(bids.length > 900 && asks.length > 900);
    t.true(Number(bids[0]![0]) < Number(asks[0]![0]));
    const aggs = records.filter(({ stream }) => stream === `${symbol.toLowerCase()}@aggTrade`);
    const served = world.get(`/api/v3/aggTrades?symbol=${symbol}&limit=1000`).json as object[];
    t.deepEqual(
      served.at(-1),
      Object.fromEntries(
        Object.entries(JSON.parse(aggs.at(-1)!.payload) as object).filter(
          ([key]) => !['e', 'E', 's'].includes(key),
        ),
      ),
    );
  }
});

test('real capture: derived 1m klines and aggTrades agree with the trades they came from', (t) => {
  const path = recorded(t, HFT);
  if (!path) {
    t.pass();
    return;
  }
  const records = [...hft(path)].filter(({ log }) => log === TRADE);
  const world = new World(records[0]!.timeUs, { instruments: ['BTC-USDT'], logs: [TRADE] });
  const client = world.dial('/ws/btcusdt@aggTrade/btcusdt@kline_1m');
  for (const { log, timeUs, payload } of records) {
    world.pass((timeUs - world.nowUs) / 1000);
    world.record(log, payload);
  }
  world.pass(2000);
  const events = data(client);
  const trades = records.map(
    ({ payload }) => JSON.parse(payload) as { t: number; T: number; q: string; p: string },
  );
  const byMinute = new Map<number, typeof trades>();
  for (const one of trades) {
    const minute = one.T - (one.T % 60_000);
    byMinute.set(minute, [...(byMinute.get(minute) ?? []), one]);
  }
  const closed = events
    .filter(({ e }) => e === 'kline')
    .map(({ k }) => k as Record<string, unknown>)
    .filter(({ x }) => x);
  t.is(closed.length, byMinute.size - 1);
  const units = (text: string): number => Math.round(Number(text) * 1e8);
  for (const { t: open, f, L, n, o, c, v } of closed) {
    const inside = byMinute.get(open as number)!;
    t.deepEqual(
      [f, L, n, o, c],
      [inside[0]!.t, inside.at(-1)!.t, inside.length, inside[0]!.p, inside.at(-1)!.p],
    );
    t.is(
      units(v as string),
      inside.reduce((sum, { q }) => sum + units(q), 0),
    );
  }
  const aggs = events.filter(({ e }) => e === 'aggTrade') as unknown as {
    f: number;
    l: number;
    q: string;
  }[];
  let next = trades[0]!.t;
  for (const { f, l } of aggs) {
    t.is(f, next);
    next = l + 1;
  }
  t.is(next, trades.at(-1)!.t + 1);
  t.is(
    aggs.reduce((sum, { q }) => sum + units(q), 0),
    trades.reduce((sum, { q }) => sum + units(q), 0),
  );
  t.log(`${trades.length} trades, ${aggs.length} aggregates, ${closed.length} closed minutes`);
});

test("another venue's real book, Kraken's: ids contiguous, never crossed, and after each message equal to its own 25 levels", (t) => {
  const path = recorded(t, 'kraken/v2/book25-btcusd-20260802.cbcap.gz');
  if (!path) {
    t.pass();
    return;
  }
  const frames = [...cbcap(path)].filter(({ frame }) => frame.startsWith('{"channel":"book"'));
  t.is(frames.length, 2052);
  const world = new World(frames[0]!.timeUs, { instruments: ['BTC-USD'], readers: readers() });
  const client = world.dial('/ws/btcusd@depth@100ms');
  const quotes = world.dial('/ws/btcusd@bookTicker');
  const mine = new ClientBook();
  const theirs = { bids: new Map<string, string>(), asks: new Map<string, string>() };
  let last = '';
  frames.forEach(({ timeUs, frame }, i) => {
    world.pass(Math.max(0, timeUs - world.nowUs) / 1000);
    world.record('kraken/BTC-USD/book-25', frame);
    const { type, data: parts } = digitsKept(frame);
    if (type === 'snapshot') for (const side of [theirs.bids, theirs.asks]) side.clear();
    keep(theirs.bids, parts[0]!.bids, 25, -1);
    keep(theirs.asks, parts[0]!.asks, 25, 1);
    if (i % 20 === 0) {
      const rest = world.get('/api/v3/depth?symbol=BTCUSD&limit=5000').json as Parameters<
        ClientBook['snapshot']
      >[0];
      t.deepEqual(plain(rest.bids), plain([...theirs.bids]));
      t.deepEqual(plain(rest.asks), plain([...theirs.asks]));
      for (const event of data(client)) {
        if (mine.lastId < 0) mine.lastId = (event['U'] as number) - 1;
        mine.apply(event as unknown as Diff);
      }
      t.is(mine.lastId, rest.lastUpdateId);
      t.is(mine.bids.size, rest.bids.length);
      t.is(mine.asks.size, rest.asks.length);
    }
    const quote = quotes.take().at(-1);
    if (quote) last = quote;
    const { b, a } = JSON.parse(last) as { b: string; a: string };
    t.true(Number(b) < Number(a));
  });
});

const plain = (levels: Levels): string[] =>
  levels.map(([price, quantity]) => `${Number(price)} ${Number(quantity)}`).sort();

/** A frame with its numbers as text. */
const digitsKept = (frame: string) =>
  JSON.parse(frame.replace(/"(price|qty)":([\d.]+)/g, '"$1":"$2"')) as {
    type: string;
    data: { bids: { price: string; qty: string }[]; asks: { price: string; qty: string }[] }[];
  };

/** Kraken's rule for a client: apply, then cut to the depth. */
function keep(
  side: Map<string, string>,
  changes: { price: string; qty: string }[],
  depth: number,
  sign: 1 | -1,
): void {
  for (const { price, qty } of changes) {
    if (Number(qty) === 0) side.delete(price);
    else side.set(price, qty);
  }
  const sorted = [...side].sort(([a], [b]) => sign * (Number(a) - Number(b))).slice(0, depth);
  side.clear();
  for (const [price, quantity] of sorted) side.set(price, quantity);
}
