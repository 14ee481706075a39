/**
 * Tables of Kraken's public archive, and one made by another recorder, turned into the v2 frames that the stream would
 * have sent. None has trade ids: trades are counted from 1. Times and Sales have no side: a price above the last one
 * was bought, below it sold. OHLCVT has no vwap: the close stands in.
 *
 *   Time and Sales  Unix seconds,price,volume
 *   OHLCVT          Unix seconds,open,high,low,close,volume,trades      ; minutes in the file's name: XBTUSD_60.csv
 *   recorder's      time_ms,side,price,amount
 */
import { ohlcMinutes } from '../../exchange/kraken/channel.ts';
import { writeOhlc, writeTrades } from '../../exchange/kraken/write.ts';
import { significantDecimals, withDecimals } from '../../market/decimal.ts';
import { instrumentOf } from '../../market/instrument.ts';
import { MINUTE_US } from '../../market/interval.ts';
import { type CsvKind, csvDecoder, decimalField, kindOf, rowForm, timeField } from './csv.ts';
import { instrumentOfFile, krakenInstrument } from './instrument.ts';
import type { Layout } from './decoder.ts';
import type { Sink } from './sink.ts';

const FALLBACK_DECIMALS = 5;

/** Prices of an instrument as Kraken writes them; digits beyond today's precision stay. */
function priceWriter(sink: Sink, instrument: string): (text: string) => string {
  const { priceDecimals } = instrumentOf(instrument, FALLBACK_DECIMALS);
  return (text) => {
    decimalField(sink, text);
    return withDecimals(text, Math.max(priceDecimals, significantDecimals(text)));
  };
}

const trades = (
  header: string,
  columns: number,
  row: RegExp | undefined,
  split: (fields: readonly string[]) => {
    time: string;
    price: string;
    quantity: string;
    side: string | undefined;
  },
): CsvKind => ({
  header,
  row,
  columns,
  reader(sink) {
    const instrument = instrumentOfFile(sink, krakenInstrument);
    const log = sink.log('kraken', instrument, 'trade');
    const symbol = instrument.replace('-', '/');
    const price = priceWriter(sink, instrument);
    let id = 0;
    let last = 0;
    let guess: 'buy' | 'sell' = 'buy';
    return (fields) => {
      const of = split(fields);
      const timeUs = timeField(sink, of.time);
      const now = Number(of.price);
      if (now !== last && last !== 0) guess = now > last ? 'buy' : 'sell';
      last = now;
      const side = of.side ?? guess;
      if (side !== 'buy' && side !== 'sell') {
        return sink.fail(`not a side: ${side.slice(0, 40)}`, 'want buy or sell');
      }
      const text = writeTrades('update', symbol, [
        {
          kind: 'trade',
          timeUs,
          id: String(++id),
          price: price(of.price),
          quantity: withDecimals(decimalField(sink, of.quantity), 8),
          taker: side,
        },
      ]);
      sink.put(log, Buffer.from(text, 'latin1'), timeUs, timeUs);
    };
  },
});

function minutesOf(sink: Sink): number {
  const { interval, name } = sink.facts;
  const parts = interval === undefined ? name.split(/[^A-Za-z0-9]+/) : [interval];
  for (const part of parts) {
    const found = ohlcMinutes.find((minutes) => String(minutes) === part);
    if (found !== undefined) return found;
  }
  return sink.fail(
    'the file does not say how long its candles are',
    `name it in minutes, e.g. interval: 60 (Kraken serves ${ohlcMinutes.join(', ')})`,
  );
}

const ohlcvt: CsvKind = {
  header: '',
  row: rowForm('nnnnnnn'),
  columns: 7,
  reader(sink) {
    const instrument = instrumentOfFile(sink, krakenInstrument);
    const minutes = minutesOf(sink);
    const log = sink.log('kraken', instrument, `ohlc-${minutes}`);
    const symbol = instrument.replace('-', '/');
    const price = priceWriter(sink, instrument);
    return ([time = '', open = '', high = '', low = '', close = '', volume = '', count = '']) => {
      const startUs = timeField(sink, time);
      const endUs = startUs + minutes * MINUTE_US;
      const row = {
        open: price(open),
        high: price(high),
        low: price(low),
        close: price(close),
        trades: Number(count),
        volume: withDecimals(decimalField(sink, volume), 8),
        vwap: price(close),
        startUs,
        endUs,
      };
      const text = writeOhlc('update', symbol, minutes, [row], endUs);
      sink.put(log, Buffer.from(text, 'latin1'), endUs, endUs);
    };
  },
};

const kinds: readonly CsvKind[] = [
  trades(
    'time_ms,side,price,amount',
    4,
    undefined,
    ([time = '', side, price = '', quantity = '']) => ({
      time,
      price,
      quantity,
      side,
    }),
  ),
  trades('', 3, rowForm('nnn'), ([time = '', price = '', quantity = '']) => ({
    time,
    price,
    quantity,
    side: undefined,
  })),
  ohlcvt,
];

export const krakenCsv: Layout = {
  single: true,
  matches: (head) => kindOf(kinds, head.split(/\r?\n/, 1)[0] ?? '') !== undefined,
  decoder: (sink) => csvDecoder(sink, kinds),
};
