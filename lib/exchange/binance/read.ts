/**
 * Binance's payloads as canonical events. The known key order is scanned for; whatever does not fit (blanks, other
 * order) goes through JSON.parse. Times are 13 digits (ms) or, on a microsecond connection, 16.
 *
 *   trade      {"e":"trade","E":ms,"s":"BTCUSDT","t":id,"p":"price","q":"quantity","T":ms,"m":buyer is maker,"M":true}
 *   aggTrade   {"e":"aggTrade","E":ms,"s":…,"a":id,"p":…,"q":…,"f":first id,"l":last id,"T":ms,"m":…,"M":true}
 *   bookTicker {"u":id,"s":…,"b":"bid","B":"quantity","a":"ask","A":"quantity"}
 *   depth      {"e":"depthUpdate","E":ms,"s":…,"U":first id,"u":last id,"b":[["price","quantity"]…],"a":[…]}
 *   snapshot   {"lastUpdateId":id,"bids":[…],"asks":[…]}                     ; REST, in the depth log
 *   kline      {"e":"kline","E":ms,"s":…,"k":{"t":ms,"T":ms,"s":…,"i":"1m","f":…,"L":…,"o":…,"c":…,"h":…,"l":…,
 *               "v":…,"n":…,"x":closed,"q":…,"V":…,"Q":…,"B":"0"}}
 */
import type { BookChange, Candle, Level, MarketEvent, Quote, Trade } from '../../market/event.ts';
import { aggTradeOf, tradeOf } from './trade-text.ts';

/** An aggregate of trades: one taker order at one price. */
export type AggTrade = Trade & { readonly firstId: string; readonly lastId: string };

/** A time field as Unix microseconds, whichever unit it has. */
export const toUs = (time: number): number => (time > 1e14 ? time : time * 1000);

type Fields = Record<string, unknown>;
const parse = (text: string): Fields => {
  const value: unknown = JSON.parse(text);
  return value !== null && typeof value === 'object' ? (value as Fields) : {};
};

/** The fields that a trade and an aggregate share. Throws TypeError where one is missing or makes no sense. */
function tradeFields(fields: Fields, idKey: string): Trade {
  const timeUs = timeOf(fields['T']);
  const [id, price, quantity] = [
    idOf(fields[idKey]),
    decimalOf(fields['p']),
    decimalOf(fields['q']),
  ];
  const maker = fields['m'];
  if (typeof maker !== 'boolean') throw new TypeError('not a trade');
  // The buyer had been waiting in the book: so the seller took.
  return { kind: 'trade', timeUs, id, price, quantity, taker: maker ? 'sell' : 'buy' };
}

function timeOf(value: unknown): number {
  const timeUs = typeof value === 'number' ? toUs(value) : 0;
  if (!Number.isSafeInteger(timeUs) || timeUs <= 0) throw new TypeError('not a time');
  return timeUs;
}

function updateId(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw new TypeError('not an id');
  return value;
}

function idOf(value: unknown): string {
  const id = String(value);
  // A double has bent it: better no trade than one with another's id.
  if (typeof value === 'number' && !Number.isSafeInteger(value)) throw new TypeError('not an id');
  if (!/^\d+$/.test(id)) throw new TypeError('not an id');
  return id;
}

/** A decimal as Binance writes them: no sign, no exponent. Text only: of a number nobody knows the digits that were written. */
const isDecimal = (value: unknown): value is string =>
  typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value);

function decimalOf(value: unknown): string {
  if (!isDecimal(value)) throw new TypeError('not a decimal');
  return value;
}

/** Reads the trade `bytes[start, end)`. Throws TypeError or SyntaxError where it is none. */
export const readTrade = (bytes: Buffer, start = 0, end = bytes.length): Trade =>
  tradeOf(bytes, start, end) ?? tradeFields(parse(bytes.toString('latin1', start, end)), 't');

/** Reads an aggregate trade; its `id` is the aggregate's. Throws TypeError or SyntaxError where it is none. */
export function readAggTrade(payload: Buffer): AggTrade {
  const trade = aggTradeOf(payload, 0, payload.length);
  if (trade) return trade;
  const fields = parse(payload.toString('latin1'));
  const [firstId, lastId] = [idOf(fields['f']), idOf(fields['l'])];
  if (BigInt(firstId) > BigInt(lastId)) throw new TypeError('not an aggregate');
  return { ...tradeFields(fields, 'a'), firstId, lastId };
}

/** Reads a best bid and ask from its text. Throws TypeError or SyntaxError where it is none. */
export function readQuote(text: string, timeUs: number): Quote {
  const fields = parse(text);
  return {
    kind: 'quote',
    timeUs,
    id: updateId(fields['u']),
    bid: decimalOf(fields['b']),
    bidQuantity: decimalOf(fields['B']),
    ask: decimalOf(fields['a']),
    askQuantity: decimalOf(fields['A']),
  };
}

/** Reads a depth diff or a REST snapshot. A snapshot has no time of its own: it takes `timeUs`. */
export function readDepth(payload: Buffer, timeUs: number): BookChange {
  const text = payload.toString('latin1');
  return scanDiff(text) ?? parseDepth(text, timeUs);
}

function parseDepth(text: string, timeUs: number): BookChange {
  const fields = parse(text);
  const snapshot = fields['lastUpdateId'] !== undefined;
  const lastId = updateId(fields[snapshot ? 'lastUpdateId' : 'u']);
  const firstId = snapshot ? lastId : updateId(fields['U']);
  const bids = fields[snapshot ? 'bids' : 'b'];
  const asks = fields[snapshot ? 'asks' : 'a'];
  const atUs = snapshot ? timeUs : timeOf(fields['E']);
  if (!areLevels(bids) || !areLevels(asks)) throw new TypeError('not a depth update');
  return { kind: 'book', timeUs: atUs, snapshot, firstId, lastId, bids, asks };
}

const areLevels = (value: unknown): value is Level[] =>
  Array.isArray(value) &&
  value.every(
    (level: unknown) =>
      Array.isArray(level) && level.length >= 2 && isDecimal(level[0]) && isDecimal(level[1]),
  );

/** Up to the bids of a diff. */
const DIFF =
  /^\{"e":"depthUpdate","E":([1-9]\d{12}(?:\d{3})?),"s":"[^"\\\p{Cc}]*","U":([1-9]\d{0,14}),"u":([1-9]\d{0,14}),"b":\[/u;

/** A diff in the known key order, a quarter of the time of a parse; undefined for anything else. */
function scanDiff(text: string): BookChange | undefined {
  const head = DIFF.exec(text);
  if (!head) return undefined;
  const bids: Level[] = [];
  const asks: Level[] = [];
  let at = scanLevels(text, head[0].length, bids);
  if (at < 0 || !text.startsWith(',"a":[', at)) return undefined;
  at = scanLevels(text, at + 6, asks);
  if (at < 0 || at !== text.length - 1 || text.charCodeAt(at) !== 125) return undefined;
  const [timeUs, firstId, lastId] = [timeOf(Number(head[1])), Number(head[2]), Number(head[3])];
  return { kind: 'book', timeUs, snapshot: false, firstId, lastId, bids, asks };
}

/** Reads `["p","q"],…]` from `from` on; returns where it ends, behind the "]", or -1 where the text is not like this. */
function scanLevels(text: string, from: number, into: Level[]): number {
  let at = from;
  if (text.charCodeAt(at) === 93) return at + 1;
  for (;;) {
    if (!text.startsWith('["', at)) return -1;
    const priceEnd = text.indexOf('"', at + 2);
    if (priceEnd < 0 || !text.startsWith('","', priceEnd)) return -1;
    const quantityEnd = text.indexOf('"', priceEnd + 3);
    if (quantityEnd < 0 || text.charCodeAt(quantityEnd + 1) !== 93) return -1;
    const price = text.slice(at + 2, priceEnd);
    const quantity = text.slice(priceEnd + 3, quantityEnd);
    if (!isDecimal(price) || !isDecimal(quantity)) return -1;
    into.push([price, quantity]);
    at = quantityEnd + 2;
    const next = text.charCodeAt(at++);
    if (next === 93) return at;
    if (next !== 44) return -1;
  }
}

/** Reads a kline event. Throws TypeError or SyntaxError where it is none. */
export function readKline(payload: Buffer): Candle {
  const k = parse(payload.toString('latin1'))['k'] as Fields | undefined;
  if (!k) throw new TypeError('not a kline');
  const openTimeUs = timeOf(k['t']);
  const close = Number(k['T']);
  const endUs = close > 1e14 ? close + 1 : (close + 1) * 1000;
  if (!Number.isSafeInteger(endUs) || endUs <= openTimeUs) throw new TypeError('not a kline');
  const trades = updateId(k['n']);
  return {
    kind: 'candle',
    intervalUs: endUs - openTimeUs,
    openTimeUs,
    open: decimalOf(k['o']),
    high: decimalOf(k['h']),
    low: decimalOf(k['l']),
    close: decimalOf(k['c']),
    volume: decimalOf(k['v']),
    quoteVolume: decimalOf(k['q']),
    takerBuyVolume: decimalOf(k['V']),
    takerBuyQuoteVolume: decimalOf(k['Q']),
    trades,
    firstTradeId: trades === 0 ? '' : String(k['f']),
    lastTradeId: trades === 0 ? '' : String(k['L']),
    closed: k['x'] === true,
  };
}

/** Any channel's payload, `bytes[start, end)`, as canonical events; [] for text that is not one of ours. */
export function read(
  channel: string,
  bytes: Buffer,
  timeUs: number,
  start = 0,
  end = bytes.length,
): readonly MarketEvent[] {
  try {
    if (channel === 'trade') return [readTrade(bytes, start, end)];
    const payload = bytes.subarray(start, end);
    if (channel === 'aggTrade') return [readAggTrade(payload)];
    if (channel === 'bookTicker') return [readQuote(payload.toString('latin1'), timeUs)];
    if (channel === 'depth') return [readDepth(payload, timeUs)];
    return channel.startsWith('kline_') ? [readKline(payload)] : [];
  } catch {
    return [];
  }
}

const EVENT_TIME = Buffer.from('"E":');

/** The event time ("E") without a parse: it is the second field wherever there is one. Unix microseconds. */
export function eventTimeUs(channel: string, payload: Buffer): number | undefined {
  if (channel === 'bookTicker') return undefined;
  let at = payload.subarray(0, 64).indexOf(EVENT_TIME);
  if (at < 0) return undefined;
  at += EVENT_TIME.length;
  let time = 0;
  const start = at;
  for (; at < payload.length; at++) {
    const digit = payload[at]! - 48;
    if (digit < 0 || digit > 9) break;
    time = time * 10 + digit;
  }
  const digits = at - start;
  return digits === 13 || digits === 16 ? toUs(time) : undefined;
}
