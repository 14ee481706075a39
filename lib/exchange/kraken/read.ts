/**
 * Frames of Kraken's WebSocket v2, read. Numbers stay the digits they were written with.
 *
 *   {"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":63381.0,"qty":0.00157776}],
 *    "asks":[],"checksum":1396314585,"timestamp":"2026-08-02T03:35:51.783618Z"}]}
 *   {"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":109601.2,"qty":0.04561994,
 *    "ord_type":"market","trade_id":83449369,"timestamp":"2025-05-27T11:24:03.847761Z"}]}
 *
 * Book frames are the many: one exactly as Kraken writes it is cut up by position (book-text.ts), any other goes the slow way.
 */
import type { Candle, Level, MarketEvent, Quote, Trade } from '../../market/event.ts';
import { fromScaled, toScaled } from '../../market/decimal.ts';
import { MINUTE_US } from '../../market/interval.ts';
import { cutBook, isTimestamp, type BookFrame } from './book-text.ts';
import { parseChannel } from './channel.ts';
import { asArray, asObject, asText, scanJson, type Scanned } from './scan.ts';
import { parseTimeUs } from './time.ts';

export type { BookFrame };

/** A number as text: what is written in another way is no price, no quantity and no volume. */
const isDecimal = (text: string): boolean => /^\d+(?:\.\d+)?(?:[eE][+-]?\d{1,2})?$/.test(text);
const isId = (text: string): boolean => /^\d*$/.test(text);

/** A frame as a tree; undefined where it is no JSON or not of this channel. */
function frameOf(channel: string, text: string): Record<string, Scanned | undefined> | undefined {
  try {
    const frame = asObject(scanJson(text));
    return frame['channel'] === channel ? frame : undefined;
  } catch {
    return undefined;
  }
}

/** Levels of a frame; undefined where they are none. */
function levelsOf(value: Scanned | undefined): Level[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const levels = value.map((level): Level => {
    const { price, qty } = asObject(level);
    return [asText(price), asText(qty)];
  });
  return levels.every(([price, quantity]) => isDecimal(price) && isDecimal(quantity))
    ? levels
    : undefined;
}

/** A book frame; undefined where the text is none. */
export function readBook(text: string): BookFrame | undefined {
  const cut = cutBook(text);
  if (cut) return cut;
  const frame = frameOf('book', text);
  const data = asArray(frame?.['data'])[0];
  if (!frame || data === undefined) return undefined;
  const fields = asObject(data);
  const [bids, asks] = [levelsOf(fields['bids']), levelsOf(fields['asks'])];
  const [checksum, timestamp] = [asText(fields['checksum']), asText(fields['timestamp'])];
  if (!bids || !asks) return undefined;
  return {
    snapshot: frame['type'] === 'snapshot',
    bids,
    asks,
    checksum: isId(checksum) ? checksum : '',
    timestamp: isTimestamp(timestamp) ? timestamp : '',
  };
}

type Row = Record<string, Scanned | undefined>;

/** The rows of a frame; none where one lacks a decimal: what is damaged says nothing. */
function rows(channel: string, text: string, decimals: readonly string[]): Row[] {
  const found = asArray(frameOf(channel, text)?.['data']).map(asObject);
  return found.every((row) => decimals.every((key) => isDecimal(asText(row[key])))) ? found : [];
}

/** The trades of a frame, oldest first; none where one of them is damaged. */
export function readTrades(text: string, timeUs: number): Trade[] {
  const found = rows('trade', text, ['price', 'qty']);
  if (!found.every((row) => isId(asText(row['trade_id'])))) return [];
  return found.map((row): Trade => ({
    kind: 'trade',
    timeUs: parseTimeUs(asText(row['timestamp'])) ?? timeUs,
    id: asText(row['trade_id']),
    price: asText(row['price']),
    quantity: asText(row['qty']),
    taker: row['side'] === 'sell' ? 'sell' : 'buy',
    orderType: row['ord_type'] === 'limit' ? 'limit' : 'market',
  }));
}

/** The quotes of a ticker frame. */
const readTicker = (text: string, timeUs: number): Quote[] =>
  rows('ticker', text, ['bid', 'bid_qty', 'ask', 'ask_qty']).map((row): Quote => ({
    kind: 'quote',
    timeUs: parseTimeUs(asText(row['timestamp'])) ?? timeUs,
    id: 0,
    bid: asText(row['bid']),
    bidQuantity: asText(row['bid_qty']),
    ask: asText(row['ask']),
    askQuantity: asText(row['ask_qty']),
  }));

const CANDLE = ['open', 'high', 'low', 'close', 'volume', 'vwap', 'interval', 'trades'];

/** The candles of an ohlc frame; none where one of them is damaged. Whether one is closed is not said: the next one says it. */
export const readCandles = (text: string, timeUs: number): Candle[] =>
  rows('ohlc', text, CANDLE).map((row): Candle => {
    const volume = toScaled(asText(row['volume']));
    const vwap = toScaled(asText(row['vwap']));
    return {
      kind: 'candle',
      intervalUs: Number(asText(row['interval'])) * MINUTE_US,
      openTimeUs: parseTimeUs(asText(row['interval_begin'])) ?? timeUs,
      open: asText(row['open']),
      high: asText(row['high']),
      low: asText(row['low']),
      close: asText(row['close']),
      volume: asText(row['volume']),
      quoteVolume: fromScaled(volume * vwap, 8, 16),
      takerBuyVolume: '0.00000000',
      takerBuyQuoteVolume: '0.00000000',
      trades: Number(asText(row['trades'])),
      firstTradeId: '',
      lastTradeId: '',
      closed: false,
    };
  });

/** A payload of a channel, `bytes[start, end)`, as canonical events; [] where it says nothing we know. */
export function read(
  name: string,
  bytes: Buffer,
  timeUs: number,
  start = 0,
  end = bytes.length,
): readonly MarketEvent[] {
  const channel = parseChannel(name);
  const text = bytes.toString('latin1', start, end);
  switch (channel?.kind) {
    case 'trade':
      return readTrades(text, timeUs);
    case 'ticker':
      return readTicker(text, timeUs);
    case 'ohlc':
      return readCandles(text, timeUs);
    case 'book': {
      const frame = readBook(text);
      if (!frame) return [];
      const { snapshot, bids, asks, checksum, timestamp } = frame;
      const event = { kind: 'book', snapshot, firstId: 0, lastId: 0, bids, asks } as const;
      const at = parseTimeUs(timestamp) ?? timeUs;
      const book = { ...event, timeUs: at, depth: channel.depth };
      return [checksum === '' ? book : { ...book, checksum: Number(checksum) }];
    }
    case 'instrument':
    case undefined:
      return [];
  }
}

/** The payload's own event time, Unix microseconds, found without parsing the rest. */
export function eventTimeUs(name: string, payload: Buffer): number | undefined {
  // Candles carry their ends as timestamps too: the frame's own stands in front of the data there, at the end elsewhere.
  const mark = '"timestamp":"';
  const at = name.startsWith('ohlc') ? payload.indexOf(mark) : payload.lastIndexOf(mark);
  if (at < 0) return undefined;
  const from = at + mark.length;
  return parseTimeUs(payload.toString('latin1', from, Math.min(payload.length, from + 30)));
}
