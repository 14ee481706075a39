import test from 'ava';
import fc from './support/property.ts';
import { Book } from '../lib/exchange/kraken/book.ts';
import { bookChecksum } from '../lib/exchange/kraken/checksum.ts';
import { eventTimeUs, read } from '../lib/exchange/kraken/read.ts';
import { altName, internalName, pairOf, v2Symbol, wsName } from '../lib/exchange/kraken/symbol.ts';
import { formatRfc1123, formatTimeUs, parseTimeUs } from '../lib/exchange/kraken/time.ts';
import { BookView } from '../lib/exchange/kraken/view.ts';
import { writeBook } from '../lib/exchange/kraken/write.ts';
import type { Level } from '../lib/market/event.ts';
import { KrakenBook, crc32, parseDigits } from './support/kraken-client.ts';
import {
  Harness,
  capturedFrames,
  hftRecords,
  recordedBytes,
  type TestClient,
} from './support/kraken-harness.ts';

const T0 = 1_785_641_750_000_000;
const isBook = (frame: string): boolean => frame.startsWith('{"channel":"book"');
const typeOf = (frame: string): unknown => parseDigits(frame)['type'];
type Json = Readonly<Record<string, unknown>>;
const parse = (frame: string): Json => JSON.parse(frame) as Json;
/** The elements of a list in a frame: of `data` unless said otherwise. */
const rowsOf = (frame: string, list?: string): readonly Json[] => {
  const { data } = parse(frame);
  return (list === undefined ? data : (data as Json)[list]) as Json[];
};

/** A book as frames: levels as "price:quantity" words. */
function frame(type: 'snapshot' | 'update', bids: string, asks: string, checksum = 0): string {
  const levels = (words: string): Level[] =>
    words
      .split(' ')
      .filter(Boolean)
      .map((word) => word.split(':') as [string, string]);
  return writeBook(
    type,
    'BTC/USD',
    levels(bids),
    levels(asks),
    checksum,
    '2026-08-02T03:35:51.660084Z',
  );
}
const ladder = (from: number, step: number, count: number): string =>
  Array.from(
    { length: count },
    (_, i) => `${(from + step * i).toFixed(1)}:${(i + 1).toFixed(8)}`,
  ).join(' ');

const trade = (id: number, price: string, qty: string, at: string, side = 'buy'): string =>
  `{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"${side}","price":${price},"qty":${qty},` +
  `"ord_type":"limit","trade_id":${id},"timestamp":"${at}"}]}`;

// ---- greetings, acknowledgements, refusals

test('K1: the first message is the status, its connection id beyond 2^53 and never the same', (t) => {
  const venue = new Harness('BTC-USD');
  const [status = ''] = venue.connect('/v2', false).take();
  t.regex(
    status,
    /^\{"channel":"status","type":"update","data":\[\{"version":"2\.\d+\.\d+","system":"online","api_version":"v2","connection_id":\d+\}\]\}$/,
  );
  const id = /"connection_id":(\d+)/.exec(status)![1]!;
  t.true(BigInt(id) > 2n ** 53n && BigInt(id) < 2n ** 63n);
  t.not(/"connection_id":(\d+)/.exec(venue.connect('/v2', false).take()[0]!)![1], id);
});

test('K1: a change of the engine is told to all who are connected, and asked by REST', (t) => {
  const harness = new Harness('BTC-USD');
  const client = harness.connect();
  harness.venue.setSystem('cancel_only');
  t.is(rowsOf(client.take()[0]!)[0]!['system'], 'cancel_only');
  t.is(harness.rest('/0/public/SystemStatus').result['status'], 'cancel_only');
});

test('K2: every symbol of a subscription is acknowledged by itself, with options, times and req_id', (t) => {
  const client = new Harness('BTC-USD', 'ETH-USD').connect();
  const params = { channel: 'book', symbol: ['BTC/USD', 'ETH/USD'], depth: 25 };
  const acks = client.ask({ method: 'subscribe', params, req_id: 7 });
  t.is(acks.length, 2);
  t.regex(
    acks[1]!,
    /^\{"method":"subscribe","req_id":7,"result":\{"channel":"book","depth":25,"snapshot":true,"symbol":"ETH\/USD"\},"success":true,"time_in":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","time_out":"[^"]+Z"\}$/,
  );
  const [ohlc = ''] = client.subscribe('ohlc', 'BTC/USD', { interval: 5 });
  t.like(parse(ohlc), { result: { channel: 'ohlc', interval: 5, symbol: 'BTC/USD' } });
  const [ticker = ''] = client.subscribe('ticker', 'BTC/USD', { event_trigger: 'bbo' });
  t.like(parse(ticker), { result: { channel: 'ticker', event_trigger: 'bbo', snapshot: true } });
  t.false('req_id' in parse(ticker));
});

test('K2: a req_id beyond 2^53 comes back with all its digits', (t) => {
  const client = new Harness('BTC-USD').connect();
  t.true(
    client
      .ask('{"method":"ping","req_id":9007199254740993}')[0]!
      .includes('"req_id":9007199254740993,'),
  );
});

test("K3: what cannot be subscribed is refused in Kraken's words", (t) => {
  const client = new Harness('BTC-USD').connect();
  const error = (request: object): unknown => parse(client.ask(request)[0]!)['error'];
  const asked = (channel: string, params: object): object => ({
    method: 'subscribe',
    params: { channel, ...params },
  });
  const [frame_ = ''] = client.ask({
    method: 'subscribe',
    params: { channel: 'trade', symbol: ['NOPE/USD'] },
    req_id: 3,
  });
  t.regex(
    frame_,
    /^\{"error":"Currency pair not supported NOPE\/USD","method":"subscribe","req_id":3,"success":false,"symbol":"NOPE\/USD","time_in":"[^"]+","time_out":"[^"]+"\}$/,
  );
  t.is(
    error(asked('trade', { symbol: ['XBTUSD'] })),
    'Currency pair not in ISO 4217-A3 format XBTUSD',
  );
  t.is(
    error(asked('book', { symbol: ['BTC/USD'], depth: 27 })),
    'Subscription depth not supported',
  );
  t.is(
    error(asked('ohlc', { symbol: ['BTC/USD'], interval: 2 })),
    'Subscription ohlc interval not supported',
  );
  t.is(error(asked('nonsense', { symbol: ['BTC/USD'] })), 'Subscription name invalid');
  client.subscribe('book', 'BTC/USD');
  t.is(error(asked('book', { symbol: ['BTC/USD'] })), 'Already subscribed');
  t.is(error(asked('book', { symbol: ['BTC/USD'], depth: 100 })), 'Already subscribed');
});

test('K3: one bad symbol among good ones hurts only itself', (t) => {
  const client = new Harness('BTC-USD', 'ETH-USD').connect();
  const params = { channel: 'trade', symbol: ['BTC/USD', 'NO/PE', 'ETH/USD'] };
  t.deepEqual(
    client.ask({ method: 'subscribe', params }).map((one) => parse(one)['success']),
    [true, false, true],
  );
});

test('K3: whatever text a client sends, it is answered and the session lives', (t) => {
  const client = new Harness('BTC-USD').connect();
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.constantFrom(
          '{',
          '[]',
          'null',
          '"',
          '{"method":1}',
          '{"method":"subscribe","params":[1]}',
          '{"method":"subscribe","params":{"channel":"book","symbol":[null]}}',
        ),
      ),
      (text) => {
        const answers = client.ask(text);
        return answers.length > 0 && answers.every((one) => parse(one)['success'] === false);
      },
    ),
  );
  t.is(parse(client.ask({ method: 'ping' })[0]!)['method'], 'pong');
});

test('K4: after an unsubscribe is acknowledged the channel is silent', (t) => {
  const harness = new Harness('BTC-USD');
  const client = harness.connect();
  client.subscribe('trade', 'BTC/USD');
  const at = '2026-08-02T03:35:51.660084Z';
  harness.record('kraken/BTC-USD/trade', trade(1, '63388.7', '0.10000000', at));
  t.is(client.take().length, 1);
  const params = { channel: 'trade', symbol: ['BTC/USD'] };
  const [ack = ''] = client.ask({ method: 'unsubscribe', params, req_id: 9 });
  t.like(parse(ack), {
    method: 'unsubscribe',
    req_id: 9,
    success: true,
    result: { channel: 'trade', symbol: 'BTC/USD' },
  });
  harness.record('kraken/BTC-USD/trade', trade(2, '63388.7', '0.10000000', at));
  t.deepEqual(client.take(), []);
  t.is(parse(client.ask({ method: 'unsubscribe', params })[0]!)['error'], 'Subscription Not Found');
  client.subscribe('trade', 'BTC/USD');
  harness.record('kraken/BTC-USD/trade', trade(3, '63388.7', '0.10000000', at));
  t.is(client.take().length, 1);
});

test('K5: a ping is answered with a pong, with req_id only where there was one', (t) => {
  const client = new Harness('BTC-USD').connect();
  t.regex(
    client.ask({ method: 'ping' })[0]!,
    /^\{"method":"pong","time_in":"[^"]+\.\d{6}Z","time_out":"[^"]+\.\d{6}Z"\}$/,
  );
  t.regex(
    client.ask({ method: 'ping', req_id: 101 })[0]!,
    /^\{"method":"pong","req_id":101,"time_in":/,
  );
});

test('K6: a heartbeat comes once a second, to those who have subscribed to something', (t) => {
  const harness = new Harness('BTC-USD');
  const [quiet, subscribed] = [harness.connect(), harness.connect()];
  subscribed.subscribe('trade', 'BTC/USD');
  let due = harness.venue.tick(1_000_000);
  const beats: number[] = [];
  subscribed.take();
  for (let now = 1_000_000; now < 1_010_000; now += 10) {
    if (now >= due) due = harness.venue.tick(now);
    if (subscribed.take().includes('{"channel":"heartbeat"}')) beats.push(now);
  }
  t.deepEqual(
    beats,
    [1, 2, 3, 4, 5, 6, 7, 8, 9].map((second) => 1_000_000 + second * 1000),
  );
  t.deepEqual(quiet.take(), []);
});

// ---- book

test('K7: a book is 10 deep unless asked otherwise: snapshot first, then updates of one element with both sides', (t) => {
  const harness = new Harness('BTC-USD');
  const log = 'kraken/BTC-USD/book-1000';
  harness.record(log, frame('snapshot', ladder(99.9, -0.1, 300), ladder(100, 0.1, 300)));
  for (const depth of [undefined, 10, 25, 100, 500, 1000]) {
    const client = harness.connect();
    const [ack = '', snapshot = ''] = client.subscribe('book', 'BTC/USD', depth ? { depth } : {});
    t.like(parse(ack), { result: { depth: depth ?? 10 } });
    t.is(typeOf(snapshot), 'snapshot');
    const book = new KrakenBook(depth ?? 10);
    t.true(book.take(snapshot));
    t.is(book.bids.length, Math.min(300, depth ?? 10));
    harness.record(log, frame('update', '99.9:5.00000000', ''));
    const [update = ''] = client.take();
    t.true(depth === 1000 || book.take(update));
    const data = rowsOf(update);
    t.is(data.length, 1);
    t.deepEqual(data[0]!['asks'], []);
    t.is(data[0]!['timestamp'], '2026-08-02T03:35:51.660084Z');
    harness.record(log, frame('update', '99.9:1.00000000', ''));
  }
});

test('K7: of a log less deep than asked for, all that there is is served, pushed-out levels zeroed', (t) => {
  const harness = new Harness('BTC-USD');
  const client = harness.connect();
  harness.record(
    'kraken/BTC-USD/book-10',
    frame('snapshot', ladder(99.9, -0.1, 10), ladder(100, 0.1, 10)),
  );
  const [, snapshot = ''] = client.subscribe('book', 'BTC/USD', { depth: 100 });
  const book = new KrakenBook(100);
  t.true(book.take(snapshot));
  harness.record('kraken/BTC-USD/book-10', frame('update', '99.95:1.00000000', ''));
  harness.record('kraken/BTC-USD/book-10', frame('update', '99.95:0.00000000 98.9:3.00000000', ''));
  for (const update of client.take()) t.true(book.take(update));
  t.is(book.bids.length, 10);
  t.is(book.bids.at(-1)!.price, '98.9');
});

test('K7: a deeper log that appears later takes over, with a snapshot', (t) => {
  const harness = new Harness('BTC-USD');
  const client = harness.connect();
  harness.record(
    'kraken/BTC-USD/book-10',
    frame('snapshot', ladder(99.9, -0.1, 10), ladder(100, 0.1, 10)),
  );
  client.subscribe('book', 'BTC/USD', { depth: 25 });
  harness.record(
    'kraken/BTC-USD/book-100',
    frame('snapshot', ladder(99.9, -0.1, 60), ladder(100, 0.1, 60)),
  );
  harness.record('kraken/BTC-USD/book-10', frame('update', '99.9:7.00000000', ''));
  harness.record('kraken/BTC-USD/book-100', frame('update', '99.9:8.00000000', ''));
  const [snapshot = '', update = '', ...rest] = client.take();
  const book = new KrakenBook(25);
  t.true(book.take(snapshot) && book.take(update));
  t.deepEqual(rest, []);
  t.is(book.bids[0]!.qty, '8.00000000');
  t.is(book.bids.length, 25);
});

test('K8: zero removes, pushed-out levels get no removal, levels that come back are sent with their quantity', (t) => {
  const book = new Book(Infinity);
  const view = new BookView(2);
  const levels = (...words: string[]): Level[] =>
    words.map((word) => word.split(':') as [string, string]);
  book.apply({ snapshot: true, bids: levels('9.0:1', '8.0:1', '7.0:1'), asks: [] }, T0);
  view.hold(book);
  book.apply({ snapshot: false, bids: levels('10.0:1'), asks: [] }, T0);
  t.deepEqual(view.changes(book)!.bids, levels('10.0:1'), '8.0 was pushed out: the client cuts it');
  book.apply({ snapshot: false, bids: levels('10.0:0.00'), asks: [] }, T0);
  t.deepEqual(view.changes(book)!.bids, levels('10.0:0', '8.0:1'), '8.0 came back');
  book.apply({ snapshot: false, bids: levels('7.0:5', '6.0:1'), asks: [] }, T0);
  t.is(view.changes(book), undefined, 'nothing within the depth changed');
  book.apply({ snapshot: false, bids: levels('9.0:0', '8.0:0'), asks: [] }, T0);
  t.deepEqual(view.changes(book)!.bids, levels('9.0:0', '8.0:0', '7.0:5', '6.0:1'));
});

test('K8: whatever happens to a book, a client of any depth that cuts by itself holds its best levels and the checksum', (t) => {
  const price = fc.integer({ min: 1, max: 40 }).map((ticks) => (ticks / 10 + 95).toFixed(1));
  const level = fc.tuple(
    price,
    fc.constantFrom('0.00000000', '1.00000000', '0.00000500', '2.50000000'),
  );
  const message = fc.record({
    bids: fc.array(level, { maxLength: 9 }),
    asks: fc.array(level, { maxLength: 9 }),
  });
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 40 }),
      fc.integer({ min: 10, max: 14 }),
      fc.constantFrom(12, Infinity),
      (messages, depth, recordedDepth) => {
        const book = new Book(recordedDepth);
        const view = new BookView(depth);
        const client = new KrakenBook(depth);
        // Asks live above 200 so that the sides cannot meet.
        const up = ([at, quantity]: Level): Level => [(Number(at) + 200).toFixed(1), quantity];
        book.apply(
          { snapshot: true, bids: [['95.0', '1.00000000']], asks: [['300.0', '1.00000000']] },
          T0,
        );
        view.hold(book);
        client.take(frame('snapshot', '95.0:1.00000000', '300.0:1.00000000', book.checksum));
        for (const { bids, asks } of messages) {
          book.apply({ snapshot: false, bids, asks: asks.map(up) }, T0);
          const changes = view.changes(book);
          if (
            changes &&
            !client.take(writeBook('update', 'X/Y', changes.bids, changes.asks, book.checksum, 't'))
          )
            return false;
        }
        const same = (
          held: readonly { price: string; qty: string }[],
          is: readonly { price: string; quantity: string }[],
        ) =>
          JSON.stringify(held.map(({ price: p, qty }) => [p, qty])) ===
          JSON.stringify(is.slice(0, depth).map(({ price: p, quantity }) => [p, quantity]));
        return same(client.bids, book.bids.entries) && same(client.asks, book.asks.entries);
      },
    ),
    { numRuns: 300 },
  );
  t.pass();
});

test('K9: the checksum counts ten levels a side, fewer where there are fewer, whatever the depth', (t) => {
  const book = new Book(Infinity);
  const levels = (text: string): Level[] =>
    text.split(' ').map((word) => word.split(':') as [string, string]);
  book.apply(
    { snapshot: true, bids: levels('0.5:0.00100000'), asks: levels('10.0:2.00000000') },
    T0,
  );
  t.is(book.checksum, crc32('100200000000' + '5100000'));
  t.is(new Book(10).checksum, 0, 'of an empty book: the CRC of nothing');
  book.apply(
    { snapshot: true, bids: levels(ladder(99.9, -0.1, 12)), asks: levels(ladder(100, 0.1, 12)) },
    T0,
  );
  const before = book.checksum;
  book.apply({ snapshot: false, bids: levels('98.8:9.00000000'), asks: [] }, T0);
  t.is(book.checksum, before, 'the twelfth level does not count');
  book.apply({ snapshot: false, bids: levels('99.0:9.00000000'), asks: [] }, T0);
  t.not(book.checksum, before, 'the tenth does');
});

test("K10: Kraken's published book has the published checksum", (t) => {
  const level = (price: string) => ({ price, quantity: '0.00000500', digits: '' });
  const asks = Array.from({ length: 10 }, (_, i) => level((0.05005 + i * 0.00005).toFixed(5)));
  const bids = [
    '0.05000',
    '0.04995',
    '0.04990',
    ...Array.from({ length: 7 }, (_, i) => (0.0498 - i * 0.00005).toFixed(5)),
  ].map(level);
  t.is(bookChecksum(bids, asks), 974947235);
});

test('K11: numbers are bare and keep every digit', (t) => {
  const harness = new Harness('BTC-USD');
  harness.record(
    'kraken/BTC-USD/book-25',
    frame('snapshot', '63381.0:0.00157000', '63382.0:12.00000000'),
  );
  const [, snapshot = ''] = harness.connect().subscribe('book', 'BTC/USD');
  t.true(snapshot.includes('{"price":63381.0,"qty":0.00157000}'));
  t.true(snapshot.includes('{"price":63382.0,"qty":12.00000000}'));
});

for (const name of ['btcusd', 'xrpusd']) {
  const [symbol, log, want] =
    name === 'btcusd'
      ? ['BTC/USD', 'kraken/BTC-USD/book-25', 2052]
      : ['XRP/USD', 'kraken/XRP-USD/book-25', 1147];
  test(`K9: real ${symbol} book: depth 25 passes byte for byte, depths 10 and 100 are derived, all ${want} checksums hold`, (t) => {
    const bytes = recordedBytes(t, `kraken/v2/book25-${name}-20260802.cbcap.gz`);
    if (!bytes) return;
    const harness = new Harness('BTC-USD', 'XRP-USD');
    const frames = capturedFrames(bytes).filter((one) => isBook(one.toString('latin1')));
    const clients = [10, 25, 100].map((depth) => ({
      depth,
      client: harness.connect(),
      book: new KrakenBook(depth),
    }));
    for (const { client, depth } of clients) client.subscribe('book', symbol as string, { depth });
    let late: { client: TestClient; book: KrakenBook }[] = [];
    for (const [i, one] of frames.entries()) {
      harness.record(log as string, one);
      for (const { client, book, depth } of clients) {
        const out = client.take();
        if (depth === 25) t.deepEqual(out, [one.toString('latin1')]);
        for (const text of out)
          if (!book.take(text)) t.fail(`checksum of frame ${i} at depth ${depth}`);
      }
      for (const { client, book } of late) {
        for (const text of client.take()) if (!book.take(text)) t.fail(`late client, frame ${i}`);
      }
      if (i % 500 === 100) {
        late = [
          ...late,
          ...[10, 25].map((depth) => {
            const client = harness.connect();
            const book = new KrakenBook(depth);
            const [, snapshot = ''] = client.subscribe('book', symbol as string, { depth });
            t.true(book.take(snapshot), 'the book now');
            return { client, book };
          }),
        ];
      }
    }
    const [ten, same, more] = clients;
    t.is(same!.book.valid, want as number);
    t.is(ten!.book.valid, ten!.book.messages);
    t.true(
      ten!.book.messages > 200 && ten!.book.messages < (want as number),
      `${ten!.book.messages} messages`,
    );
    t.is(more!.book.valid, more!.book.messages);
    for (const { book } of late) t.is(book.valid, book.messages);
    t.deepEqual(late.at(-1)!.book.bids, same!.book.bids);
    t.deepEqual(ten!.book.bids, same!.book.bids.slice(0, 10));
    t.deepEqual(more!.book.asks, same!.book.asks);
    t.log(
      `${symbol}: 25: ${same!.book.valid}/${want}, 10: ${ten!.book.valid}/${ten!.book.messages}, 100: ${more!.book.valid}/${more!.book.messages}`,
    );
  });
}

test('a snapshot that is recorded again is passed on; derived depths are told what it changed, if anything', (t) => {
  const harness = new Harness('BTC-USD');
  const log = 'kraken/BTC-USD/book-25';
  const [same, ten] = [harness.connect(), harness.connect()];
  same.subscribe('book', 'BTC/USD', { depth: 25 });
  ten.subscribe('book', 'BTC/USD', { depth: 10 });
  const first = frame('snapshot', ladder(99.9, -0.1, 25), ladder(100, 0.1, 25));
  const again = frame('snapshot', ladder(89.9, -0.1, 25), ladder(90, 0.1, 25));
  harness.record(log, first);
  harness.record(log, first);
  t.deepEqual(same.take(), [first, first]);
  const book = new KrakenBook(10);
  const [snapshot = '', ...more] = ten.take();
  t.true(book.take(snapshot));
  t.deepEqual(more, []);
  harness.record(log, again);
  t.deepEqual(same.take(), [again]);
  const [update = ''] = ten.take();
  t.is(typeOf(update), 'update');
  t.true(book.take(update));
  t.is(book.bids[0]!.price, '89.9');
  t.is(book.asks[0]!.price, '90.0');
});

test('a client that comes back after nobody looked holds the book now, and every level of it stays right', (t) => {
  const harness = new Harness('BTC-USD');
  const log = 'kraken/BTC-USD/book-25';
  harness.record(log, frame('snapshot', ladder(99.9, -0.1, 25), ladder(100, 0.1, 25)));
  const client = harness.connect();
  client.subscribe('book', 'BTC/USD');
  const params = { channel: 'book', symbol: ['BTC/USD'] };
  client.ask({ method: 'unsubscribe', params });
  harness.record(log, frame('update', '99.9:0.00000000 97.4:1.00000000', '100.0:9.00000000'));
  const book = new KrakenBook(10);
  const [, snapshot = ''] = client.ask({ method: 'subscribe', params });
  t.true(book.take(snapshot));
  harness.record(log, frame('update', '99.8:0.00000000 97.3:1.00000000', '99.9:1.00000000'));
  const [update = '', ...more] = client.take();
  t.true(book.take(update));
  t.deepEqual(more, []);
  t.deepEqual(
    parse(update)['data'],
    [
      {
        symbol: 'BTC/USD',
        bids: [
          { price: 99.8, qty: 0 },
          { price: 98.8, qty: 12 },
        ],
        asks: [{ price: 99.9, qty: 1 }],
        checksum: book.checksum(),
        timestamp: '2026-08-02T03:35:51.660084Z',
      },
    ],
    'what changed since the snapshot and no more',
  );
});

test('while history is read in nothing is sent; who waits gets the book of where it ended, then updates', (t) => {
  const harness = new Harness('BTC-USD');
  const log = 'kraken/BTC-USD/book-25';
  const client = harness.connect();
  client.subscribe('book', 'BTC/USD', { depth: 25 });
  harness.record(log, frame('snapshot', ladder(99.9, -0.1, 25), ladder(100, 0.1, 25)), {}, false);
  harness.record(log, frame('update', '99.9:3.00000000', ''), {}, false);
  t.deepEqual(client.take(), []);
  const update = frame('update', '99.9:4.00000000', '');
  harness.record(log, update);
  harness.record(log, update);
  const [snapshot = '', verbatim] = client.take();
  const book = new KrakenBook(25);
  t.true(book.take(snapshot));
  t.is(book.bids[0]!.qty, '4.00000000');
  t.is(verbatim, update);
});

test('an update that no snapshot came before is not sent', (t) => {
  const harness = new Harness('BTC-USD');
  const client = harness.connect();
  client.subscribe('book', 'BTC/USD', { depth: 25 });
  harness.record('kraken/BTC-USD/book-25', frame('update', '99.9:3.00000000', ''));
  t.deepEqual(client.take(), []);
});

// ---- another venue's logs

test("K9: a real Binance capture served as BTC/USDT: every message's checksum holds at depths 10, 25, 100, 500 and 1000", (t) => {
  const bytes = recordedBytes(t, 'binance/spot-btcusdt-20240808.hft.gz');
  if (!bytes) return;
  const harness = new Harness('BTC-USDT');
  const clients = [10, 25, 100, 500, 1000].map((depth) => ({
    depth,
    client: harness.connect(),
    book: new KrakenBook(depth),
  }));
  for (const { client, depth } of clients) client.subscribe('book', 'BTC/USDT', { depth });
  const trades = harness.connect();
  trades.subscribe('trade', 'BTC/USDT');
  let depths = 0;
  const ids: number[] = [];
  for (const { log, payload, timeUs } of hftRecords(bytes)) {
    harness.record(log, payload, { timeUs });
    if (log.endsWith('/depth')) depths++;
    for (const { client, book, depth } of clients) {
      for (const text of client.take())
        if (!book.take(text)) t.fail(`checksum at depth ${depth}: ${text}`);
    }
    for (const text of trades.take())
      for (const row of rowsOf(text)) ids.push(row['trade_id'] as number);
  }
  t.is(depths, 3452);
  t.is(ids.length, 9757);
  t.true(ids.every((id, i) => i === 0 || id === ids[i - 1]! + 1));
  for (const { book, depth } of clients) {
    t.true(book.messages > 1000);
    t.is(book.valid, book.messages, `depth ${depth}`);
    t.deepEqual(book.bids.slice(0, 10), clients[0]!.book.bids);
    t.regex(book.asks[0]!.price, /^\d{5}\.\d\d$/);
    t.regex(book.asks[0]!.qty, /^\d+\.\d{8}$/);
  }
  t.log(clients.map(({ book, depth }) => `${depth}: ${book.valid}/${book.messages}`).join(', '));
});

test("another venue's price with more digits widens all of them, with a snapshot", (t) => {
  const harness = new Harness('BTC-USDT');
  const client = harness.connect();
  client.subscribe('book', 'BTC/USDT');
  const log = 'binance/BTC-USDT/depth';
  const diff = (u: number, bids: string): string =>
    `{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":${u},"u":${u},"b":${bids},"a":[]}`;
  harness.record(log, diff(11, '[["60000.50000000","2.00000000"]]'));
  t.deepEqual(client.take(), [], 'changes wait for the snapshot');
  harness.record(
    log,
    '{"lastUpdateId":10,"bids":[["60000.10000000","1.00000000"]],"asks":[["60001.00000000","1.00000000"]]}',
  );
  harness.record(log, diff(12, '[["60000.12500000","2.00000000"]]'));
  const book = new KrakenBook(10);
  const frames = client.take();
  t.deepEqual(frames.map(typeOf), ['snapshot', 'update', 'snapshot']);
  for (const text of frames) t.true(book.take(text));
  t.deepEqual(
    book.bids.map(({ price }) => price),
    ['60000.500', '60000.125', '60000.100'],
  );
  t.like(harness.rest('/0/public/AssetPairs').result['XBTUSDT'], { pair_decimals: 3 });
});

// ---- ticker, trade, ohlc, instrument

test('K12: a ticker comes as a snapshot, then with every trade, or with every change of the best bid or ask', (t) => {
  const harness = new Harness('BTC-USD');
  harness.record(
    'kraken/BTC-USD/book-10',
    frame('snapshot', '99.9:1.00000000', '100.0:2.00000000'),
  );
  const at = (second: number): string => `2026-08-02T03:35:${second}.660084Z`;
  harness.record('kraken/BTC-USD/trade', trade(1, '100.0', '0.50000000', at(51)));
  const [byTrade, byQuote] = [harness.connect(), harness.connect()];
  const [, snapshot = ''] = byTrade.subscribe('ticker', 'BTC/USD');
  t.is(
    snapshot,
    '{"channel":"ticker","type":"snapshot","data":[{"symbol":"BTC/USD","bid":99.9,"bid_qty":1.00000000,"ask":100.0,' +
      '"ask_qty":2.00000000,"last":100.0,"volume":0.50000000,"vwap":100.0,"low":100.0,"high":100.0,"change":0.0,' +
      '"change_pct":0.00,"trades":1,"timestamp":"2026-08-02T03:35:51.660084Z"}]}',
  );
  t.is(byQuote.subscribe('ticker', 'BTC/USD', { event_trigger: 'bbo' }).length, 2);
  harness.record('kraken/BTC-USD/trade', trade(2, '99.0', '0.50000000', at(52), 'sell'));
  t.like(parse(byTrade.take()[0]!), {
    type: 'update',
    data: [{ last: 99, change: -1, change_pct: -1, low: 99, vwap: 99.5, volume: 1 }],
  });
  t.deepEqual(byQuote.take(), []);
  harness.record('kraken/BTC-USD/book-10', frame('update', '99.8:1.00000000', ''));
  t.deepEqual(byQuote.take(), [], 'the second best does not count');
  harness.record('kraken/BTC-USD/book-10', frame('update', '99.9:0.00000000', ''));
  t.like(parse(byQuote.take()[0]!), { data: [{ bid: 99.8 }] });
  t.deepEqual(byTrade.take(), []);
});

test('K13: trades pass untouched; a snapshot of the last fifty comes to those who ask for it', (t) => {
  const harness = new Harness('BTC-USD');
  const early = harness.connect();
  early.subscribe('trade', 'BTC/USD');
  for (let id = 1; id <= 60; id++) {
    const text = trade(
      id,
      '63388.7',
      '0.00157000',
      '2026-08-02T03:35:51.660084Z',
      id % 2 ? 'buy' : 'sell',
    );
    harness.record('kraken/BTC-USD/trade', text);
    t.deepEqual(early.take(), [text]);
  }
  const late = harness.connect();
  t.is(late.subscribe('trade', 'BTC/USD').length, 1, 'none by default');
  const [, snapshot = ''] = harness.connect().subscribe('trade', 'BTC/USD', { snapshot: true });
  const rows = rowsOf(snapshot);
  t.deepEqual(
    rows.map((row) => row['trade_id']),
    Array.from({ length: 50 }, (_, i) => i + 11),
  );
  t.true(
    snapshot.includes(
      '{"symbol":"BTC/USD","side":"sell","price":63388.7,"qty":0.00157000,"ord_type":"limit","trade_id":60,"timestamp":"2026-08-02T03:35:51.660084Z"}',
    ),
  );
});

test('K13: a recorded snapshot of old trades is not counted twice', (t) => {
  const harness = new Harness('BTC-USD');
  const text = trade(5, '100.0', '1.00000000', '2026-08-02T03:35:51.660084Z');
  harness.record('kraken/BTC-USD/trade', text);
  harness.record('kraken/BTC-USD/trade', text.replace('update', 'snapshot'));
  t.is((harness.rest('/0/public/Trades?pair=XBTUSD').result['XXBTZUSD'] as unknown[]).length, 1);
  harness.record('kraken/BTC-USD/trade', '', { mark: 'loop' });
  harness.record('kraken/BTC-USD/trade', text);
  t.is(
    (harness.rest('/0/public/Trades?pair=XBTUSD').result['XXBTZUSD'] as unknown[]).length,
    2,
    'after a loop it is a new trade',
  );
});

test('K14: candles come as a snapshot of those with trades, then with every trade', (t) => {
  const harness = new Harness('BTC-USD');
  const log = 'kraken/BTC-USD/trade';
  harness.record(log, trade(1, '100.0', '1.00000000', '2026-08-02T03:35:10.000001Z'));
  harness.record(log, trade(2, '102.0', '1.00000000', '2026-08-02T03:35:59.999999Z'));
  harness.record(log, trade(3, '101.0', '3.00000000', '2026-08-02T03:38:00.000000Z'));
  const client = harness.connect();
  const [, snapshot = ''] = client.subscribe('ohlc', 'BTC/USD', { interval: 1 });
  t.is(
    snapshot,
    '{"channel":"ohlc","type":"snapshot","timestamp":"2026-08-02T03:38:00.000000000Z","data":[' +
      '{"symbol":"BTC/USD","open":100.0,"high":102.0,"low":100.0,"close":102.0,"trades":2,"volume":2.00000000,"vwap":101.0,' +
      '"interval_begin":"2026-08-02T03:35:00.000000000Z","interval":1,"timestamp":"2026-08-02T03:36:00.000000Z"},' +
      '{"symbol":"BTC/USD","open":101.0,"high":101.0,"low":101.0,"close":101.0,"trades":1,"volume":3.00000000,"vwap":101.0,' +
      '"interval_begin":"2026-08-02T03:38:00.000000000Z","interval":1,"timestamp":"2026-08-02T03:39:00.000000Z"}]}',
  );
  harness.record(log, trade(4, '103.0', '1.00000000', '2026-08-02T03:38:01.000000Z'));
  const rows = rowsOf(client.take()[0]!);
  t.like(rows[0], { high: 103, trades: 2, volume: 4, vwap: 101.5 });
  for (const interval of [5, 15, 30, 60, 240, 1440, 10080, 21600]) {
    const [ack = '', first = ''] = client.subscribe('ohlc', 'BTC/USD', { interval });
    t.true(parse(ack)['success']);
    t.is(rowsOf(first)[0]!['trades'], 4, `${interval} minutes`);
  }
});

test('K14: one message of trades on both sides of a minute tells both candles', (t) => {
  const harness = new Harness('BTC-USD');
  const client = harness.connect();
  client.subscribe('ohlc', 'BTC/USD', { interval: 1 });
  const one = trade(1, '100.0', '1.00000000', '2026-08-02T03:35:59.999999Z');
  const two = trade(2, '101.0', '2.00000000', '2026-08-02T03:36:00.000000Z');
  harness.record('kraken/BTC-USD/trade', `${one.slice(0, -2)},${two.slice(two.indexOf('[') + 1)}`);
  const [update = ''] = client.take();
  t.deepEqual(
    rowsOf(update).map(({ close, volume }) => [close, volume]),
    [
      [100, 1],
      [101, 2],
    ],
  );
});

test('K14: weeks begin on Thursday, as the epoch did', (t) => {
  const harness = new Harness('BTC-USD');
  harness.record(
    'kraken/BTC-USD/trade',
    trade(1, '100.0', '1.00000000', '2026-08-02T03:35:10.000001Z'),
  );
  const [, snapshot = ''] = harness.connect().subscribe('ohlc', 'BTC/USD', { interval: 10080 });
  t.is(rowsOf(snapshot)[0]!['interval_begin'], '2026-07-30T00:00:00.000000000Z');
});

test('recorded ticker and ohlc channels pass untouched, and late subscribers get the newest as a snapshot', (t) => {
  const harness = new Harness('BTC-USD');
  const ticker =
    '{"channel":"ticker","type":"update","data":[{"symbol":"BTC/USD","bid":99.90,"bid_qty":1.0,"ask":100.0}]}';
  const candle = (begin: string, close: string): string =>
    `{"channel":"ohlc","type":"update","timestamp":"2026-08-02T03:38:00.000000000Z","data":[{"symbol":"BTC/USD","open":100.0,"high":103.0,` +
    `"low":100.0,"close":${close},"trades":2,"volume":2.00000000,"vwap":101.0,"interval_begin":"${begin}","interval":1,"timestamp":"x"}]}`;
  const client = harness.connect();
  client.subscribe('ticker', 'BTC/USD');
  client.subscribe('ohlc', 'BTC/USD', { interval: 1 });
  const [one, two] = [
    candle('2026-08-02T03:35:00.000000000Z', '101.0'),
    candle('2026-08-02T03:36:00.000000000Z', '102.0'),
  ];
  harness.record('kraken/BTC-USD/ticker', ticker);
  harness.record('kraken/BTC-USD/ohlc-1', one);
  harness.record('kraken/BTC-USD/ohlc-1', two);
  t.deepEqual(client.take(), [ticker, one, two]);
  harness.record(
    'kraken/BTC-USD/trade',
    trade(1, '102.0', '1.00000000', '2026-08-02T03:36:10.000001Z'),
  );
  t.deepEqual(client.take(), [], 'nothing is made up beside what was recorded');
  const late = harness.connect();
  t.is(late.subscribe('ticker', 'BTC/USD')[1], ticker.replace('update', 'snapshot'));
  t.deepEqual(
    rowsOf(late.subscribe('ohlc', 'BTC/USD', { interval: 1 })[1]!).map((row) => row['close']),
    [101, 102],
  );
});

test('K15: the instrument channel lists assets and pairs', (t) => {
  const client = new Harness('BTC-USD', 'DOGE-USD').connect();
  const [ack = '', snapshot = ''] = client.ask({
    method: 'subscribe',
    params: { channel: 'instrument' },
  });
  t.like(parse(ack), { success: true, result: { channel: 'instrument', snapshot: true } });
  t.deepEqual(
    rowsOf(snapshot, 'assets').map((asset) => asset['id']),
    ['BTC', 'USD', 'DOGE'],
  );
  t.like(rowsOf(snapshot, 'pairs')[0], {
    symbol: 'BTC/USD',
    base: 'BTC',
    quote: 'USD',
    status: 'online',
    qty_precision: 8,
    price_precision: 1,
    price_increment: 0.1,
    qty_increment: 1e-8,
    cost_precision: 5,
    cost_min: 0.5,
    marginable: false,
    has_index: true,
  });
  t.true(
    snapshot.includes('"price_precision":7') && snapshot.includes('"price_increment":0.0000001'),
  );
});

test('K16: private channels and orders are refused aloud', (t) => {
  const client = new Harness('BTC-USD').connect();
  for (const channel of ['level3', 'executions', 'balances']) {
    t.like(parse(client.subscribe(channel, 'BTC/USD')[0]!), {
      success: false,
      error: 'Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com',
    });
  }
  t.like(parse(client.ask({ method: 'add_order', params: {}, req_id: 4 })[0]!), {
    success: false,
    method: 'add_order',
    req_id: 4,
  });
});

test('K17: assets have modern names on v2, old ones on v1 and REST', (t) => {
  const names = (base: string, quote: string) =>
    [v2Symbol, wsName, altName, internalName].map((name) => name({ base, quote }));
  t.deepEqual(names('BTC', 'USD'), ['BTC/USD', 'XBT/USD', 'XBTUSD', 'XXBTZUSD']);
  t.deepEqual(names('DOGE', 'USD'), ['DOGE/USD', 'XDG/USD', 'XDGUSD', 'XDGUSD']);
  t.deepEqual(names('DOGE', 'BTC'), ['DOGE/BTC', 'XDG/XBT', 'XDGXBT', 'XXDGXXBT']);
  t.deepEqual(names('BTC', 'USDT'), ['BTC/USDT', 'XBT/USDT', 'XBTUSDT', 'XBTUSDT']);
  t.deepEqual(names('SOL', 'USD'), ['SOL/USD', 'SOL/USD', 'SOLUSD', 'SOLUSD']);
  t.deepEqual(pairOf('XBT/USD'), { base: 'BTC', quote: 'USD' });
  t.is(pairOf('../../etc'), undefined);
  const client = new Harness('BTC-USD').connect();
  t.is(
    parse(client.subscribe('trade', 'XBT/USD')[0]!)['error'],
    'Currency pair not supported XBT/USD',
    'v2 knows no old names',
  );
});

test('K17: internal names of the old pairs agree with a real AssetPairs answer', (t) => {
  const bytes = recordedBytes(t, 'kraken/v1/rest-assetpairs-20210417.cryptofeed.gz');
  if (!bytes) return;
  const text = bytes.toString('utf8');
  const { result } = JSON.parse(text.slice(text.indexOf('{"error"')).split('\n')[0]!) as {
    result: Record<string, { wsname?: string; altname: string }>;
  };
  let checked = 0;
  for (const [key, { wsname, altname }] of Object.entries(result)) {
    const pair = wsname === undefined ? undefined : pairOf(wsname);
    if (!pair || key.includes('.')) continue;
    t.deepEqual([internalName(pair), altName(pair), wsName(pair)], [key, altname, wsname!]);
    checked++;
  }
  t.true(checked > 200, `${checked} pairs`);
});

// ---- connections

test('WebSocket v2 is at /v2 behind any prefix; v1 has its place but is not there yet', (t) => {
  const harness = new Harness('BTC-USD');
  for (const url of ['/v2', '/v2/', '/v2?x=1', '/ws.kraken.com/v2'])
    t.notThrows(() => harness.connect(url), url);
  for (const url of ['/', '/v1', '/x', '/v22'])
    t.throws(() => harness.connect(url), { message: 'refused with 404' }, url);
});

// ---- REST

const filled = (): Harness => {
  const harness = new Harness('BTC-USD', 'BTC-USDT', 'DOGE-USD');
  harness.record(
    'kraken/BTC-USD/book-1000',
    frame('snapshot', ladder(99.9, -0.1, 600), ladder(100, 0.1, 600)),
  );
  for (let i = 1; i <= 30; i++) {
    const minute = String(i + (i > 10 ? 5 : 0)).padStart(2, '0');
    harness.record(
      'kraken/BTC-USD/trade',
      trade(i, `${100 + i}.0`, '0.50000000', `2026-08-02T03:${minute}:51.660084Z`),
    );
  }
  return harness;
};

test('R1: answers are HTTP 200 with error and result; errors name what is wrong; a nonce is ignored', (t) => {
  const harness = filled();
  t.deepEqual(harness.rest('/0/public/Depth?pair=NOPE').error, ['EQuery:Unknown asset pair']);
  t.is(harness.rest('/0/public/Depth?pair=NOPE').status, 200);
  t.deepEqual(harness.rest('/0/public/Depth').error, ['EGeneral:Invalid arguments']);
  t.deepEqual(harness.rest('/0/public/Nothing').error, ['EGeneral:Unknown method']);
  t.deepEqual(harness.rest('/0/private/Balance').error, ['EAPI:Invalid key']);
  t.is(harness.rest('/elsewhere').status, 404);
  const params = new URLSearchParams('pair=XBTUSD&nonce=17');
  const posted = harness.venue.rest({
    method: 'POST',
    path: '/0/public/Depth',
    params,
    headers: {},
  });
  t.like(JSON.parse(posted.body), { error: [] });
});

test('R2: a pair is found by any of its names; results are keyed by the internal one, or the display name when asked', (t) => {
  const harness = filled();
  for (const name of ['XXBTZUSD', 'XBTUSD', 'xbtusd', 'XBT/USD', 'BTC/USD']) {
    t.deepEqual(
      Object.keys(harness.rest(`/0/public/Depth?pair=${name}`).result),
      ['XXBTZUSD'],
      name,
    );
  }
  t.deepEqual(
    Object.keys(harness.rest('/0/public/Ticker?pair=XBTUSD,XDGUSD&assetVersion=1').result),
    ['BTC/USD', 'DOGE/USD'],
  );
});

test('R3: AssetPairs and Assets have the fields that clients read', (t) => {
  const harness = filled();
  const pairs = harness.rest('/0/public/AssetPairs').result;
  t.deepEqual(Object.keys(pairs), ['XXBTZUSD', 'XBTUSDT', 'XDGUSD']);
  t.like(pairs['XXBTZUSD'], {
    altname: 'XBTUSD',
    wsname: 'XBT/USD',
    base: 'XXBT',
    quote: 'ZUSD',
    pair_decimals: 1,
    lot_decimals: 8,
    cost_decimals: 5,
    tick_size: '0.1',
    ordermin: '0.00005',
    costmin: '0.5',
    leverage_buy: [],
    status: 'online',
  });
  t.deepEqual(Object.keys(harness.rest('/0/public/AssetPairs?pair=XBTUSDT').result), ['XBTUSDT']);
  const assets = harness.rest('/0/public/Assets').result;
  t.deepEqual(assets['XXBT'], {
    aclass: 'currency',
    altname: 'XBT',
    decimals: 10,
    display_decimals: 5,
    status: 'enabled',
  });
  t.deepEqual(Object.keys(assets), ['XXBT', 'ZUSD', 'USDT', 'XXDG']);
  t.deepEqual(Object.keys(harness.rest('/0/public/Assets?asset=XBT,ZUSD').result), [
    'XXBT',
    'ZUSD',
  ]);
  t.deepEqual(harness.rest('/0/public/Assets?asset=NOPE').error, ['EQuery:Unknown asset']);
});

test('R3: a real AssetPairs answer has no field of these pairs that ours lacks', (t) => {
  const bytes = recordedBytes(t, 'kraken/v1/rest-assetpairs-20210417.cryptofeed.gz');
  if (!bytes) return;
  const text = bytes.toString('utf8');
  const { result } = JSON.parse(text.slice(text.indexOf('{"error"')).split('\n')[0]!) as {
    result: Record<string, object>;
  };
  const ours = filled().rest('/0/public/AssetPairs').result;
  for (const [key, pair] of Object.entries(ours)) {
    for (const field of Object.keys(result[key]!))
      t.true(field in (pair as object), `${key}.${field}`);
  }
});

test('R4: Depth gives 100 levels, at most 500, prices of five decimals, volumes of three, whole seconds', (t) => {
  const harness = filled();
  const depth = (count: string) =>
    harness.rest(`/0/public/Depth?pair=XBTUSD${count}`).result['XXBTZUSD'] as {
      asks: unknown[][];
      bids: unknown[][];
    };
  t.is(depth('').asks.length, 100);
  t.is(depth('&count=9999').bids.length, 500);
  t.is(depth('&count=2').bids.length, 2);
  t.deepEqual(depth('').asks[0], [
    '100.00000',
    '1.000',
    Math.floor(parseTimeUs('2026-08-02T03:35:51.660084Z')! / 1e6),
  ]);
  t.deepEqual(harness.rest('/0/public/Depth?pair=XBTUSD&count=x').error, [
    'EGeneral:Invalid arguments',
  ]);
});

test('R5: Trades go on from `last`, in seconds or nanoseconds', (t) => {
  const harness = filled();
  const ask = (query: string) =>
    harness.rest(`/0/public/Trades?pair=XBTUSD${query}`).result as {
      XXBTZUSD: unknown[][];
      last: string;
    };
  const all = ask('');
  t.is(all.XXBTZUSD.length, 30);
  t.deepEqual(all.XXBTZUSD[0], [
    '101.00000',
    '0.50000000',
    parseTimeUs('2026-08-02T03:01:51.660084Z')! / 1e6,
    'b',
    'l',
    '',
    1,
  ]);
  t.regex(all.last, /^\d{19}$/);
  const page = ask('&since=0&count=12');
  t.deepEqual(
    page.XXBTZUSD.map((row) => row[6]),
    Array.from({ length: 12 }, (_, i) => i + 1),
  );
  t.is(ask(`&since=${page.last}`).XXBTZUSD[0]![6], 13);
  t.is(
    ask(`&since=${Math.floor(parseTimeUs('2026-08-02T03:05:51.000000Z')! / 1e6)}`).XXBTZUSD[0]![6],
    5,
  );
  t.deepEqual(ask(`&since=${all.last}`), { XXBTZUSD: [], last: all.last });
});

test('R6: OHLC fills empty minutes with the last close and says which candle was the last closed', (t) => {
  const harness = filled();
  const { XXBTZUSD: rows, last } = harness.rest('/0/public/OHLC?pair=XBTUSD').result as {
    XXBTZUSD: unknown[][];
    last: number;
  };
  t.is(rows.length, 35);
  const second = (minute: string) =>
    Math.floor(parseTimeUs(`2026-08-02T03:${minute}:00.000000Z`)! / 1e6);
  t.deepEqual(rows[0], [
    second('01'),
    '101.0',
    '101.0',
    '101.0',
    '101.0',
    '101.0',
    '0.50000000',
    1,
  ]);
  t.deepEqual(rows[10], [second('11'), '110.0', '110.0', '110.0', '110.0', '0.0', '0.00000000', 0]);
  t.is(last, second('34'));
  t.is(rows.at(-1)![0], second('35'));
  const later = harness.rest(`/0/public/OHLC?pair=XBTUSD&since=${second('33')}`).result[
    'XXBTZUSD'
  ] as unknown[][];
  t.deepEqual(
    later.map((row) => row[0]),
    [second('34'), second('35')],
  );
  t.deepEqual(harness.rest('/0/public/OHLC?pair=XBTUSD&interval=7').error, [
    'EGeneral:Invalid arguments',
  ]);
});

test('R6: OHLC gives at most 720 closed candles and the open one', (t) => {
  const harness = new Harness('BTC-USD');
  for (let i = 0; i < 1100; i++) {
    harness.record(
      'kraken/BTC-USD/trade',
      trade(i + 1, '100.0', '1.00000000', formatTimeUs(T0 + i * 60_000_000)),
    );
  }
  t.is((harness.rest('/0/public/OHLC?pair=XBTUSD').result['XXBTZUSD'] as unknown[]).length, 721);
});

test('R7: Ticker, Time, SystemStatus and Spread have their shapes', (t) => {
  const harness = filled();
  const ticker = harness.rest('/0/public/Ticker?pair=XBTUSD').result['XXBTZUSD'] as Record<
    string,
    unknown
  >;
  t.deepEqual(ticker, {
    a: ['100.00000', '1', '1.000'],
    b: ['99.90000', '1', '1.000'],
    c: ['130.00000', '0.50000000'],
    v: ['15.00000000', '15.00000000'],
    p: ['115.50000', '115.50000'],
    t: [30, 30],
    l: ['101.00000', '101.00000'],
    h: ['130.00000', '130.00000'],
    o: '101.00000',
  });
  t.is(Object.keys(harness.rest('/0/public/Ticker').result).length, 3);
  harness.nowUs = 1_591_502_873_000_000;
  t.deepEqual(harness.rest('/0/public/Time').result, {
    unixtime: 1591502873,
    rfc1123: 'Sun,  7 Jun 20 04:07:53 +0000',
  });
  t.deepEqual(harness.rest('/0/public/SystemStatus').result, {
    status: 'online',
    timestamp: '2020-06-07T04:07:53Z',
  });
  const spread = harness.rest('/0/public/Spread?pair=XBTUSD').result as {
    XXBTZUSD: unknown[][];
    last: number;
  };
  t.deepEqual(spread.XXBTZUSD, [[spread.last, '99.90000', '100.00000']]);
});

// ---- codec

test('a real frame read and written again is byte for byte the same', (t) => {
  const bytes = recordedBytes(t, 'kraken/v2/book25-xrpusd-20260802.cbcap.gz');
  if (!bytes) return;
  let count = 0;
  for (const one of capturedFrames(bytes)) {
    const [event] = read('book-25', one, 0);
    if (event?.kind !== 'book') continue;
    const time = formatTimeUs(event.timeUs);
    const text = writeBook(
      event.snapshot ? 'snapshot' : 'update',
      'XRP/USD',
      event.bids,
      event.asks,
      event.checksum!,
      time,
    );
    if (text !== one.toString('latin1')) t.is(text, one.toString('latin1'));
    t.is(eventTimeUs('book-25', one), event.timeUs);
    count++;
  }
  t.is(count, 1147);
});

test('a frame with blanks or other key order says the same', (t) => {
  const text = frame('update', '99.90:1.500', '100.0:0.00000000', 4294967295);
  const loose = text
    .replaceAll(':', ' : ')
    .replaceAll(',', ' , ')
    .replaceAll(/(\d\d) : (\d\d) : (\d\d)/g, '$1:$2:$3');
  t.not(loose, text);
  t.deepEqual(read('book-10', Buffer.from(loose), 0), read('book-10', Buffer.from(text), 0));
  const [event] = read('book-10', Buffer.from(loose), 0);
  t.like(event, {
    kind: 'book',
    bids: [['99.90', '1.500']],
    asks: [['100.0', '0.00000000']],
    checksum: 4294967295,
    depth: 10,
  });
  t.deepEqual(read('book-10', Buffer.from('{"channel":"heartbeat"}'), 0), []);
  t.deepEqual(read('book-10', Buffer.from('no json'), 0), []);
});

test('times to and from text are exact on any day', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_102_444_800_000_000 }), (timeUs) => {
      const text = formatTimeUs(timeUs);
      return (
        parseTimeUs(text) === timeUs &&
        text.startsWith(new Date(Math.floor(timeUs / 1000)).toISOString().slice(0, 23))
      );
    }),
  );
  t.is(parseTimeUs('2026-08-02T03:35:51.302928123Z'), parseTimeUs('2026-08-02T03:35:51.302928Z'));
  t.is(parseTimeUs('yesterday'), undefined);
  t.is(formatRfc1123(0), 'Thu,  1 Jan 70 00:00:00 +0000');
});
