/**
 * What is scanned byte by byte says what a parser says, of real messages and of damaged ones: a message is read right,
 * or refused, never misread.
 */
import test, { type ExecutionContext } from 'ava';
import fc from './support/property.ts';
import { Cursor } from '../lib/exchange/binance/cursor.ts';
import { DepthScan } from '../lib/exchange/binance/depth-scan.ts';
import { readAggTrade, readDepth, readQuote, readTrade } from '../lib/exchange/binance/read.ts';
import { TradeScan } from '../lib/exchange/binance/trade-scan.ts';
import { readBook } from '../lib/exchange/kraken/read.ts';
import { FeedRecord } from '../lib/feed/record.ts';
import { writeLine, lineEventTimeUs, lineTimeUs } from '../lib/log/line.ts';
import { logName } from '../lib/log/name.ts';
import { LevelList } from '../lib/market/level-list.ts';
import { recordViewer } from '../lib/publisher/view.ts';
import { copyWords } from '../lib/world/bytes.ts';
import { World } from './support/binance-world.ts';
import { recorded } from './support/data.ts';
import { cryptofeed, hft } from './support/captures.ts';

const START = Date.parse('2024-08-08T12:00:00Z') * 1000;

// Damage

type Edit = {
  how: 'set' | 'cut' | 'put' | 'twice' | 'end';
  at: number;
  byte: number;
  length: number;
};
const edits = fc.array(
  fc.record({
    how: fc.constantFrom('set', 'set', 'cut', 'put', 'put', 'twice', 'end'),
    at: fc.nat({ max: 1_000_000 }),
    // Mostly bytes that mean something here.
    byte: fc.oneof(
      fc.constantFrom(...Buffer.from('0123456789.,:"[]{}\\-+eE truefalsTmMab\n')),
      fc.nat({ max: 255 }),
    ),
    length: fc.integer({ min: 1, max: 12 }),
  }) as fc.Arbitrary<Edit>,
  { minLength: 1, maxLength: 3 },
);

function damaged(text: Buffer, how: readonly Edit[]): Buffer {
  let made = Buffer.from(text);
  for (const edit of how) {
    const at = edit.at % (made.length + 1);
    const [head, tail] = [made.subarray(0, at), made.subarray(at)];
    const byte = Buffer.from([edit.byte]);
    if (edit.how === 'set') made = Buffer.concat([head, byte, tail.subarray(1)]);
    else if (edit.how === 'cut') made = Buffer.concat([head, tail.subarray(edit.length)]);
    else if (edit.how === 'put') made = Buffer.concat([head, byte, tail]);
    else if (edit.how === 'twice')
      made = Buffer.concat([head, tail.subarray(0, edit.length), tail]);
    else made = Buffer.from(head);
  }
  return made;
}

/** In the midst of bytes that would read on as part of it. */
function within(bytes: Buffer): { bytes: Buffer; start: number; end: number } {
  const start = 3;
  const tail = Buffer.from('0.00000000","1.00000000"]],"a":[]}},"T":1723161255342,"m":true}');
  const all = Buffer.concat([Buffer.from('{"d'), bytes, tail]);
  return { bytes: all, start, end: start + bytes.length };
}

/** Throws where they differ, so that the smallest case is looked for. */
function same(found: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((text, i) => text !== found[i]);
  if (at >= 0) throw new Error(`${found[at]} is not ${expected[at]}`);
  if (found.length !== expected.length) throw new Error(`more came: ${found[expected.length]}`);
}

type Fields = Record<string, unknown>;
function parsed(bytes: Buffer): Fields | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('latin1'));
    return value !== null && typeof value === 'object' ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
const timeUs = (time: unknown): number => (Number(time) > 1e14 ? 1 : 1000) * Number(time);
const scaled = (text: unknown): number => {
  const [whole = '', rest = ''] = String(text).split('.');
  return Number(BigInt(whole + rest.padEnd(8, '0')));
};

// Messages

const trades = [
  '{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3719263321,"p":"61837.63000000","q":"0.00088000","b":88,"a":50,"T":1723161255342,"m":true,"M":true}',
  '{"e":"trade","E":1723161255343,"s":"1000SATSUSDT","t":18446744073709551615,"p":"0.00002100","q":"123456789.02000000","T":1723161255342123,"m":false,"M":true}',
  '{"e":"trade","E":1723161255343123,"s":"币安人生USDT","t":7,"p":"90071989.99999999","q":"0.00000000","T":1723161255342123,"m":false}',
];
const aggTrades = [
  '{"e":"aggTrade","E":1704067200001,"s":"BTCUSDT","a":9,"p":"42000.10000000","q":"0.50000000","f":100,"l":102,"T":1704067200001,"m":true,"M":true}',
  '{"e":"aggTrade","E":1704067200001,"s":"ETHUSDT","a":900719925474099,"p":"42000.1","q":"0.50000000","f":99,"l":102,"T":1704067200001123,"m":false,"M":true}',
];
const depths = [
  '{"e":"depthUpdate","E":1723161255300,"s":"BTCUSDT","U":49936,"u":49940,"b":[["61837.62000000","1.00000000"],["0.00000001","0.00000000"]],"a":[["90071989.99999999","12345678.00000001"]]}',
  '{"e":"depthUpdate","E":1723161255300123,"s":"BTCUSDT","U":49936,"u":49940,"b":[],"a":[]}',
  '{"e":"depthUpdate","E":1723161255300,"s":"BTCUSDT","U":1,"u":2,"b":[["1.00000000","2.00000000"]],"a":[["3.00000000","4.00000000"],["5.00000000","60.00000000"],["70000.00000000","0.00000000"]]}',
];
const snapshots = [
  '{"lastUpdateId":49935,"bids":[["61837.62000000","1.00000000"]],"asks":[["61837.63000000","5.00000000"]]}',
];

/** Messages as they were recorded, a few of each channel; none where the recordings are absent. */
function real(t: ExecutionContext): Record<'trade' | 'aggTrade' | 'depth', string[]> {
  const found = { trade: [] as string[], aggTrade: [] as string[], depth: [] as string[] };
  const path = recorded(t, 'binance/spot-btcusdt-20240808.hft.gz');
  const other = recorded(t, 'binance/spot-btc-eth-dot-20210404.cryptofeed.gz');
  for (const captured of [path && hft(path), other && cryptofeed(other)]) {
    if (!captured) continue;
    for (const { log, payload } of captured) {
      const channel = log.split('/')[2] as keyof typeof found;
      if (found[channel] && found[channel].length < 400) found[channel].push(payload);
    }
  }
  return found;
}

const ofBytes = (text: string): Buffer => Buffer.from(text);
/** A message, whole or damaged. */
const messages = (texts: readonly string[]): fc.Arbitrary<Buffer> =>
  fc.oneof(
    fc.constantFrom(...texts).map(ofBytes),
    fc.tuple(fc.constantFrom(...texts), edits).map(([text, how]) => damaged(ofBytes(text), how)),
  );
const RUNS = { numRuns: 6000 };

test('levels are read as a grammar and exact integers read them, or refused', (t) => {
  const level = /\["(0|[1-9]\d*)\.(\d{8})","(0|[1-9]\d*)\.(\d{8})"\]/y;
  const whole = (text: string): boolean => BigInt(text) <= 90_071_989n;
  const reference = (text: string): [number[], number] | undefined => {
    const found: number[] = [];
    if (text.startsWith('[]')) return [found, 2];
    if (!text.startsWith('[')) return undefined;
    for (let at = 1; ;) {
      level.lastIndex = at;
      const match = level.exec(text);
      if (!match) return undefined;
      const [all, a = '', b = '', c = '', d = ''] = match;
      const [price, quantity] = [Number(BigInt(a + b)), Number(BigInt(c + d))];
      if (!whole(a) || !whole(c) || price === 0) return undefined;
      found.push(price, quantity);
      at += all.length + 1;
      const next = text[at - 1];
      if (next === ']') return [found, at];
      if (next !== ',') return undefined;
    }
  };
  const texts = [...depths, ...real(t).depth].flatMap((text) => {
    const fields = JSON.parse(text) as { b?: unknown; a?: unknown };
    return [fields.b, fields.a]
      .filter(Array.isArray)
      .map((list) => JSON.stringify(list.slice(0, 6)));
  });
  const list = new LevelList();
  const cursor = new Cursor();
  let read = 0;
  fc.assert(
    fc.property(messages(texts), (payload) => {
      const { bytes, start, end } = within(payload);
      cursor.open(bytes, start, end);
      const taken = cursor.levels(list);
      const expected = reference(payload.toString('latin1'));
      t.is(taken, expected !== undefined, payload.toString('latin1'));
      if (!expected) return;
      read++;
      const found: number[] = [];
      for (let i = 0; i < list.count; i++) found.push(list.prices[i]!, list.quantities[i]!);
      t.deepEqual([found, cursor.at - start], expected);
    }),
    RUNS,
  );
  t.true(read > 1000);
});

test('a scanned trade says what a parser says, and what a parser refuses is refused', (t) => {
  for (const kind of ['trade', 'aggTrade'] as const) {
    const texts = [...(kind === 'trade' ? trades : aggTrades), ...real(t)[kind]];
    const scan = new TradeScan(kind);
    const ids = kind === 'trade' ? (['t', 't', 't'] as const) : (['a', 'f', 'l'] as const);
    let scanned = 0;
    let texted = 0;
    fc.assert(
      fc.property(messages(texts), (payload) => {
        const { bytes, start, end } = within(payload);
        const fields = parsed(payload);
        if (scan.read(bytes, start, end)) {
          scanned++;
          t.truthy(fields, payload.toString('latin1'));
          t.deepEqual(
            [scan.id, scan.firstId, scan.lastId, scan.price, scan.quantity],
            [...ids.map((key) => fields![key]), scaled(fields!['p']), scaled(fields!['q'])],
          );
          t.deepEqual(
            [scan.timeUs, scan.takerBuys],
            [timeUs(fields!['T']), fields!['m'] === false],
          );
        }
        let trade;
        try {
          trade = kind === 'trade' ? readTrade(payload) : readAggTrade(payload);
        } catch (error) {
          t.true(error instanceof TypeError || error instanceof SyntaxError, String(error));
          return;
        }
        texted++;
        t.truthy(fields, payload.toString('latin1'));
        const { id, price, quantity, taker } = trade;
        t.deepEqual(
          [Number(id), price, quantity],
          [fields![ids[0]], fields!['p'], fields!['q']].map((v, i) =>
            i === 0 ? Number(v) : String(v),
          ),
        );
        t.deepEqual([trade.timeUs, taker], [timeUs(fields!['T']), fields!['m'] ? 'sell' : 'buy']);
        if ('lastId' in trade && 'firstId' in trade)
          t.deepEqual([trade.firstId, trade.lastId].map(Number), [
            Number(fields!['f']),
            Number(fields!['l']),
          ]);
      }),
      RUNS,
    );
    t.true(scanned > 500 && texted > scanned, `${scanned} ${texted}`);
  }
});

test('texts of trades are those of their own bytes, whatever was read before', (t) => {
  // What is kept of earlier trades: prices and quantities by value, the upper digits of ids and of times.
  const digit = fc.constantFrom('0', '1', '5', '9');
  const some = (min: number, max: number): fc.Arbitrary<string> =>
    fc.array(digit, { minLength: min, maxLength: max }).map((digits) => digits.join(''));
  const whole = fc.oneof(
    fc.constantFrom('0', '1', '9', '10', '640', '61837', '9007198', '90071989', '90071990'),
    some(0, 12).map((rest) => `1${rest}`),
    // Zeros in front are another text of the same value.
    some(0, 5),
  );
  const fraction = fc.oneof(some(8, 8), some(8, 8), fc.constant('00000000'), some(0, 12));
  const decimal = fc
    .tuple(whole, fraction)
    .map(([before, behind]) => `${before || '0'}${behind && `.${behind}`}`);
  const id = fc.oneof(
    fc.constantFrom('0', '7', '999', '1000', '1001', '1000999', '2000999', '18446744073709551615'),
    some(0, 18).map((rest) => `1${rest}`),
  );
  const time = fc.oneof(
    fc.nat({ max: 3_000_000 }).map((more) => String(1_723_161_255_342 + more * 977)),
    fc.constantFrom('1000000000000', '1723161255342123', '9007199254740', '9007199254740991'),
  );
  const symbol = fc.constantFrom('BTCUSDT', 'ETHUSDT', 'X', '1000SATSUSDT');
  const truth = fc.boolean();
  const parts = fc.tuple(symbol, id, id, decimal, decimal, time, time, truth, truth);
  const timeOf = (text: string): number => Number(text) * (text.length === 13 ? 1000 : 1);
  let read = 0;
  fc.assert(
    fc.property(fc.array(parts, { minLength: 2, maxLength: 30 }), (many) => {
      for (const [name, one, other, price, quantity, eventTime, at, maker, match] of many) {
        const end = `,"T":${at},"m":${maker}${match ? ',"M":true' : ''}}`;
        const middle = `${one},"p":"${price}","q":"${quantity}"`;
        const first = BigInt(one) < BigInt(other) ? one : other;
        const last = first === one ? other : one;
        const [timeUs, taker] = [timeOf(at), maker ? 'sell' : 'buy'] as const;
        const said = { kind: 'trade', timeUs, id: one, price, quantity, taker } as const;
        const texts = [
          `{"e":"trade","E":${eventTime},"s":"${name}","t":${middle}${end}`,
          `{"e":"trade","E":${eventTime},"s":"${name}","t":${middle},"b":${other},"a":5${end}`,
        ];
        for (const text of texts) {
          const { bytes, start, end: stop } = within(ofBytes(text));
          t.deepEqual(readTrade(bytes, start, stop), said);
          read++;
        }
        const aggregate = `{"e":"aggTrade","E":${eventTime},"s":"${name}","a":${middle},"f":${first},"l":${last}${end}`;
        t.deepEqual(readAggTrade(ofBytes(aggregate)), { ...said, firstId: first, lastId: last });
      }
    }),
    { numRuns: 1000, includeErrorInReport: true },
  );
  t.true(read > 2000);
  // The same of the fixed-size caches, filled over and over.
  for (let k = 0; k < 20_000; k++) {
    const [id, price] = [String(k * 7919), `${k % 3000}.${String(k * 37).padStart(8, '0')}`];
    const text = `{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":${id},"p":"${price}","q":"${price}","T":1723161255342,"m":true,"M":true}`;
    const trade = readTrade(ofBytes(text));
    if (trade.id !== id || trade.price !== price || trade.quantity !== price) t.fail(text);
  }
});

test('an id beyond 2^53 is read digit by digit, or not at all', (t) => {
  const text = trades[1]!;
  t.is(readTrade(ofBytes(text)).id, '18446744073709551615');
  t.throws(() => readTrade(ofBytes(text.replace('{', '{ '))), { instanceOf: TypeError });
});

test('a price or quantity that is a number, not text, is refused: nobody knows its digits', (t) => {
  const bare = (text: string, key: string): Buffer =>
    ofBytes(text.replace(new RegExp(`"${key}":"([\\d.]+)"`), `"${key}":$1`));
  const quote = '{"u":1,"s":"BTCUSDT","b":"1.50","B":"2.50","a":"3.50","A":"4.50"}';
  t.is(readQuote(quote, 0).bid, '1.50');
  for (const key of ['p', 'q']) {
    t.throws(() => readTrade(bare(trades[0]!, key)), { instanceOf: TypeError });
    t.throws(() => readAggTrade(bare(aggTrades[0]!, key)), { instanceOf: TypeError });
  }
  for (const key of ['b', 'B', 'a', 'A'])
    t.throws(() => readQuote(bare(quote, key).toString(), 0), { instanceOf: TypeError });
  for (const level of ['[1.0,"2.0"]', '["1.0",2.0]'])
    t.throws(() => readDepth(ofBytes(depths[1]!.replace('[]', `[${level}]`)), 0), {
      instanceOf: TypeError,
    });
});

test('what is cut off inside a number, at the very end of its bytes, is refused', (t) => {
  const trade = '{"e":"trade","E":1723161255208,"s":"BTCUSDT","t":1,"p":"61837';
  const cut = Buffer.alloc(trade.length, trade);
  t.false(new TradeScan('trade').read(cut, 0, cut.length));
  const diff = '{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT","U":1,"u":2,"b":[["61837';
  for (const text of [diff, `${diff}.64000000","12`]) {
    const levels = Buffer.alloc(text.length, text);
    t.false(new DepthScan().diff(levels, 0, levels.length));
  }
});

test('what stands in the place of a time is no time, also where the last one began with it', (t) => {
  for (const bad of [
    '\0\0\0\0\0\0\0\x0000000',
    '172316125534',
    '17231612553421',
    '0723161255342',
    '1723161255x42',
  ]) {
    for (const key of ['E', 'T']) {
      const text = trades[0]!.replace(new RegExp(`"${key}":\\d+`), `"${key}":${bad}`);
      const spaced = text.replace('{', '{ ');
      const outcome = (payload: string): unknown => {
        try {
          return readTrade(ofBytes(payload));
        } catch {
          return 'refused';
        }
      };
      t.deepEqual(outcome(text), outcome(spaced), text);
      t.deepEqual(readTrade(ofBytes(trades[0]!)).id, '3719263321');
    }
  }
});

test('a scanned diff or snapshot says what a parser says, and what a parser refuses is refused', (t) => {
  const scan = new DepthScan();
  const texts = [...depths, ...snapshots, ...real(t).depth.filter((text) => text.length < 3000)];
  let scanned = 0;
  const numbers = ({ prices, quantities, count }: LevelList): number[] =>
    Array.from({ length: count }, (_, i) => [prices[i]!, quantities[i]!]).flat();
  fc.assert(
    fc.property(messages(texts), (payload) => {
      const { bytes, start, end } = within(payload);
      const fields = parsed(payload);
      const snapshot = payload.includes('"lastUpdateId"');
      if (snapshot ? scan.snapshot(bytes, start, end) : scan.diff(bytes, start, end)) {
        scanned++;
        t.truthy(fields, payload.toString('latin1'));
        const sides = snapshot ? ['bids', 'asks'] : ['b', 'a'];
        t.deepEqual(
          [numbers(scan.bids), numbers(scan.asks)],
          sides.map((side) => (fields![side] as string[][]).flat().map(scaled)),
        );
        t.is(scan.lastId, fields![snapshot ? 'lastUpdateId' : 'u'] as number);
        if (!snapshot)
          t.deepEqual([scan.firstId, scan.timeUs], [fields!['U'], timeUs(fields!['E'])]);
      }
      let change;
      try {
        change = readDepth(payload, 5);
      } catch (error) {
        t.true(error instanceof TypeError || error instanceof SyntaxError, String(error));
        return;
      }
      t.truthy(fields, payload.toString('latin1'));
      const sides = change.snapshot ? ['bids', 'asks'] : ['b', 'a'];
      t.deepEqual([change.bids, change.asks], sides.map((side) => fields![side]) as never);
    }),
    RUNS,
  );
  t.true(scanned > 1000);
});

test('a venue goes on after damaged messages as if those that nobody can read had said nothing', (t) => {
  const logs = ['trade', 'aggTrade', 'depth', 'bookTicker', 'kline_1m'].map(
    (name) => `binance/BTC-USDT/${name}`,
  );
  const ms = START / 1000;
  const text = (channel: string, i: number): string => {
    const time = ms + i * 10;
    const price = `"p":"${60_000 + (i % 50)}.${String(i % 100).padStart(2, '0')}000000","q":"0.${String(i).padStart(8, '0')}"`;
    if (channel === 'trade')
      return `{"e":"trade","E":${time},"s":"BTCUSDT","t":${1000 + i},${price},"T":${time},"m":${i % 3 === 0},"M":true}`;
    if (channel === 'aggTrade')
      return `{"e":"aggTrade","E":${time},"s":"BTCUSDT","a":${500 + i},${price},"f":${i},"l":${i},"T":${time},"m":true,"M":true}`;
    if (channel === 'depth')
      return `{"e":"depthUpdate","E":${time},"s":"BTCUSDT","U":${i + 1},"u":${i + 1},"b":[["${59_000 + (i % 40)}.10000000","${i % 4}.00000000"]],"a":[["${61_000 - (i % 40)}.10000000","${i % 3}.50000000"]]}`;
    if (channel === 'snapshot')
      return `{"lastUpdateId":${i},"bids":[["59000.00000000","${i}.00000000"]],"asks":[["61000.00000000","1.00000000"]]}`;
    if (channel === 'kline_1m')
      return `{"e":"kline","E":${time},"s":"BTCUSDT","k":{"t":${ms},"T":${ms + 59_999},"s":"BTCUSDT","i":"1m","f":1,"L":${i + 1},"o":"60000.00000000","c":"60001.00000000","h":"60002.00000000","l":"59999.00000000","v":"1.00000000","n":${i + 1},"x":false,"q":"60000.00000000","V":"0.50000000","Q":"30000.00000000","B":"0"}}`;
    return `{"u":${i},"s":"BTCUSDT","b":"1.00000000","B":"2.00000000","a":"3.00000000","A":"${i}.00000000"}`;
  };
  const step = fc.tuple(
    fc.constantFrom(
      ...(['trade', 'aggTrade', 'depth', 'depth', 'depth', 'depth'] as const),
      ...(['snapshot', 'bookTicker', 'kline_1m'] as const),
    ),
    fc.option(edits, { nil: undefined, freq: 3 }),
  );
  fc.assert(
    fc.property(fc.array(step, { minLength: 5, maxLength: 60 }), (steps) => {
      const answers = (['as it is', 'parsed'] as const).map((way) => {
        const world = new World(START, { logs });
        const client = world.dial('/ws/btcusdt@depth5@100ms/btcusdt@kline_1s/btcusdt@ticker');
        steps.forEach(([channel, how], i) => {
          let bytes = ofBytes(text(channel, i));
          if (how) bytes = damaged(bytes, how);
          // Integers that a double does not hold differ by the way they are read; a line feed ends a line.
          if (/\d{16}/.test(bytes.toString('latin1')) || bytes.includes(10)) return;
          const fields = parsed(bytes);
          // The plain way: blanks, so that nothing is scanned; and for what is no JSON a text that nobody could misread.
          const plain = fields ? JSON.stringify(fields, null, 1) : '{';
          world.record(
            `binance/BTC-USDT/${channel === 'snapshot' ? 'depth' : channel}`,
            way === 'parsed' ? plain : bytes.toString('latin1'),
            { eventTimeUs: START + i * 10_000 },
          );
          world.pass(10);
        });
        world.pass(2000);
        const asked =
          'depth trades aggTrades ticker/24hr ticker/bookTicker klines?interval=1s klines?interval=1m';
        const rest = asked.split(' ').map((path) => {
          const [name, query = ''] = path.split('?');
          return world.get(`/api/v3/${name}?symbol=BTCUSDT${query && `&${query}`}`).body;
        });
        return [...rest, ...client.take()];
      });
      same(answers[0]!, answers[1]!);
    }),
    {
      numRuns: process.env['TICKMESH_LONG'] ? 20_000 : 400,
      includeErrorInReport: true,
      // A depth's event time becomes one of the year 2278: beyond what a double holds in microseconds.
      examples: [
        [
          [
            ['depth', [{ how: 'set', at: 23, byte: 57, length: 1 }]],
            ['trade', undefined],
          ],
        ],
        // A price becomes a number: a diff that is refused, and does not move the book on its way out.
        [
          [
            ['depth', undefined],
            ['trade', undefined],
            ['depth', [107, 122].map((at): Edit => ({ how: 'set', at, byte: 32, length: 1 }))],
          ],
        ],
      ],
    },
  );
  t.pass();
});

test('times up to the last microsecond that a double holds are read, later ones refused by all', (t) => {
  const cursor = new Cursor();
  for (const [time, expected] of [
    ['9007199254740', 9_007_199_254_740_000],
    ['9007199254741', -1],
    ['9007199254740991', 9_007_199_254_740_991],
    ['9007199254740992', -1],
    ['9723118400090', -1],
  ] as const) {
    const bytes = Buffer.from(`${time},"s":0`);
    cursor.open(bytes, 0, bytes.length);
    t.is(cursor.timeUs(), expected, time);
    for (const blank of ['', ' ']) {
      const depth = Buffer.from(
        depths[0]!.replace('1723161255300', time).replace('}', `${blank}}`),
      );
      if (expected > 0) t.is(readDepth(depth, 0).timeUs, expected);
      else t.throws(() => readDepth(depth, 0), { instanceOf: TypeError });
      const trade = Buffer.from(trades[0]!.replace('"T":1723161255342', `"T":${time}${blank}`));
      if (expected > 0) t.is(readTrade(trade).timeUs, expected);
      else t.throws(() => readTrade(trade), { instanceOf: TypeError });
    }
  }
});

test('a damaged quote says nothing: the one before it stands, and tickers go on', (t) => {
  const logs = ['trade', 'bookTicker'].map((name) => `binance/BTC-USDT/${name}`);
  for (const bad of [
    '{"u":',
    'null',
    '[]',
    '{"u":5}',
    '{"u":6,"b":"1.0","B":"","a":"2","A":"3"}',
  ]) {
    const world = new World(START, { logs });
    const client = world.dial('/ws/btcusdt@ticker');
    const quote = (): unknown => world.get('/api/v3/ticker/bookTicker?symbol=BTCUSDT').json;
    const none = quote();
    world.record(logs[1]!, bad);
    t.deepEqual(quote(), none);
    world.record(logs[0]!, trades[0]!);
    world.record(logs[1]!, '{"u":5,"s":"BTCUSDT","b":"1.50","B":"2.50","a":"3.50","A":"4.50"}');
    const before = quote();
    t.notDeepEqual(before, none);
    world.record(logs[1]!, bad);
    t.deepEqual(quote(), before);
    world.pass(2000);
    t.is((client.last() as { b: string }).b, '1.50000000');
  }
});

test("a damaged frame of Kraken's is read the same whether cut or parsed, and no text that is no number gets into a book", (t) => {
  const frame = (type: string, bids: string, asks: string): string =>
    `{"channel":"book","type":"${type}","data":[{"symbol":"BTC/USD","bids":[${bids}],"asks":[${asks}],"checksum":1396314585,"timestamp":"2026-08-02T03:35:51.783618Z"}]}`;
  const frames = [
    frame('update', '{"price":63381.0,"qty":0.00157776},{"price":63380.5,"qty":0.0}', ''),
    frame('snapshot', '{"price":63381.0,"qty":1e-7}', '{"price":63382.1,"qty":12.00000000}'),
  ];
  let read = 0;
  fc.assert(
    fc.property(messages(frames), (payload) => {
      const text = payload.toString('latin1');
      const cut = readBook(text);
      // A blank in front: the slow way.
      t.deepEqual(cut, readBook(` ${text}`));
      if (!cut) return;
      read++;
      for (const [price, quantity] of [...cut.bids, ...cut.asks])
        t.true(Number(price) >= 0 && Number(quantity) >= 0, text);
    }),
    { ...RUNS, includeErrorInReport: true },
  );
  t.true(read > 1000);
});

test('clients that come while history is read get the books of what follows', (t) => {
  const log = 'binance/BTC-USDT/depth';
  const world = new World(START, { logs: [log] });
  const client = world.dial('/ws/btcusdt@depth5@100ms/btcusdt@depth@1000ms');
  world.record(log, depths[0]!, { live: false });
  t.deepEqual(client.take(), []);
  world.record(log, depths[0]!.replace('"U":49936,"u":49940', '"U":49941,"u":49950'));
  t.is(client.having('lastUpdateId').length, 1);
  world.pass(1100);
  t.is(client.having('depthUpdate').length, 1);
});

// Lines and bytes

test("a line's times are read as the log reads them, whatever stands there", (t) => {
  const log = logName('binance/BTC-USDT/trade');
  const view = recordViewer();
  const time = fc.oneof(
    fc.integer({ min: 1e15, max: 9_007_199_254_740_991 }),
    fc.integer({ min: 0, max: 300_000_000 }).map((us) => 1_723_161_255_000_000 + us),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(time, time, fc.option(edits, { freq: 3 })), { maxLength: 8 }),
      (lines) => {
        const bytes = Buffer.alloc(4000);
        let end = 0;
        const at: number[] = [];
        for (const [one, other, how] of lines) {
          at.push(end);
          const line = Buffer.alloc(100);
          const whole = line.subarray(
            0,
            writeLine(line, 0, one, other, Buffer.from('{"p":"1.2"}')),
          );
          end += (how ? damaged(whole, how) : whole).copy(bytes, end);
        }
        const chunk = bytes.subarray(0, end);
        at.forEach((from, i) => {
          const record = new FeedRecord(log, from, chunk, from, at[i + 1] ?? end);
          const seen = view(record);
          t.is(seen.timeUs, lineTimeUs(chunk, from));
          t.is(seen.eventTimeUs, lineEventTimeUs(chunk, from));
        });
      },
    ),
    { numRuns: 2000 },
  );
});

test('bytes are copied eight at a time as they are, and nothing beside them', (t) => {
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 300 }),
    // What would be no number as a double.
    fc.array(fc.constantFrom(0xff, 0x7f, 0xf0, 0xf7, 0xf8, 0, 1), { maxLength: 80 }),
    fc.string({ unit: 'grapheme', maxLength: 100 }).map((text) => Buffer.from(text)),
  );
  const view = (all: Buffer): DataView => new DataView(all.buffer, all.byteOffset, all.length);
  for (let round = 0; round < 3; round++) {
    fc.assert(
      fc.property(bytes, fc.nat({ max: 20 }), fc.nat({ max: 20 }), (some, from, at) => {
        const source = Buffer.concat([
          Buffer.alloc(from, 7),
          Buffer.from(some),
          Buffer.alloc(9, 7),
        ]);
        const target = Buffer.alloc(at + some.length + 20, 9);
        const expected = Buffer.from(target);
        source.copy(expected, at, from, from + some.length);
        copyWords(view(source), from, from + some.length, view(target), at);
        t.true(target.equals(expected));
      }),
      { numRuns: 3000 },
    );
  }
});
