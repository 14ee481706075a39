/**
 * Frames of Kraken's WebSocket v2, read. Numbers stay the digits they were written with.
 *
 *   {"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[{"price":63381.0,"qty":0.00157776}],
 *    "asks":[],"checksum":1396314585,"timestamp":"2026-08-02T03:35:51.783618Z"}]}
 *   {"channel":"trade","type":"update","data":[{"symbol":"BTC/USD","side":"sell","price":109601.2,"qty":0.04561994,
 *    "ord_type":"market","trade_id":83449369,"timestamp":"2025-05-27T11:24:03.847761Z"}]}
 *
 * Book frames are the many: one exactly as Kraken writes it is cut up by position, any other JSON goes the slow way.
 */
import type { Candle, Level, MarketEvent, Quote, Trade } from '../../market/event.ts';
import { fromScaled, toScaled } from '../../market/decimal.ts';
import { MINUTE_US } from '../../market/interval.ts';
import { parseChannel } from './channel.ts';
import { asArray, asObject, asText, scanJson, type Scanned } from './scan.ts';
import { parseTimeUs } from './time.ts';

export type BookFrame = {
  readonly snapshot: boolean;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** Digits; "" where the frame has none. */
  readonly checksum: string;
  /** RFC 3339; "" where the frame has none. */
  readonly timestamp: string;
};

const HEAD = '{"channel":"book","type":"';
const SYMBOL = '","data":[{"symbol":"';
const BIDS = '","bids":[';
const ASKS = '],"asks":[';
const CHECKSUM = '],"checksum":';
const TIMESTAMP = ',"timestamp":"';
const PRICE = '{"price":';
const QUANTITY = ',"qty":';

/** Levels from `at` to the closing bracket; the index of that bracket, or -1 where the text has another form. */
function cutLevels(text: string, at: number, into: Level[]): number {
  let next = at;
  if (text.charCodeAt(next) === 93) return next;
  for (;;) {
    if (!text.startsWith(PRICE, next)) return -1;
    const price = next + PRICE.length;
    const comma = text.indexOf(QUANTITY, price);
    const quantity = comma + QUANTITY.length;
    const close = text.indexOf('}', quantity);
    if (comma < 0 || close < 0 || close - price > 100) return -1;
    into.push([text.slice(price, comma), text.slice(quantity, close)]);
    const after = text.charCodeAt(close + 1);
    if (after === 93) return close + 1;
    if (after !== 44) return -1;
    next = close + 2;
  }
}

function cutBook(text: string): BookFrame | undefined {
  if (!text.startsWith(HEAD)) return undefined;
  const snapshot = text.startsWith('snapshot', HEAD.length);
  const symbol = HEAD.length + (snapshot ? 8 : 6);
  if (!text.startsWith(SYMBOL, symbol)) return undefined;
  const symbolEnd = text.indexOf('"', symbol + SYMBOL.length);
  if (!text.startsWith(BIDS, symbolEnd)) return undefined;
  const bids: Level[] = [];
  const asks: Level[] = [];
  const bidsEnd = cutLevels(text, symbolEnd + BIDS.length, bids);
  if (bidsEnd < 0 || !text.startsWith(ASKS, bidsEnd)) return undefined;
  const asksEnd = cutLevels(text, bidsEnd + ASKS.length, asks);
  if (asksEnd < 0 || !text.startsWith(CHECKSUM, asksEnd)) return undefined;
  const checksum = asksEnd + CHECKSUM.length;
  const time = text.indexOf(TIMESTAMP, checksum);
  if (time < 0 || !text.endsWith('"}]}')) return undefined;
  const timestamp = text.slice(time + TIMESTAMP.length, text.length - 4);
  return { snapshot, bids, asks, checksum: text.slice(checksum, time), timestamp };
}

/** A frame as a tree; undefined where it is no JSON or not of this channel. */
function frameOf(channel: string, text: string): Record<string, Scanned | undefined> | undefined {
  try {
    const frame = asObject(scanJson(text));
    return frame['channel'] === channel ? frame : undefined;
  } catch {
    return undefined;
  }
}

const levelsOf = (value: Scanned | undefined): Level[] =>
  asArray(value).map((level): Level => {
    const { price, qty } = asObject(level);
    return [asText(price), asText(qty)];
  });

/** A book frame; undefined where the text is none. */
export function readBook(text: string): BookFrame | undefined {
  const cut = cutBook(text);
  if (cut) return cut;
  const frame = frameOf('book', text);
  const data = asArray(frame?.['data'])[0];
  if (!frame || data === undefined) return undefined;
  const { bids, asks, checksum, timestamp } = asObject(data);
  return {
    snapshot: frame['type'] === 'snapshot',
    bids: levelsOf(bids),
    asks: levelsOf(asks),
    checksum: asText(checksum),
    timestamp: asText(timestamp),
  };
}

const rows = (channel: string, text: string): Record<string, Scanned | undefined>[] =>
  asArray(frameOf(channel, text)?.['data']).map(asObject);

/** The trades of a frame, oldest first. */
export const readTrades = (text: string, timeUs: number): Trade[] =>
  rows('trade', text).map((row): Trade => ({
    kind: 'trade',
    timeUs: parseTimeUs(asText(row['timestamp'])) ?? timeUs,
    id: asText(row['trade_id']),
    price: asText(row['price']),
    quantity: asText(row['qty']),
    taker: row['side'] === 'sell' ? 'sell' : 'buy',
    orderType: row['ord_type'] === 'limit' ? 'limit' : 'market',
  }));

/** The quotes of a ticker frame. */
const readTicker = (text: string, timeUs: number): Quote[] =>
  rows('ticker', text).map((row): Quote => ({
    kind: 'quote',
    timeUs: parseTimeUs(asText(row['timestamp'])) ?? timeUs,
    id: 0,
    bid: asText(row['bid']),
    bidQuantity: asText(row['bid_qty']),
    ask: asText(row['ask']),
    askQuantity: asText(row['ask_qty']),
  }));

/** The candles of an ohlc frame. Whether one is closed is not said: the next one says it. */
export const readCandles = (text: string, timeUs: number): Candle[] =>
  rows('ohlc', text).map((row): Candle => {
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
