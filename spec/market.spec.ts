import test from 'ava';
import fc from './support/property.ts';
import { Candles } from '../lib/market/candles.ts';
import { Rolling, percent } from '../lib/market/rolling.ts';
import { fromCandle, toCandle, tradeValue } from '../lib/market/bar.ts';
import { fromScaled, toScaled } from '../lib/market/decimal.ts';
import type { Trade } from '../lib/market/event.ts';
import {
  DAY_US,
  HOUR_US,
  MINUTE_US,
  SECOND_US,
  WEEK_US,
  fixedInterval,
  monthInterval,
  type Interval,
} from '../lib/market/interval.ts';

const utc = (text: string): number => Date.parse(text) * 1000;
const START = utc('2024-08-08T12:00:00Z');
let nextId = 1;
const make = (
  timeUs: number,
  price: string,
  quantity = '1',
  taker: 'buy' | 'sell' = 'buy',
  id = String(nextId++),
): Trade => ({ kind: 'trade', timeUs, id, price, quantity, taker });
const add = (candles: Candles, ...trades: Trade[]): void => {
  for (const trade of trades) candles.trade(tradeValue(trade));
};
const minute = fixedInterval(MINUTE_US);
const second = fixedInterval(SECOND_US);

test('a decimal text means the same number whichever way it is read', (t) => {
  t.is(toScaled('61837.64'), 6_183_764_000_000n);
  t.is(toScaled('123456789012345'), 12_345_678_901_234_500_000_000n);
  t.is(toScaled('5.'), 500_000_000n);
  t.is(toScaled('2.5e-7'), 25n);
  t.is(toScaled('0.123456789'), 12_345_678n);
  for (const bad of ['', '.', '.5', '1.2.3', '1,5', 'NaN', ' 1', '+1', '-']) {
    t.throws(() => toScaled(bad), { instanceOf: TypeError }, bad);
  }
  fc.assert(
    fc.property(
      fc.bigInt({ min: 0n, max: 10n ** 22n }),
      fc.integer({ min: 0, max: 12 }),
      (value, decimals) => {
        const text = fromScaled(value, decimals, decimals);
        t.is(toScaled(text, decimals), value);
        t.is(toScaled(text, 14), value * 10n ** BigInt(14 - decimals));
      },
    ),
  );
});

test('a candle holds open, high, low, close, both volumes, the taker share, count and ids of its trades', (t) => {
  const candles = new Candles();
  add(
    candles,
    make(START + 1, '100.5', '0.1', 'buy', '7'),
    make(START + 2, '101', '0.2', 'sell', '8'),
    make(START + 59_999_999, '99.9', '0.3', 'buy', '9'),
  );
  t.like(candles.open(minute), {
    openTimeUs: START,
    intervalUs: MINUTE_US,
    open: '100.50000000',
    high: '101.00000000',
    low: '99.90000000',
    close: '99.90000000',
    volume: '0.60000000',
    quoteVolume: '60.22000000',
    takerBuyVolume: '0.40000000',
    takerBuyQuoteVolume: '40.02000000',
    trades: 3,
    firstTradeId: '7',
    lastTradeId: '9',
    closed: false,
  });
});

test('a candle closes by time alone, once', (t) => {
  const candles = new Candles();
  add(candles, make(START, '1'));
  candles.tick(START + MINUTE_US - 1);
  t.is(candles.lastClosedUs(minute), -1);
  candles.tick(START + MINUTE_US);
  t.is(candles.lastClosedUs(minute), START);
  candles.tick(START + MINUTE_US);
  t.is(candles.range(minute).filter((candle) => candle.closed).length, 1);
});

test('minutes without a trade are candles too: flat at the last close, with no volume', (t) => {
  const candles = new Candles();
  add(candles, make(START, '5'), make(START + 3 * MINUTE_US, '6'));
  const all = candles.range(minute);
  t.deepEqual(
    all.map((candle) => (candle.openTimeUs - START) / MINUTE_US),
    [0, 1, 2, 3],
  );
  t.like(all[1], { open: '5.00000000', close: '5.00000000', trades: 0, volume: '0.00000000' });
  t.like(all[3], { open: '6.00000000', trades: 1, closed: false });
});

test('weeks begin on Monday, months on the first, three days count from the epoch', (t) => {
  const at = utc('2024-02-29T13:00:00Z');
  t.is(fixedInterval(WEEK_US).startUs(at), utc('2024-02-26T00:00:00Z'));
  t.is(monthInterval().startUs(at), utc('2024-02-01T00:00:00Z'));
  t.is(monthInterval().endUs(utc('2024-02-01T00:00:00Z')), utc('2024-03-01T00:00:00Z'));
  t.is(fixedInterval(3 * DAY_US).startUs(at) % (3 * DAY_US), 0);
  const zoned = fixedInterval(DAY_US, -8 * HOUR_US);
  t.is(zoned.startUs(at), utc('2024-02-28T16:00:00Z'));
  t.is(monthInterval(8 * HOUR_US).startUs(at), utc('2024-01-31T16:00:00Z'));
});

test('a month is the calendar month of any year', (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (ms) => {
      const at = new Date(ms);
      const start = Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), 1) * 1000;
      const end = Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1, 1) * 1000;
      t.is(monthInterval().startUs(ms * 1000), start);
      t.is(monthInterval().endUs(start), end);
    }),
  );
});

const intervals: Interval[] = [
  second,
  minute,
  fixedInterval(5 * MINUTE_US),
  fixedInterval(HOUR_US),
  fixedInterval(4 * HOUR_US),
  fixedInterval(DAY_US),
  fixedInterval(DAY_US, -8 * HOUR_US),
  fixedInterval(WEEK_US),
  monthInterval(),
];
const tradesOf = fc.array(
  fc.record({
    gapUs: fc.oneof(
      fc.integer({ min: 0, max: 3_000_000 }),
      fc.integer({ min: 0, max: 5 * MINUTE_US }),
    ),
    price: fc.integer({ min: 1, max: 10_000_000 }),
    quantity: fc.integer({ min: 1, max: 10_000_000 }),
    buys: fc.boolean(),
    ticks: fc.boolean(),
  }),
  { minLength: 1, maxLength: 200 },
);

test('every interval equals what its trades add up to, asked for early or late, ticked or not', (t) => {
  fc.assert(
    fc.property(tradesOf, (list) => {
      const early = new Candles();
      const late = new Candles();
      for (const interval of intervals) early.open(interval);
      const trades: Trade[] = [];
      let timeUs = START;
      for (const { gapUs, price, quantity, buys, ticks } of list) {
        timeUs += gapUs;
        const trade = make(
          timeUs,
          fromScaled(BigInt(price), 2, 2),
          fromScaled(BigInt(quantity), 5, 5),
          buys ? 'buy' : 'sell',
        );
        trades.push(trade);
        add(early, trade);
        add(late, trade);
        if (ticks) early.tick(timeUs);
      }
      for (const interval of intervals) {
        const got = early.range(interval, { limit: 10_000 });
        t.deepEqual(late.range(interval, { limit: 10_000 }), got, interval.key);
        const groups = groupBy(trades, (trade) => interval.startUs(trade.timeUs));
        for (const candle of got) {
          const group = groups.get(candle.openTimeUs) ?? [];
          t.is(candle.trades, group.length);
          if (group.length === 0) continue;
          t.is(candle.firstTradeId, group[0]!.id);
          t.is(toScaled(candle.close), toScaled(group.at(-1)!.price));
          const volume = group.reduce((sum, { quantity }) => sum + toScaled(quantity), 0n);
          t.is(toScaled(candle.volume), volume);
          const high = group.reduce(
            (max, { price }) => (toScaled(price) > max ? toScaled(price) : max),
            0n,
          );
          t.is(toScaled(candle.high), high);
        }
        for (let i = 1; i < got.length; i++) {
          t.is(got[i]!.openTimeUs, interval.endUs(got[i - 1]!.openTimeUs), 'no hole');
        }
      }
    }),
    { numRuns: 25 },
  );
});

function groupBy<K, V>(values: V[], key: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const group = groups.get(key(value));
    if (group) group.push(value);
    else groups.set(key(value), [value]);
  }
  return groups;
}

test('a trade that comes late counts in the candle that is open', (t) => {
  const candles = new Candles();
  add(candles, make(START, '1'), make(START + MINUTE_US, '2'), make(START + 1, '3'));
  t.like(candles.range(minute)[0], { trades: 1, close: '1.00000000' });
  t.like(candles.open(minute), { trades: 2, close: '3.00000000' });
});

test('history is bounded, and an interval built late never begins with half a candle', (t) => {
  const candles = new Candles(100);
  for (let i = 0; i < 5000; i++) add(candles, make(START + i * MINUTE_US, '1'));
  t.true(candles.range(minute, { limit: 1e9 }).length < 2000);
  const hours3 = candles.range(fixedInterval(3 * MINUTE_US), { limit: 1e9 });
  t.true(hours3.slice(0, -1).every((candle) => candle.trades === 3));
});

test('a range has the oldest from its start, or the newest up to its end', (t) => {
  const candles = new Candles();
  for (let i = 0; i < 10; i++) add(candles, make(START + i * MINUTE_US, String(i + 1)));
  const opens = (range: Parameters<Candles['range']>[1]) =>
    candles.range(minute, range).map((candle) => (candle.openTimeUs - START) / MINUTE_US);
  t.deepEqual(opens({ limit: 3 }), [7, 8, 9]);
  t.deepEqual(opens({ limit: 3, fromUs: START + 2 * MINUTE_US }), [2, 3, 4]);
  t.deepEqual(opens({ limit: 3, toUs: START + 5 * MINUTE_US }), [3, 4, 5]);
  t.deepEqual(opens({ fromUs: START + MINUTE_US, toUs: START + 2 * MINUTE_US }), [1, 2]);
});

test('candles that the exchange made itself take the place of derived ones and feed the coarser ones', (t) => {
  const candles = new Candles();
  const source = new Candles();
  for (let i = 0; i < 7; i++) add(source, make(START + i * MINUTE_US, String(i + 1)));
  for (const candle of source.range(minute)) candles.put(minute, fromCandle(candle), candle.closed);
  add(candles, make(START, '999'));
  t.deepEqual(candles.range(minute), source.range(minute));
  t.like(candles.range(fixedInterval(5 * MINUTE_US))[0], { high: '5.00000000', trades: 5 });
});

test('rolling statistics count exactly the trades of the window', (t) => {
  const rolling = new Rolling(10 * MINUTE_US);
  t.is(rolling.stats(START), undefined);
  for (let i = 0; i < 20; i++) {
    rolling.trade(tradeValue(make(START + i * MINUTE_US, String(100 - i), '2', 'buy', String(i))));
  }
  const nowUs = START + 19 * MINUTE_US + 30 * SECOND_US;
  t.like(rolling.stats(nowUs), {
    open: '91.00000000',
    high: '91.00000000',
    low: '81.00000000',
    last: '81.00000000',
    lastQuantity: '2.00000000',
    previousClose: '92.00000000',
    volume: '22.00000000',
    quoteVolume: '1892.00000000',
    vwap: '86.00000000',
    change: '-10.00000000',
    changePercent: '-10.989',
    trades: 11,
    firstTradeId: '9',
    lastTradeId: '19',
  });
  t.like(rolling.stats(nowUs + DAY_US), { trades: 0, last: '81.00000000', vwap: '0.00000000' });
});

test('rolling sums stay right while buckets come and go', (t) => {
  fc.assert(
    fc.property(tradesOf, (list) => {
      const rolling = new Rolling(7 * MINUTE_US);
      const trades: Trade[] = [];
      let timeUs = START;
      for (const { gapUs, price, quantity, ticks } of list) {
        timeUs += gapUs;
        const trade = make(timeUs, String(price), String(quantity));
        trades.push(trade);
        rolling.trade(tradeValue(trade));
        const fromUs = timeUs - 7 * MINUTE_US;
        const inside = trades.filter((one) => minute.startUs(one.timeUs) + MINUTE_US > fromUs);
        if (ticks) {
          const stats = rolling.stats(timeUs)!;
          t.is(stats.trades, inside.length);
          t.is(toScaled(stats.high), toScaled(String(Math.max(...inside.map((o) => +o.price)))));
          t.is(toScaled(stats.low), toScaled(String(Math.min(...inside.map((o) => +o.price)))));
          t.is(stats.firstTradeId, inside[0]!.id);
        }
      }
    }),
    { numRuns: 50 },
  );
});

test('percentages have three digits, rounded to the nearest', (t) => {
  t.is(percent(1n, 3n), '33.333');
  t.is(percent(2n, 3n), '66.667');
  t.is(percent(-2n, 3n), '-66.667');
  t.is(percent(5n, 0n), '0.000');
  t.is(percent(-1n, 10n ** 9n), '0.000');
});

test('a bar survives being written as a candle and read again', (t) => {
  const candles = new Candles();
  add(candles, make(START, '1.23456789', '3.5'), make(START + 5, '9', '0.00000001', 'sell'));
  const candle = candles.open(minute)!;
  t.deepEqual(toCandle(fromCandle(candle), false), candle);
});
