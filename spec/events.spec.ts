/** What records say: the same typed events whatever the exchange, out of the middle of a feed's bytes. */
import test from 'ava';
import { eventReader, logName, type LogName, type MarketEvent } from '../lib/index.ts';
import { reading } from '../lib/exchange/reading.ts';
import { exchanges } from '../lib/exchange/registry.ts';
import { FeedRecord } from '../lib/feed/record.ts';
import { ENVELOPE, markPayload, writeLine } from '../lib/log/line.ts';

const TIME_US = 1_723_161_255_343_000;
const BINANCE = logName('binance/BTC-USDT/trade');
const KRAKEN = logName('kraken/BTC-USD/trade');

/** Records of one chunk, as a feed hands them out. */
function recordsOf(lines: readonly (readonly [log: LogName, payload: string])[]): FeedRecord[] {
  const payloads = lines.map(([, payload]) => Buffer.from(payload));
  const bytes = Buffer.alloc(payloads.reduce((sum, { length }) => sum + length + ENVELOPE, 0));
  let at = 0;
  return payloads.map((payload, i) => {
    const from = at;
    at = writeLine(bytes, at, TIME_US + i, TIME_US + i, payload);
    return new FeedRecord(lines[i]![0], from, bytes, from, at);
  });
}

const binanceTrade = (id: number, price: string): string =>
  `{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":${id},"p":"${price}","q":"0.00088000","T":1723161255342,"m":true,"M":true}`;
const krakenTrade = (id: number, price: string): string =>
  `{"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"buy","price":${price},"qty":0.04561994,"ord_type":"limit","trade_id":${id},"timestamp":"2024-08-08T23:54:15.342761Z"}]}`;

test('trades of two exchanges, in turn, are events of one form with their own digits', (t) => {
  const read = eventReader();
  const lines = Array.from({ length: 50 }, (_, k): [LogName, string] =>
    k % 2 === 0
      ? [BINANCE, binanceTrade(3_719_263_000 + k, `6183${k % 10}.63000000`)]
      : [KRAKEN, krakenTrade(83_449_000 + k, `6183${k % 10}.10`)],
  );
  const trades = recordsOf(lines).flatMap((record): readonly MarketEvent[] => read(record));
  t.deepEqual(
    trades,
    lines.map(([log], k): MarketEvent =>
      log === BINANCE
        ? {
            kind: 'trade',
            timeUs: 1_723_161_255_342_000,
            id: String(3_719_263_000 + k),
            price: `6183${k % 10}.63000000`,
            quantity: '0.00088000',
            taker: 'sell',
          }
        : {
            kind: 'trade',
            timeUs: 1_723_161_255_342_761,
            id: String(83_449_000 + k),
            price: `6183${k % 10}.10`,
            quantity: '0.04561994',
            taker: 'buy',
            orderType: 'limit',
          },
    ),
  );
});

test('marks, damaged messages and exchanges that we do not know have no events', (t) => {
  const read = eventReader();
  const records = recordsOf([
    [BINANCE, markPayload('restart')],
    [KRAKEN, markPayload('gap', { lost: 3 })],
    [BINANCE, binanceTrade(7, 'x')],
    [KRAKEN, '{"channel":"trade","data"'],
    [logName('nowhere/BTC-USDT/trade'), binanceTrade(7, '1.00000000')],
    [logName('binance/BTC-USDT/nothing'), binanceTrade(7, '1.00000000')],
  ]);
  for (const record of records) t.deepEqual(read(record), []);
});

test('events stay what they are when the bytes they were read from are used again', (t) => {
  const read = eventReader();
  const [record] = recordsOf([[BINANCE, binanceTrade(3_719_263_321, '61837.63000000')]]);
  const [before] = read(record!);
  const copy = structuredClone(before);
  record!.bytes.fill(0x39);
  t.deepEqual(before, copy);
});

test('every exchange of the registry is read by its own reader', (t) => {
  t.deepEqual(Object.keys(reading), Object.keys(exchanges));
  for (const [name, exchange] of Object.entries(exchanges)) t.true(reading[name] === exchange.read);
});
