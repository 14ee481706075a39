import test from 'ava';
import fc from './support/property.ts';
import { World, type FakeClient } from './support/binance-world.ts';
import { binance } from '../lib/exchange/binance/binance.ts';
import { parseUrl } from '../lib/exchange/binance/url.ts';
import { parseStream } from '../lib/exchange/binance/channel.ts';
import { exchanges, readers } from '../lib/exchange/registry.ts';

const START = Date.parse('2024-08-08T12:00:00Z') * 1000;
const ms = (us: number): number => Math.floor(us / 1000);
const TRADE = 'binance/BTC-USDT/trade';
const DEPTH = 'binance/BTC-USDT/depth';
const BOOK_TICKER = 'binance/BTC-USDT/bookTicker';
const AGG_TRADE = 'binance/BTC-USDT/aggTrade';
const logs = [TRADE, DEPTH, BOOK_TICKER];

type TradeOf = { id?: number; atUs?: number; price?: string; quantity?: string; maker?: boolean };
let lastId = 1000;
const trade = (world: World, of: TradeOf = {}): string => {
  const { id = ++lastId, atUs = world.nowUs, price = '61837.63', quantity = '0.02' } = of;
  lastId = id;
  return `{"e":"trade","E":${ms(atUs) + 1},"s":"BTCUSDT","t":${id},"p":"${price}000000","q":"${quantity}000000","T":${ms(atUs)},"m":${of.maker ?? false},"M":true}`;
};
type Levels = [string, string][];
const diff = (world: World, U: number, u: number, b: Levels, a: Levels): string =>
  `{"e":"depthUpdate","E":${ms(world.nowUs)},"s":"BTCUSDT","U":${U},"u":${u},"b":${JSON.stringify(b)},"a":${JSON.stringify(a)}}`;
const snapshot = (lastUpdateId: number, bids: Levels, asks: Levels): string =>
  JSON.stringify({ lastUpdateId, bids, asks });
const seeded = (): World => {
  const world = new World(START, { logs });
  world.record(
    DEPTH,
    snapshot(
      100,
      [
        ['99.00000000', '1.00000000'],
        ['98.00000000', '2.00000000'],
      ],
      [
        ['101.00000000', '3.00000000'],
        ['102.00000000', '4.00000000'],
      ],
    ),
  );
  return world;
};
const data = (client: FakeClient): Record<string, unknown>[] =>
  client.take().map((frame) => JSON.parse(frame) as Record<string, unknown>);

// Connections

test('B1: /ws/<stream> pushes the bare payload, several names joined by / all stream, percent-encoded or not', (t) => {
  const world = seeded();
  const one = world.dial('/ws/btcusdt@trade');
  const two = world.dial('/ws/btcusdt@trade/btcusdt@bookTicker');
  const encoded = world.dial('/ws/btcusdt%40trade%2Fbtcusdt%40bookTicker');
  const text = trade(world);
  const quote =
    '{"u":101,"s":"BTCUSDT","b":"99.00000000","B":"1.00000000","a":"101.00000000","A":"3.00000000"}';
  world.record(TRADE, text);
  world.record(BOOK_TICKER, quote);
  t.deepEqual(one.frames, [text]);
  t.deepEqual(two.frames, [text, quote]);
  t.deepEqual(encoded.frames, [text, quote]);
});

test('B2: /stream wraps as {"stream","data"} in that order; without streams it is valid and silent', (t) => {
  const world = seeded();
  const combined = world.dial('/stream?streams=btcusdt@trade/ethusdt@trade');
  const empty = world.dial('/stream?streams=');
  const none = world.dial('/stream');
  const text = trade(world);
  world.record(TRADE, text);
  t.deepEqual(combined.frames, [`{"stream":"btcusdt@trade","data":${text}}`]);
  t.deepEqual([...empty.frames, ...none.frames], []);
});

test('any URL that a real client dials is understood: prefixes, /ws/0, /stream/0, timeUnit in any case', (t) => {
  const cases: [string, ReturnType<typeof parseUrl>][] = [
    ['/ws', { combined: false, micro: false, streams: [] }],
    ['/ws/', { combined: false, micro: false, streams: [] }],
    ['/ws/0', { combined: false, micro: false, streams: ['0'] }],
    ['/ws/!miniTicker@arr', { combined: false, micro: false, streams: ['!miniTicker@arr'] }],
    ['/stream', { combined: true, micro: false, streams: [] }],
    ['/stream/0', { combined: true, micro: false, streams: [] }],
    ['/stream?timeUnit=microsecond', { combined: true, micro: true, streams: [] }],
    [
      '/stream?streams=a@trade/b@trade&timeUnit=MICROSECOND',
      { combined: true, micro: true, streams: ['a@trade', 'b@trade'] },
    ],
    ['/ws/a@trade?timeunit=Microsecond', { combined: false, micro: true, streams: ['a@trade'] }],
    ['/stream.binance.com/ws/0', { combined: false, micro: false, streams: ['0'] }],
    [
      '/stream.binance.com:9443/stream?streams=a@trade',
      { combined: true, micro: false, streams: ['a@trade'] },
    ],
    [
      '/stream?streams=a@kline_1d@+08:00',
      { combined: true, micro: false, streams: ['a@kline_1d@+08:00'] },
    ],
    ['/stream?streams=%zz', { combined: true, micro: false, streams: ['%zz'] }],
    ['/ws/%zz', { combined: false, micro: false, streams: ['%zz'] }],
    ['/', undefined],
    ['/v2', undefined],
    ['/websocket', undefined],
  ];
  for (const [url, want] of cases) t.deepEqual(parseUrl(url), want, url);
});

test('B8: names are lower case, and a name in another case is acknowledged and silent', (t) => {
  t.truthy(parseStream('btcusdt@trade'));
  for (const name of [
    'BTCUSDT@trade',
    'btcUSDT@trade',
    'btcusdt@Trade',
    'btcusdt@kline_1x',
    '0',
    '@trade',
    'btcusdt',
    'btcusdt@depth7',
    'btcusdt@kline_1m@25:00',
    'btcusdt@kline_1m@+25:00',
    '__proto__@trade/..',
  ]) {
    t.is(parseStream(name), undefined, name);
  }
});

// The session

test('B3: SUBSCRIBE is acknowledged with the id as it was written: number, big number, string, null', (t) => {
  const client = seeded().dial('/ws');
  const ids = [
    '1',
    '9223372036854775807',
    '-5',
    '"6f0a"',
    `"${'x'.repeat(36)}"`,
    'null',
    String(Date.UTC(2026, 1, 1)),
  ];
  for (const id of ids) {
    client.say(`{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":${id}}`);
    t.is(client.take()[0], `{"result":null,"id":${id}}`);
  }
});

test('B4: UNSUBSCRIBE stops the stream; LIST_SUBSCRIPTIONS names what is left', (t) => {
  const world = seeded();
  const client = world.dial('/ws/btcusdt@trade');
  client.say({ method: 'SUBSCRIBE', params: ['btcusdt@bookTicker', 'btcusdt@depth'], id: 1 });
  client.say({ method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 2 });
  client.say({ method: 'LIST_SUBSCRIPTIONS', id: 3 });
  t.deepEqual(client.take(), [
    '{"result":null,"id":1}',
    '{"result":null,"id":2}',
    '{"result":["btcusdt@bookTicker","btcusdt@depth"],"id":3}',
  ]);
  world.record(TRADE, trade(world));
  t.deepEqual(client.frames, []);
});

test('B4: a stream asked for twice comes once, and one UNSUBSCRIBE ends it', (t) => {
  const world = seeded();
  const client = world.dial('/ws/btcusdt@trade/btcusdt@trade');
  client.say({ method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 1 });
  client.take();
  world.record(TRADE, trade(world));
  t.is(client.take().length, 1);
  client.say({ method: 'UNSUBSCRIBE', params: ['btcusdt@trade'], id: 2 });
  client.take();
  world.record(TRADE, trade(world));
  t.is(client.take().length, 0);
});

test('B5: the property "combined" is false on /ws, true on /stream, and can be set; answers are never wrapped', (t) => {
  const world = seeded();
  const raw = world.dial('/ws/btcusdt@trade');
  const combined = world.dial('/stream');
  raw.say({ method: 'GET_PROPERTY', params: ['combined'], id: 1 });
  combined.say({ method: 'GET_PROPERTY', params: ['combined'], id: 1 });
  t.deepEqual(raw.take(), ['{"result":false,"id":1}']);
  t.deepEqual(combined.take(), ['{"result":true,"id":1}']);
  raw.say({ method: 'SET_PROPERTY', params: ['combined', true], id: 2 });
  t.deepEqual(raw.take(), ['{"result":null,"id":2}']);
  const text = trade(world);
  world.record(TRADE, text);
  t.deepEqual(raw.take(), [`{"stream":"btcusdt@trade","data":${text}}`]);
});

test('B6: what cannot be understood is answered with its code, and the connection lives on', (t) => {
  const client = seeded().dial('/ws');
  const cases: [string, number, RegExp, unknown][] = [
    ['{', 3, /^Invalid JSON/, null],
    ['', 3, /^Invalid JSON/, null],
    ['[]', 2, /^Invalid request/, null],
    ['null', 2, /^Invalid request/, null],
    ['{"id":1}', 2, /missing field `method`/, 1],
    ['{"method":"NOPE","id":"a"}', 2, /unknown variant `NOPE`, expected one of `SUBSCRIBE`/, 'a'],
    ['{"method":5,"id":1}', 2, /unknown variant/, 1],
    ['{"method":"SUBSCRIBE","params":"x","id":1}', 2, /params/, 1],
    ['{"method":"SUBSCRIBE","id":1}', 2, /params/, 1],
    ['{"method":"SUBSCRIBE","params":[1],"id":1}', 2, /params/, 1],
    [`{"method":"SUBSCRIBE","params":["${'x'.repeat(500)}"],"id":1}`, 2, /too long/, 1],
    ['{"method":"SUBSCRIBE","params":["a"],"id":1.5}', 2, /request ID/, null],
    ['{"method":"SUBSCRIBE","params":["a"],"id":9223372036854775808}', 2, /request ID/, null],
    [`{"method":"SUBSCRIBE","params":["a"],"id":"${'x'.repeat(37)}"}`, 2, /request ID/, null],
    ['{"method":"SUBSCRIBE","params":["a"],"id":{}}', 2, /request ID/, null],
    ['{"method":"GET_PROPERTY","params":["x"],"id":1}', 0, /Unknown property/, 1],
    ['{"method":"GET_PROPERTY","params":[],"id":1}', 2, /property name/, 1],
    ['{"method":"SET_PROPERTY","params":["combined","yes"],"id":1}', 1, /expected Boolean/, 1],
  ];
  for (const [text, code, message, id] of cases) {
    client.say(text);
    const answer = client.take();
    t.is(answer.length, 1, text);
    const { error, id: echoed } = JSON.parse(answer[0]!) as {
      error: { code: number; msg: string };
      id: unknown;
    };
    t.is(error.code, code, text);
    t.regex(error.msg, message, text);
    t.deepEqual(echoed, id, text);
  }
  client.say({ method: 'LIST_SUBSCRIPTIONS', id: 1 });
  t.deepEqual(client.take(), ['{"result":[],"id":1}']);
});

test('B6: no text at all makes a session throw', (t) => {
  const client = seeded().dial('/ws');
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.jsonValue().map((params) => JSON.stringify({ method: 'SUBSCRIBE', params, id: 1 })),
      ),
      (text) => {
        client.say(text);
        t.is(client.take().length, 1);
      },
    ),
  );
});

test('B7: a name that does not exist is acknowledged, and silent', (t) => {
  const world = seeded();
  const client = world.dial('/ws/0');
  client.say({ method: 'SUBSCRIBE', params: ['nopeusdt@trade', '../../etc@trade'], id: 1 });
  t.deepEqual(client.take(), ['{"result":null,"id":1}']);
  world.record(TRADE, trade(world));
  world.pass(3000);
  t.deepEqual(client.frames, []);
  t.is(client.joined.size, 0);
});

test('B23: strict mode cuts more than five messages a second and refuses stream 1025; else eight at once are fine', (t) => {
  const eight = (client: FakeClient): void => {
    for (let id = 0; id < 8; id++) client.say({ method: 'LIST_SUBSCRIPTIONS', id });
  };
  const relaxed = seeded().dial('/ws');
  eight(relaxed);
  t.is(relaxed.take().length, 8);
  t.is(relaxed.closed, undefined);
  const world = new World(START, { strict: true });
  const strict = world.dial('/ws');
  eight(strict);
  t.is(strict.take().length, 5);
  t.is(strict.closed?.code, 1008);
  const many = world.dial('/ws');
  many.say({ method: 'SUBSCRIBE', params: Array.from({ length: 1025 }, (_, i) => `a${i}`), id: 1 });
  t.regex(many.take()[0]!, /too many parameters/);
});

test('a client that hangs up leaves all its streams', (t) => {
  const client = seeded().dial('/ws/btcusdt@trade/btcusdt@depth');
  client.hangUp();
  t.is(client.joined.size, 0);
});

test('an unknown path is refused', (t) => {
  t.throws(() => seeded().dial('/v2'), { message: 'refused: 404' });
});

test('B22: pings every 20 s with a payload, patience of 60 s', (t) => {
  const { ping } = seeded().venue;
  t.is(ping.everyMs, 20_000);
  t.is(ping.deadlineMs, 60_000);
  t.true(ping.payload(1_723_161_255_208).length > 0);
});

// Streams of a log

test('B9, B16, B19: payloads of trade, bookTicker and depth@100ms go out untouched, unknown fields and blanks too', (t) => {
  const world = seeded();
  const client = world.dial('/ws/btcusdt@trade/btcusdt@bookTicker/btcusdt@depth@100ms');
  const texts: [string, string][] = [
    [TRADE, trade(world).replace('"M":true', '"M":true,"new":"ä"')],
    [TRADE, JSON.stringify(JSON.parse(trade(world)), null, 1).replaceAll('\n', '')],
    [BOOK_TICKER, '{"u":101,"s":"BTCUSDT","b":"99","B":"1","a":"101","A":"3"}'],
    [DEPTH, diff(world, 101, 105, [['99.50000000', '1.00000000']], [])],
  ];
  for (const [log, text] of texts) world.record(log, text);
  t.deepEqual(
    client.frames,
    texts.map(([, text]) => text),
  );
  t.is((world.get('/api/v3/trades?symbol=BTCUSDT').json as unknown[]).length, 2);
});

test('a payload that is not what its channel says goes out as it is and disturbs nothing', (t) => {
  const world = seeded();
  const client = world.dial('/ws/btcusdt@trade/btcusdt@depth@100ms');
  for (const text of ['{}', '[]', 'null', '"x"', '{"e":"trade","p":"NaN"}', 'garbage']) {
    world.record(TRADE, text);
    world.record(DEPTH, text);
  }
  t.is(client.take().length, 12);
  t.deepEqual(world.get('/api/v3/trades?symbol=BTCUSDT').json, []);
  t.like(world.get('/api/v3/depth?symbol=BTCUSDT').json, { lastUpdateId: 100 });
  world.record(TRADE, trade(world));
  t.is((world.get('/api/v3/trades?symbol=BTCUSDT').json as unknown[]).length, 1);
});

test('a snapshot record is never published', (t) => {
  const world = new World(START, { logs });
  const client = world.dial('/ws/btcusdt@depth@100ms/btcusdt@depth');
  world.record(DEPTH, snapshot(5, [], []));
  world.pass(2000);
  t.deepEqual(client.frames, []);
});

test('B21: timeUnit=microsecond makes every time 16 digits and leaves ids alone', (t) => {
  const world = seeded();
  const names = [
    'trade',
    'aggTrade',
    'bookTicker',
    'depth@100ms',
    'depth',
    'kline_1m',
    'ticker',
    'miniTicker',
    'avgPrice',
  ];
  const plain = world.dial(`/ws/${names.map((name) => `btcusdt@${name}`).join('/')}`);
  const micro = world.dial(
    `/ws/${names.map((name) => `btcusdt@${name}`).join('/')}?timeUnit=MICROSECOND`,
  );
  world.record(TRADE, trade(world, { id: 1234567890123 }));
  world.record(BOOK_TICKER, '{"u":1234567890123,"s":"BTCUSDT","b":"1","B":"1","a":"2","A":"1"}');
  world.record(DEPTH, diff(world, 101, 102, [['99.50000000', '1.00000000']], []));
  world.pass(4000);
  const kinds = new Set<string>();
  t.is(plain.frames.length, micro.frames.length);
  plain.frames.forEach((text, i) => {
    const wide = micro.frames[i]!;
    const kind = /"e":"(\w+)"/.exec(text)?.[1] ?? 'bookTicker';
    kinds.add(kind);
    const times =
      kind === 'kline'
        ? '"[EtT]"'
        : kind === '24hrTicker'
          ? '"[EOC]"'
          : kind === 'bookTicker'
            ? 'none'
            : '"[ET]"';
    t.is(wide.replaceAll(new RegExp(`(${times}:\\d{13})\\d{3}`, 'g'), '$1'), text);
    for (const [, digits] of wide.matchAll(new RegExp(`${times}:(\\d+)`, 'g')))
      t.is(digits!.length, 16);
  });
  t.deepEqual([...kinds].sort(), [
    '24hrMiniTicker',
    '24hrTicker',
    'aggTrade',
    'avgPrice',
    'bookTicker',
    'depthUpdate',
    'kline',
    'trade',
  ]);
  const kline = micro.frames.find((text) => text.includes('kline'))!;
  t.regex(kline, /"T":\d{13}999/);
});

test('B21: a log that was recorded in microseconds serves milliseconds, and microseconds untouched', (t) => {
  const world = seeded();
  const plain = world.dial('/ws/btcusdt@trade');
  const micro = world.dial('/ws/btcusdt@trade?timeUnit=microsecond');
  const text = `{"e":"trade","E":1723118400000123,"s":"BTCUSDT","t":7,"p":"1.00000000","q":"2.00000000","T":1723118400000100,"m":false,"M":true}`;
  world.record(TRADE, text);
  t.deepEqual(micro.frames, [text]);
  t.deepEqual(plain.frames, [
    text.replace('0123,', ',').replace('0100,', ',').replaceAll('172311840000,', '1723118400000,'),
  ]);
});

// aggTrade

test('B10: aggTrade from its log is untouched, and feeds candles where there is no trade log', (t) => {
  const world = new World(START, { logs: [AGG_TRADE] });
  const client = world.dial('/ws/btcusdt@aggTrade');
  const text = `{"e":"aggTrade","E":${ms(START)},"s":"BTCUSDT","a":665076760,"p":"58001.03000000","q":"0.08620500","f":745522877,"l":745522879,"T":${ms(START)},"m":true,"M":true}`;
  world.record(AGG_TRADE, text);
  t.deepEqual(client.frames, [text]);
  const [kline] = world.get('/api/v3/klines?symbol=BTCUSDT&interval=1m').json as unknown[][];
  t.is(kline![8], 3);
  t.like((world.get('/api/v3/aggTrades?symbol=BTCUSDT').json as object[])[0], {
    a: 665076760,
    f: 745522877,
    l: 745522879,
  });
});

test('B10: without a log aggTrade is derived: one taker, one price, one millisecond; ids contiguous, f..l covering', (t) => {
  const world = seeded();
  const client = world.dial('/ws/btcusdt@aggTrade');
  const put = (id: number, price: string, quantity: string, maker: boolean): void =>
    world.record(TRADE, trade(world, { id, price, quantity, maker }));
  put(1, '10.00', '0.10', true);
  put(2, '10.00', '0.20', true);
  put(3, '10.01', '0.30', true);
  put(4, '10.01', '0.40', false);
  world.nowUs += 1000;
  put(5, '10.01', '0.50', false);
  t.is(client.frames.length, 3);
  world.pass(200);
  const got = data(client);
  t.deepEqual(
    got.map(({ f, l }) => [f, l]),
    [
      [1, 2],
      [3, 3],
      [4, 4],
      [5, 5],
    ],
  );
  t.deepEqual(
    got.map(({ q }) => q),
    ['0.30000000', '0.30000000', '0.40000000', '0.50000000'],
  );
  t.deepEqual(
    got.map(({ a }, i) => (a as number) - i),
    [1, 1, 1, 1],
  );
  t.deepEqual(Object.keys(got[0]!), ['e', 'E', 's', 'a', 'p', 'q', 'f', 'l', 'T', 'm', 'M']);
});

test('B10: derived aggregates cover every trade once, with its quantity, whatever comes', (t) => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          gapUs: fc.constantFrom(0, 300, 1000, 5000, 200_000),
          price: fc.constantFrom('10.00', '10.01'),
          maker: fc.boolean(),
        }),
        { maxLength: 60 },
      ),
      (list) => {
        const world = seeded();
        const client = world.dial('/ws/btcusdt@aggTrade');
        list.forEach(({ gapUs, price, maker }, i) => {
          world.nowUs += gapUs;
          world.record(TRADE, trade(world, { id: 500 + i, price, maker, quantity: '0.01' }));
          if (gapUs > 100_000) world.pass(0);
        });
        world.pass(500);
        let next = 500;
        let id = 500;
        for (const { a, f, l, q } of data(client) as Record<string, number | string>[]) {
          t.is(f, next);
          t.is(a, id++);
          t.is(Number(q), (Number(l) - Number(f) + 1) / 100);
          next = Number(l) + 1;
        }
        t.is(next, 500 + list.length);
      },
    ),
    { numRuns: 50 },
  );
});

// Time streams

test('B11: klines come every 2 s (1s: every second), and each candle closes with exactly one x:true', (t) => {
  const world = seeded();
  const client = world.dial('/ws/btcusdt@kline_1m/btcusdt@kline_1s');
  for (let i = 0; i < 50; i++) {
    world.record(TRADE, trade(world, { id: 100 + i, price: `${100 + i}.00`, quantity: '1.00' }));
    world.pass(2500);
  }
  const all = data(client).map((event) => event as { E: number; k: Record<string, unknown> });
  const of = (name: string) => all.filter(({ k }) => k['i'] === name);
  for (const [name, us] of [
    ['1m', 60_000],
    ['1s', 1000],
  ] as const) {
    const closed = of(name).filter(({ k }) => k['x']);
    closed.forEach(({ k }, i) => {
      t.is(k['T'], (k['t'] as number) + us - 1);
      if (i > 0)
        t.is(k['t'], (closed[i - 1]!.k['t'] as number) + us, 'each closes once, none is left out');
    });
  }
  t.is(of('1m').filter(({ k }) => k['x']).length, 2);
  t.is(of('1s').filter(({ k }) => k['x']).length, 124);
  const open = of('1m').filter(({ k }) => !k['x']);
  t.true(open.length >= 60 && open.length <= 64, String(open.length));
  t.deepEqual(Object.keys(open[0]!.k), [
    't',
    'T',
    's',
    'i',
    'f',
    'L',
    'o',
    'c',
    'h',
    'l',
    'v',
    'n',
    'x',
    'q',
    'V',
    'Q',
    'B',
  ]);
  const first = of('1m').find(({ k }) => k['x'])!.k;
  t.like(first, {
    s: 'BTCUSDT',
    f: 100,
    L: 123,
    o: '100.00000000',
    c: '123.00000000',
    h: '123.00000000',
    l: '100.00000000',
    v: '24.00000000',
    n: 24,
    B: '0',
  });
});

test('B11: a kline log is published untouched and not derived as well', (t) => {
  const world = new World(START, { logs: [TRADE, 'binance/BTC-USDT/kline_1m'] });
  const client = world.dial('/ws/btcusdt@kline_1m');
  const text = `{"e":"kline","E":${ms(START)},"s":"BTCUSDT","k":{"t":${ms(START)},"T":${ms(START) + 59_999},"s":"BTCUSDT","i":"1m","f":1,"L":2,"o":"5.00000000","c":"6.00000000","h":"7.00000000","l":"4.00000000","v":"10.00000000","n":2,"x":true,"q":"55.00000000","V":"1.00000000","Q":"5.00000000","B":"0"}}`;
  world.record('binance/BTC-USDT/kline_1m', text);
  world.pass(5000);
  t.deepEqual(client.frames, [text]);
  t.deepEqual(world.get('/api/v3/klines?symbol=BTCUSDT&interval=1m').json, [
    [
      ms(START),
      '5.00000000',
      '7.00000000',
      '4.00000000',
      '6.00000000',
      '10.00000000',
      ms(START) + 59_999,
      '55.00000000',
      2,
      '1.00000000',
      '5.00000000',
      '0',
    ],
  ]);
});

test('B12: kline_1d@+08:00 has its bounds at midnight of that zone, in UTC times', (t) => {
  const world = seeded();
  const client = world.dial('/stream?streams=btcusdt@kline_1d@+08:00');
  world.record(TRADE, trade(world));
  world.pass(2000);
  const [{ data: payload }] = data(client) as [{ data: { k: { t: number; i: string } } }];
  t.is(payload.k.t, Date.parse('2024-08-07T16:00:00Z'));
  t.is(payload.k.i, '1d');
});

test('B13: ticker and miniTicker each second, with the fields of Binance in its order', (t) => {
  const world = seeded();
  world.pass(0);
  const client = world.dial('/ws/btcusdt@ticker');
  const mini = world.dial('/ws/btcusdt@miniTicker');
  world.record(TRADE, trade(world, { id: 1, price: '100.00', quantity: '1.00' }));
  world.record(TRADE, trade(world, { id: 2, price: '110.00', quantity: '3.00' }));
  world.record(
    BOOK_TICKER,
    '{"u":101,"s":"BTCUSDT","b":"99.00000000","B":"1.00000000","a":"101.00000000","A":"3.00000000"}',
  );
  world.pass(3000);
  const tickers = data(client);
  t.is(tickers.length, 3);
  t.deepEqual(Object.keys(tickers[0]!).join(), 'e,E,s,p,P,w,x,c,Q,b,B,a,A,o,h,l,v,q,O,C,F,L,n');
  t.like(tickers[2], {
    e: '24hrTicker',
    s: 'BTCUSDT',
    p: '10.00000000',
    P: '10.000',
    w: '107.50000000',
    c: '110.00000000',
    Q: '3.00000000',
    b: '99.00000000',
    A: '3.00000000',
    o: '100.00000000',
    v: '4.00000000',
    q: '430.00000000',
    F: 1,
    L: 2,
    n: 2,
  });
  const minis = data(mini);
  t.is(minis.length, 3);
  t.deepEqual(Object.keys(minis[0]!).join(), 'e,E,s,c,o,h,l,v,q');
});

test('B13: the ticker window is the last 24 hours, not the day', (t) => {
  const world = seeded();
  world.record(TRADE, trade(world, { price: '1.00' }));
  world.pass(23 * 3_600_000);
  world.record(TRADE, trade(world, { price: '2.00' }));
  const day = () => world.get('/api/v3/ticker/24hr?symbol=BTCUSDT').json as Record<string, unknown>;
  t.like(day(), { count: 2, openPrice: '1.00000000' });
  world.pass(2 * 3_600_000);
  t.like(day(), { count: 1, openPrice: '2.00000000', prevClosePrice: '1.00000000' });
});

test('B14: !miniTicker@arr has only symbols that changed; !ticker@arr is gone', (t) => {
  const world = new World(START);
  const client = world.dial('/ws/!miniTicker@arr');
  const legacy = world.dial('/ws/!ticker@arr');
  world.record(TRADE, trade(world));
  world.pass(1000);
  const eth = trade(world).replace('BTCUSDT', 'ETHUSDT');
  world.record('binance/ETH-USDT/trade', eth);
  world.pass(3000);
  t.deepEqual(
    client.take().map((frame) => (JSON.parse(frame) as { s: string }[]).map(({ s }) => s)),
    [['BTCUSDT'], ['ETHUSDT']],
  );
  t.deepEqual(legacy.frames, []);
});

test('B17: avgPrice each second: the volume-weighted price of five minutes', (t) => {
  const world = seeded();
  const client = world.dial('/ws/btcusdt@avgPrice');
  world.record(TRADE, trade(world, { price: '100.00', quantity: '1.00' }));
  world.record(TRADE, trade(world, { price: '110.00', quantity: '3.00' }));
  world.pass(1000);
  const [first] = data(client);
  t.deepEqual(Object.keys(first!), ['e', 'E', 's', 'i', 'w', 'T']);
  t.like(first, { e: 'avgPrice', s: 'BTCUSDT', i: '5m', w: '107.50000000', T: ms(START) });
});

// Book

test('B16: without a log bookTicker is derived from the book, only when the best changes', (t) => {
  const world = new World(START, { logs: [DEPTH] });
  const client = world.dial('/ws/btcusdt@bookTicker');
  world.record(
    DEPTH,
    snapshot(100, [['99.00000000', '1.00000000']], [['101.00000000', '3.00000000']]),
  );
  world.record(DEPTH, diff(world, 101, 103, [['99.50000000', '1.00000000']], []));
  world.record(DEPTH, diff(world, 104, 104, [['50.00000000', '1.00000000']], []));
  t.deepEqual(client.frames, [
    '{"u":103,"s":"BTCUSDT","b":"99.50000000","B":"1.00000000","a":"101.00000000","A":"3.00000000"}',
  ]);
});

test('B18: depth5 equals the book at its lastUpdateId, at 100 ms and at 1000 ms', (t) => {
  const world = seeded();
  const fast = world.dial('/ws/btcusdt@depth5@100ms');
  const slow = world.dial('/ws/btcusdt@depth5');
  world.record(
    DEPTH,
    diff(world, 101, 103, [['99.50000000', '1.00000000']], [['101.00000000', '0.00000000']]),
  );
  const want =
    '{"lastUpdateId":103,"bids":[["99.50000000","1.00000000"],["99.00000000","1.00000000"],["98.00000000","2.00000000"]],"asks":[["102.00000000","4.00000000"]]}';
  t.deepEqual(fast.take(), [want]);
  t.is(world.get('/api/v3/depth?symbol=BTCUSDT&limit=5').body, want);
  t.deepEqual(slow.frames, []);
  world.pass(1000);
  t.deepEqual(slow.take(), [want]);
  world.pass(5000);
  t.deepEqual(slow.take(), [], 'nothing changed, nothing is sent');
});

test('B19: the 1000 ms depth joins the diffs of a second: first U, last u, last quantities, contiguous', (t) => {
  const world = seeded();
  const client = world.dial('/ws/btcusdt@depth/btcusdt@depth@1000ms');
  world.record(
    DEPTH,
    diff(
      world,
      101,
      103,
      [
        ['99.00000000', '5.00000000'],
        ['97.00000000', '1.00000000'],
      ],
      [],
    ),
  );
  world.record(
    DEPTH,
    diff(world, 104, 104, [['99.00000000', '0.00000000']], [['101.00000000', '1.00000000']]),
  );
  world.pass(1000);
  world.record(DEPTH, diff(world, 105, 109, [], [['100.00000000', '1.00000000']]));
  world.pass(1000);
  const events = data(client);
  t.is(events.length, 4);
  t.deepEqual(events[0], events[1]);
  t.like(events[0], {
    e: 'depthUpdate',
    U: 101,
    u: 104,
    b: [
      ['99.00000000', '0.00000000'],
      ['97.00000000', '1.00000000'],
    ],
    a: [['101.00000000', '1.00000000']],
  });
  t.like(events[2], { U: 105, u: 109 });
});

test('diffs that stand before their snapshot are joined to it; those it holds already are left out', (t) => {
  const world = new World(START, { logs });
  world.record(DEPTH, diff(world, 90, 95, [['1.00000000', '1.00000000']], []));
  world.record(DEPTH, diff(world, 96, 105, [['99.00000000', '7.00000000']], []));
  t.like(world.get('/api/v3/depth?symbol=BTCUSDT').json, { lastUpdateId: 105 });
  world.record(
    DEPTH,
    snapshot(
      100,
      [
        ['99.00000000', '1.00000000'],
        ['98.00000000', '2.00000000'],
      ],
      [['101.00000000', '3.00000000']],
    ),
  );
  t.deepEqual(world.get('/api/v3/depth?symbol=BTCUSDT').json, {
    lastUpdateId: 105,
    bids: [
      ['99.00000000', '7.00000000'],
      ['98.00000000', '2.00000000'],
    ],
    asks: [['101.00000000', '3.00000000']],
  });
});

test('after a gap in the ids the book starts over and the next snapshot makes it whole', (t) => {
  const world = seeded();
  world.record(DEPTH, diff(world, 101, 101, [['99.10000000', '1.00000000']], []));
  world.record(DEPTH, diff(world, 200, 201, [['99.20000000', '1.00000000']], []));
  t.deepEqual(world.get('/api/v3/depth?symbol=BTCUSDT').json, {
    lastUpdateId: 201,
    bids: [['99.20000000', '1.00000000']],
    asks: [],
  });
  world.record(
    DEPTH,
    snapshot(200, [['90.00000000', '1.00000000']], [['110.00000000', '1.00000000']]),
  );
  world.record(DEPTH, diff(world, 202, 202, [], [['109.00000000', '1.00000000']]));
  t.like(world.get('/api/v3/depth?symbol=BTCUSDT').json, {
    lastUpdateId: 202,
    asks: [
      ['109.00000000', '1.00000000'],
      ['110.00000000', '1.00000000'],
    ],
  });
});

test('a recorded source that loops begins its book and its candles anew', (t) => {
  const world = seeded();
  world.record(DEPTH, diff(world, 101, 101, [['99.10000000', '1.00000000']], []));
  world.record(TRADE, trade(world, { id: 10, atUs: START, price: '5.00' }));
  world.pass(60_000);
  for (const log of [DEPTH, TRADE]) world.record(log, 'null', { mark: 'loop' });
  world.record(
    DEPTH,
    snapshot(100, [['70.00000000', '1.00000000']], [['71.00000000', '1.00000000']]),
  );
  world.record(DEPTH, diff(world, 101, 101, [['70.10000000', '1.00000000']], []));
  world.record(TRADE, trade(world, { id: 10, atUs: START, price: '5.00' }), { eventTimeUs: START });
  t.like(world.get('/api/v3/depth?symbol=BTCUSDT&limit=1').json, {
    lastUpdateId: 101,
    bids: [['70.10000000', '1.00000000']],
  });
  const klines = world.get('/api/v3/klines?symbol=BTCUSDT&interval=1m').json as unknown[][];
  t.deepEqual(
    klines.map(([open, , , , , , , , n]) => [open, n]),
    [[ms(START), 1]],
  );
});

// History and clocks

test('history fills books, candles and trades, and publishes nothing', (t) => {
  const world = new World(START + 86_400_000_000, { logs });
  const names = 'trade aggTrade bookTicker depth depth@100ms depth5@100ms kline_1m ticker'.split(
    ' ',
  );
  const client = world.dial(
    `/ws/${names.map((name) => `btcusdt@${name}`).join('/')}/!miniTicker@arr`,
  );
  const nowUs = world.nowUs;
  world.nowUs = START;
  const history: [string, string, number][] = [];
  history.push([
    DEPTH,
    snapshot(100, [['99.00000000', '1.00000000']], [['101.00000000', '3.00000000']]),
    START,
  ]);
  for (let i = 0; i < 5; i++) {
    world.nowUs = START + i * 60_000_000;
    history.push([TRADE, trade(world, { id: 50 + i }), world.nowUs]);
    history.push([
      DEPTH,
      diff(world, 101 + i, 101 + i, [['98.00000000', `${i}.00000000`]], []),
      world.nowUs,
    ]);
  }
  world.nowUs = nowUs;
  for (const [log, text] of history) {
    world.record(log, text, { live: false });
    world.pass(100);
  }
  t.deepEqual(client.frames, []);
  t.like(world.get('/api/v3/depth?symbol=BTCUSDT').json, { lastUpdateId: 105 });
  const klines = world.get('/api/v3/klines?symbol=BTCUSDT&interval=1m').json as unknown[][];
  t.deepEqual(
    klines.map(([open, , , , , , , , n]) => [open, n]).slice(0, 5),
    [0, 1, 2, 3, 4].map((i) => [ms(START) + i * 60_000, 1]),
  );
  world.record(DEPTH, diff(world, 106, 106, [['98.50000000', '1.00000000']], []));
  t.true(client.frames.length > 0);
});

test('after history without a live record the time streams begin by themselves', (t) => {
  const world = seeded();
  const client = world.dial('/ws/btcusdt@ticker');
  world.record(TRADE, trade(world), { live: false });
  world.pass(900);
  t.is(client.frames.length, 0);
  world.pass(2500);
  t.true(client.frames.length >= 1);
});

test('candles go by the exchange clock, also where the recorder ran a second behind it', (t) => {
  const world = new World(START, { logs });
  const at = (us: number, id: number): void => {
    world.pass((us - world.nowUs) / 1000);
    world.record(TRADE, trade(world, { id, atUs: us + 1_270_000 }));
  };
  at(START + 58_000_000, 1); // 59.27 s by the exchange
  at(START + 58_700_000, 2); // 59.97
  at(START + 58_800_000, 3); // 60.07: the next minute
  const klines = world.get('/api/v3/klines?symbol=BTCUSDT&interval=1m').json as unknown[][];
  t.deepEqual(
    klines.map(([, , , , , , , , n]) => n),
    [2, 1],
  );
});

// REST

test('BR1: ping, time and exchangeInfo with its filters, by symbol, symbols, permissions and status', (t) => {
  const world = seeded();
  t.is(world.get('/api/v3/ping').body, '{}');
  t.deepEqual(world.get('/api/v3/time').json, { serverTime: ms(START) });
  type Info = {
    rateLimits: object[];
    symbols: { symbol: string; filters: { filterType: string }[]; permissionSets: string[][] }[];
  };
  const info = (query = ''): Info => world.get(`/api/v3/exchangeInfo${query}`).json as Info;
  t.deepEqual(
    info().symbols.map(({ symbol }) => symbol),
    ['BTCUSDT', 'ETHUSDT'],
  );
  t.like(info().rateLimits[0], {
    rateLimitType: 'REQUEST_WEIGHT',
    interval: 'MINUTE',
    limit: 6000,
  });
  const [btc] = info('?symbol=BTCUSDT').symbols;
  t.like(btc, {
    status: 'TRADING',
    baseAsset: 'BTC',
    quoteAsset: 'USDT',
    isSpotTradingAllowed: true,
    permissionSets: [['SPOT']],
  });
  t.like(
    btc!.filters.find(({ filterType }) => filterType === 'PRICE_FILTER'),
    { tickSize: '0.01000000' },
  );
  t.like(
    btc!.filters.find(({ filterType }) => filterType === 'LOT_SIZE'),
    { stepSize: '0.00000001' },
  );
  t.is(info('?symbols=["BTCUSDT","ETHUSDT"]').symbols.length, 2);
  t.is(info('?permissions=MARGIN').symbols.length, 0);
  t.is(info('?permissions=["SPOT","MARGIN"]').symbols.length, 2);
  t.is(info('?symbolStatus=HALT').symbols.length, 0);
  t.deepEqual(info('?symbol=BTCUSDT&showPermissionSets=false').symbols[0]!.permissionSets, []);
});

test('BR2: depth is cut to its limit (100 unless told), clamped at 5000', (t) => {
  const world = new World(START, { logs });
  const levels = (from: number, sign: number): Levels =>
    Array.from({ length: 6000 }, (_, i) => [`${from + sign * i}.00000000`, '1.00000000']);
  world.record(DEPTH, snapshot(1, levels(10_000, -1), levels(10_001, 1)));
  const size = (query: string): number =>
    (world.get(`/api/v3/depth?symbol=BTCUSDT${query}`).json as { bids: unknown[] }).bids.length;
  t.is(size(''), 100);
  t.is(size('&limit=5'), 5);
  t.is(size('&limit=9999'), 5000);
});

test('BR3, BR4: trades, historicalTrades and aggTrades by id and time, ascending, limited', (t) => {
  const world = seeded();
  for (let i = 0; i < 1200; i++) {
    world.nowUs = START + i * 10_000;
    world.record(TRADE, trade(world, { id: 1000 + i, maker: i % 2 === 0 }));
  }
  world.pass(500);
  const rows = (path: string) => world.get(`/api/v3/${path}`).json as Record<string, number>[];
  const ids = (path: string, key = 'id') => rows(path).map((row) => row[key]);
  t.is(ids('trades?symbol=BTCUSDT').length, 500);
  t.is(ids('trades?symbol=BTCUSDT&limit=5000').length, 1000);
  t.deepEqual(ids('trades?symbol=BTCUSDT&limit=2'), [2198, 2199]);
  t.deepEqual(rows('trades?symbol=BTCUSDT&limit=1')[0] as unknown, {
    id: 2199,
    price: '61837.63000000',
    qty: '0.02000000',
    quoteQty: '1236.75260000',
    time: ms(START) + 11_990,
    isBuyerMaker: false,
    isBestMatch: true,
  });
  t.deepEqual(ids('historicalTrades?symbol=BTCUSDT&fromId=1005&limit=2'), [1005, 1006]);
  t.deepEqual(ids('historicalTrades?symbol=BTCUSDT&fromId=999&limit=1'), [1000]);
  t.deepEqual(ids('aggTrades?symbol=BTCUSDT&limit=2', 'l'), [2198, 2199]);
  const from = ms(START) + 100;
  t.deepEqual(
    ids(`aggTrades?symbol=BTCUSDT&startTime=${from}&endTime=${from + 20}`, 'f'),
    [1010, 1011, 1012],
  );
  t.is(
    ids(
      `aggTrades?symbol=BTCUSDT&startTime=${ms(START)}&endTime=${ms(START) + 3_600_000}&limit=1000`,
      'f',
    ).length,
    1000,
  );
  const [agg] = rows('aggTrades?symbol=BTCUSDT&limit=1');
  t.deepEqual(ids(`aggTrades?symbol=BTCUSDT&fromId=${agg!['a']}`, 'a'), [agg!['a']]);
  t.deepEqual(Object.keys(agg!), ['a', 'p', 'q', 'f', 'l', 'T', 'm', 'M']);
});

test('BR5: klines of every interval have 12 elements and end with the open one; startTime the oldest, endTime the newest', (t) => {
  const world = seeded();
  for (let i = 0; i < 10; i++) {
    world.record(TRADE, trade(world, { price: `${i + 1}.00`, quantity: '1.00' }));
    world.pass(60_000);
  }
  const opens = (query: string) =>
    (world.get(`/api/v3/klines?symbol=BTCUSDT&interval=1m${query}`).json as number[][]).map(
      ([open]) => (open! - ms(START)) / 60_000,
    );
  t.deepEqual(opens('&limit=2'), [8, 9]);
  t.deepEqual(opens(`&startTime=${ms(START) + 60_000}&limit=2`), [1, 2]);
  t.deepEqual(opens(`&endTime=${ms(START) + 300_000}&limit=2`), [4, 5]);
  t.deepEqual(
    opens(`&startTime=${START + 60_000_000}&limit=1`),
    [1],
    'microseconds are understood',
  );
  for (const name of '1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M'.split(' ')) {
    const rows = world.get(`/api/v3/uiKlines?symbol=BTCUSDT&interval=${name}`).json as unknown[][];
    t.true(rows.length > 0, name);
    t.is(rows.at(-1)!.length, 12);
  }
  const [zoned] = world.get('/api/v3/klines?symbol=BTCUSDT&interval=1d&timeZone=8')
    .json as number[][];
  t.is(zoned![0], Date.parse('2024-08-07T16:00:00Z'));
  const [day] = world.get('/api/v3/klines?symbol=BTCUSDT&interval=1d').json as unknown[][];
  t.deepEqual(day, [
    Date.parse('2024-08-08T00:00:00Z'),
    '1.00000000',
    '10.00000000',
    '1.00000000',
    '10.00000000',
    '10.00000000',
    Date.parse('2024-08-09T00:00:00Z') - 1,
    '55.00000000',
    10,
    '10.00000000',
    '55.00000000',
    '0',
  ]);
});

test('BR6: every ticker answers for one symbol with an object, for several or all with a list', (t) => {
  const world = seeded();
  world.record(TRADE, trade(world, { price: '100.00', quantity: '1.00', id: 7 }));
  world.record(TRADE, trade(world, { price: '110.00', quantity: '3.00', id: 8 }));
  const get = (path: string) => world.get(`/api/v3/${path}`).json as Record<string, unknown>;
  t.like(get('ticker/24hr?symbol=BTCUSDT'), {
    priceChange: '10.00000000',
    priceChangePercent: '10.000',
    weightedAvgPrice: '107.50000000',
    lastQty: '3.00000000',
    bidPrice: '99.00000000',
    firstId: 7,
    lastId: 8,
    count: 2,
  });
  t.is(Object.keys(get('ticker/24hr?symbol=BTCUSDT')).length, 21);
  t.is(Object.keys(get('ticker/24hr?symbol=BTCUSDT&type=MINI')).length, 12);
  t.is((get('ticker/24hr') as unknown as object[]).length, 2);
  t.is((get('ticker/24hr?symbols=["BTCUSDT"]') as unknown as object[]).length, 1);
  t.deepEqual(get('ticker/price?symbol=BTCUSDT'), { symbol: 'BTCUSDT', price: '110.00000000' });
  t.deepEqual(get('ticker/bookTicker?symbol=BTCUSDT'), {
    symbol: 'BTCUSDT',
    bidPrice: '99.00000000',
    bidQty: '1.00000000',
    askPrice: '101.00000000',
    askQty: '3.00000000',
  });
  t.like(get('ticker?symbol=BTCUSDT&windowSize=5m'), {
    lastPrice: '110.00000000',
    count: 2,
    volume: '4.00000000',
  });
  t.like(get('ticker?symbol=BTCUSDT&windowSize=7d'), { count: 2 });
  t.like(get('ticker/tradingDay?symbol=BTCUSDT'), {
    count: 2,
    openTime: Date.parse('2024-08-08T00:00:00Z'),
  });
  t.deepEqual(get('avgPrice?symbol=BTCUSDT'), {
    mins: 5,
    price: '107.50000000',
    closeTime: ms(START),
  });
  t.like(get('ticker/24hr?symbol=ETHUSDT'), { lastPrice: '0.00000000', firstId: -1, count: 0 });
});

test('BR7: errors are HTTP 400 with the code and text of Binance', (t) => {
  const world = seeded();
  const cases: [string, number, string | RegExp][] = [
    ['depth', -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."],
    ['depth?symbol=NOPE', -1121, 'Invalid symbol.'],
    ['depth?symbol=../../etc', -1100, /Illegal characters/],
    [
      'depth?symbol=btcusdt',
      -1100,
      /^Illegal characters found in parameter 'symbol'; legal range is/,
    ],
    ['depth?symbol=BTCUSDT&limit=x', -1100, /'limit'/],
    ['depth?symbol=BTCUSDT&limit=0', -1130, /'limit'/],
    ['klines?symbol=BTCUSDT&interval=2m', -1120, 'Invalid interval.'],
    ['klines?symbol=BTCUSDT&interval=constructor', -1120, 'Invalid interval.'],
    ['klines?symbol=BTCUSDT', -1102, /'interval'/],
    ['klines?symbol=BTCUSDT&interval=1m&timeZone=99', -1130, /timeZone/],
    ['aggTrades?symbol=BTCUSDT&fromId=1&startTime=1', -1128, /Combination/],
    ['ticker/24hr?symbol=BTCUSDT&symbols=["BTCUSDT"]', -1128, /Combination/],
    ['ticker/24hr?symbols=BTCUSDT', -1100, /'symbols'/],
    ['ticker/24hr?symbols=["NOPE"]', -1121, 'Invalid symbol.'],
    ['ticker?windowSize=1d', -1102, /'symbol'/],
    ['ticker?symbol=BTCUSDT&windowSize=8d', -1100, /windowSize/],
  ];
  for (const [path, code, message] of cases) {
    const answer = world.get(`/api/v3/${path}`);
    t.is(answer.status, 400, path);
    const { code: got, msg } = answer.json as { code: number; msg: string };
    t.is(got, code, path);
    if (typeof message === 'string') t.is(msg, message, path);
    else t.regex(msg, message, path);
  }
  for (const path of ['/api/v1/ping', '/', '/api/v3/constructor', '/__proto__'])
    t.is(world.get(path).status, 404);
});

test('BR7: strict mode answers 429 with Retry-After once the weight of the minute is used, others go on', (t) => {
  for (const strict of [true, false]) {
    const world = new World(START, { strict });
    let last = world.get('/api/v3/ping');
    for (let i = 0; i < 301; i++) last = world.get('/api/v3/exchangeInfo');
    t.is(last.status, strict ? 429 : 200);
    if (strict) t.is(last.headers?.['retry-after'], '60');
    world.pass(60_000);
    t.is(world.get('/api/v3/ping').status, 200);
  }
});

test('BR8: every answer tells the weight used in this minute; X-MBX-TIME-UNIT gives microseconds', (t) => {
  const world = seeded();
  world.get('/api/v3/exchangeInfo');
  const answer = world.get('/api/v3/ping');
  t.is(answer.headers?.['x-mbx-used-weight'], '21');
  t.is(answer.headers?.['x-mbx-used-weight-1m'], '21');
  t.truthy(world.get('/api/v3/nope').headers?.['x-mbx-used-weight']);
  world.pass(60_000);
  t.is(world.get('/api/v3/ping').headers?.['x-mbx-used-weight-1m'], '1');
  const micro = world.get('/api/v3/time', { 'x-mbx-time-unit': 'MICROSECOND' }).json as {
    serverTime: number;
  };
  t.is(micro.serverTime, world.nowUs);
});

test('BR9, BR10: futures lists are empty, the system is normal, retired paths are gone', (t) => {
  const world = seeded();
  for (const path of ['/fapi/v1/exchangeInfo', '/dapi/v1/exchangeInfo'])
    t.like(world.get(path).json, { symbols: [], timezone: 'UTC' });
  t.deepEqual(world.get('/sapi/v1/system/status').json, { status: 0, msg: 'normal' });
  t.is(world.get('/api/v1/depth?symbol=BTCUSDT').status, 404);
});

// Another venue's log

const kraken = (change: object): string => JSON.stringify(change);
const foreign = (instrument = 'BTC-USD'): World =>
  new World(START, {
    instruments: [instrument],
    readers: {
      kraken: (_channel, payload) =>
        JSON.parse(payload.toString()) as ReturnType<typeof binance.read>,
    },
  });
const change = (snapshotIs: boolean, bids: Levels, asks: Levels, timeUs = START): string =>
  kraken([
    { kind: 'book', timeUs, snapshot: snapshotIs, firstId: 0, lastId: 0, bids, asks, depth: 3 },
  ]);

test("another venue's trades come as Binance's: its symbol, 8 decimals, contiguous ids, candles and tickers too", (t) => {
  const world = foreign();
  const client = world.dial('/ws/btcusd@trade/btcusd@aggTrade/btcusd@kline_1m');
  for (const id of ['77', '90', 'x']) {
    world.record(
      'kraken/BTC-USD/trade',
      kraken([
        { kind: 'trade', timeUs: START, id, price: '63388.7', quantity: '0.5e-4', taker: 'sell' },
      ]),
    );
  }
  t.is(
    client.frames[0],
    `{"e":"trade","E":${ms(START)},"s":"BTCUSD","t":77,"p":"63388.70000000","q":"0.00005000","T":${ms(START)},"m":true,"M":true}`,
  );
  world.pass(2000);
  t.deepEqual(
    client.having('"trade"').map(({ t: id }) => id),
    [77, 78, 79],
  );
  t.like(client.having('aggTrade')[0], { f: 77, l: 79, q: '0.00015000' });
  t.true(client.having('kline').length > 0);
  t.like(world.get('/api/v3/ticker/24hr?symbol=BTCUSD').json, {
    lastPrice: '63388.70000000',
    count: 3,
  });
});

test("another venue's book comes with contiguous ids, says what dropped out of its depth, and agrees with REST at any time", (t) => {
  const world = foreign();
  const client = world.dial('/ws/btcusd@depth@100ms');
  const book = new Map<string, string>();
  let id = -1;
  const follow = (): void => {
    for (const event of data(client) as { U: number; u: number; b: Levels; a: Levels }[]) {
      t.true(event.u >= event.U);
      if (id >= 0) t.is(event.U, id + 1);
      id = event.u;
      for (const [side, levels] of [
        ['b', event.b],
        ['a', event.a],
      ] as const) {
        for (const [price, quantity] of levels) {
          if (/^0\.0*$/.test(quantity)) book.delete(side + price);
          else book.set(side + price, quantity);
        }
      }
    }
  };
  const agrees = (): void => {
    const rest = world.get('/api/v3/depth?symbol=BTCUSD').json as {
      lastUpdateId: number;
      bids: Levels;
      asks: Levels;
    };
    follow();
    t.is(rest.lastUpdateId, id, 'the snapshot ends where the stream ends');
    const mine = [
      ...rest.bids.map(([p, q]) => `b${p} ${q}`),
      ...rest.asks.map(([p, q]) => `a${p} ${q}`),
    ];
    t.deepEqual(mine.sort(), [...book].map(([p, q]) => `${p} ${q}`).sort());
  };
  world.record(
    'kraken/BTC-USD/book-25',
    change(
      true,
      [
        ['10.0', '1'],
        ['9.0', '2'],
        ['8.0', '3'],
      ],
      [['11.0', '1']],
    ),
  );
  agrees();
  world.record('kraken/BTC-USD/book-25', change(false, [['9.5', '5']], []));
  world.record(
    'kraken/BTC-USD/book-25',
    change(
      false,
      [
        ['9.5', '0.00000000'],
        ['8.0', '3.5'],
      ],
      [['12.0', '4']],
    ),
  );
  agrees();
  world.pass(100);
  world.record('kraken/BTC-USD/book-25', change(true, [['7.0', '1']], [['11.0', '1']]));
  world.pass(100);
  agrees();
  t.deepEqual(
    [...book],
    [
      ['a11.00000000', '1.00000000'],
      ['b7.00000000', '1.00000000'],
    ],
  );
});

test("another venue's book gives a bookTicker with each change of the best, and partial books", (t) => {
  const world = foreign();
  const client = world.dial('/ws/btcusd@bookTicker/btcusd@depth5@100ms');
  world.record('kraken/BTC-USD/book-25', change(true, [['10.0', '1']], [['11.0', '1']]));
  world.record('kraken/BTC-USD/book-25', change(false, [['9.0', '1']], []));
  world.record('kraken/BTC-USD/book-25', change(false, [['10.5', '1']], []));
  world.pass(100);
  const events = data(client);
  t.deepEqual(
    events.filter(({ s }) => s).map(({ b }) => b),
    ['10.00000000', '10.50000000'],
  );
  t.deepEqual(events.at(-1)?.['bids'], [
    ['10.50000000', '1.00000000'],
    ['10.00000000', '1.00000000'],
    ['9.00000000', '1.00000000'],
  ]);
});

test('a log of a venue that cannot be read, and an instrument that is not served, are ignored', (t) => {
  const world = seeded();
  world.record('nowhere/BTC-USDT/trade', trade(world));
  world.record('binance/XXX-USDT/trade', trade(world));
  t.deepEqual(world.get('/api/v3/trades?symbol=BTCUSDT').json, []);
});

// Names and reading

test('the registry names Binance, its symbols and its channels', (t) => {
  t.is(exchanges['binance'], binance);
  t.is(binance.symbol({ base: 'BTC', quote: 'USDT' }), 'BTCUSDT');
  t.deepEqual(binance.instrument('btcusdt'), { base: 'BTC', quote: 'USDT' });
  t.deepEqual(binance.instrument('ETHBTC'), { base: 'ETH', quote: 'BTC' });
  t.deepEqual(binance.instrument('BTCFDUSD'), { base: 'BTC', quote: 'FDUSD' });
  for (const bad of ['', 'USDT', 'XYZ', '../../etc', 'BTC/USDT'])
    t.is(binance.instrument(bad), undefined, bad);
  for (const channel of ['trade', 'aggTrade', 'bookTicker', 'depth', 'kline_1m', 'kline_1M'])
    t.true(binance.isChannel(channel));
  for (const channel of ['kline_7m', 'kline_', 'ticker', 'depth@100ms', ''])
    t.false(binance.isChannel(channel));
});

test('every channel can be read as canonical events, in milliseconds and microseconds; nonsense reads as nothing', (t) => {
  const world = seeded();
  const read = readers()['binance']!;
  t.deepEqual(read('trade', Buffer.from(trade(world, { id: 5, maker: true })), 0), [
    {
      kind: 'trade',
      timeUs: START,
      id: '5',
      price: '61837.63000000',
      quantity: '0.02000000',
      taker: 'sell',
    },
  ]);
  t.like(
    read(
      'trade',
      Buffer.from(`{ "T": 1723118400000123, "m": false, "q": "1", "p": "2", "t": 6 }`),
      0,
    )[0],
    { timeUs: 1723118400000123, id: '6', price: '2', taker: 'buy' },
  );
  t.like(read('depth', Buffer.from(diff(world, 1, 2, [['1', '2']], [])), 0)[0], {
    kind: 'book',
    snapshot: false,
    firstId: 1,
    lastId: 2,
    timeUs: START,
    bids: [['1', '2']],
  });
  t.like(read('depth', Buffer.from(snapshot(9, [], [])), 77)[0], {
    snapshot: true,
    lastId: 9,
    timeUs: 77,
  });
  t.like(read('bookTicker', Buffer.from('{"u":4,"s":"X","b":"1","B":"2","a":"3","A":"4"}'), 5)[0], {
    kind: 'quote',
    id: 4,
    bid: '1',
    askQuantity: '4',
    timeUs: 5,
  });
  for (const channel of ['trade', 'aggTrade', 'depth', 'kline_1m', 'bookTicker', 'other']) {
    t.notThrows(() => read(channel, Buffer.from('nonsense'), 0));
    t.deepEqual(read(channel, Buffer.from('nonsense'), 0), []);
  }
});

test('the event time is found without a parse, in either unit', (t) => {
  const world = seeded();
  t.is(binance.eventTimeUs('trade', Buffer.from(trade(world))), START + 1000);
  t.is(
    binance.eventTimeUs('trade', Buffer.from('{"e":"trade","E":1723118400000123,"s":"X"}')),
    1723118400000123,
  );
  t.is(binance.eventTimeUs('bookTicker', Buffer.from('{"u":1,"s":"BTCUSDT"}')), undefined);
  t.is(binance.eventTimeUs('depth', Buffer.from(snapshot(1, [], []))), undefined);
  t.is(binance.eventTimeUs('trade', Buffer.from('{"e":"trade","E":12}')), undefined);
});

test('a depth diff reads the same whether it can be scanned or has to be parsed', (t) => {
  const read = readers()['binance']!;
  const levels = fc.array(
    fc
      .tuple(fc.integer({ min: 1, max: 99_999 }), fc.integer({ min: 0, max: 999 }))
      .map(([price, quantity]): [string, string] => [`${price}.00000000`, `${quantity}.00000000`]),
    { maxLength: 5 },
  );
  fc.assert(
    fc.property(levels, levels, (b, a) => {
      const event = { e: 'depthUpdate', E: ms(START), s: 'BTCUSDT', U: 5, u: 9, b, a };
      const want = {
        kind: 'book',
        timeUs: START,
        snapshot: false,
        firstId: 5,
        lastId: 9,
        bids: b,
        asks: a,
      };
      const { a: asks, ...rest } = event;
      for (const text of [
        JSON.stringify(event),
        JSON.stringify(event, null, 1),
        JSON.stringify({ a: asks, ...rest }),
      ]) {
        t.deepEqual(read('depth', Buffer.from(text), 0), [want]);
      }
    }),
  );
  for (const bad of ['"b":[["1","2"]', '"b":[["1"]],"a":[]', '"b":[1],"a":[]']) {
    t.notThrows(() =>
      read('depth', Buffer.from(`{"e":"depthUpdate","E":1,"s":"X","U":1,"u":2,${bad}}`), 0),
    );
  }
});
