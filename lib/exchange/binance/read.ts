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

/** An aggregate of trades: one taker order at one price. */
export type AggTrade = Trade & { readonly firstId: string; readonly lastId: string };

/** A time field as Unix microseconds, whichever unit it has. */
export const toUs = (time: number): number => (time > 1e14 ? time : time * 1000);

type Fields = Record<string, unknown>;
const parse = (text: string): Fields => {
  const value: unknown = JSON.parse(text);
  return value !== null && typeof value === 'object' ? (value as Fields) : {};
};

/** The value behind `key` (with quotes and colon), from `from` on, up to the next comma or brace; quotes stay out. */
class Scan {
  readonly #text: string;
  #at = 0;
  failed = false;
  constructor(text: string) {
    this.#text = text;
  }
  next(key: string): string {
    const found = this.#text.indexOf(key, this.#at);
    if (found < 0) {
      this.failed = true;
      return '';
    }
    let start = found + key.length;
    const first = this.#text.charCodeAt(start);
    if (first === 32) this.failed = true;
    if (first === 34) start++;
    let end = start;
    for (;;) {
      const code = this.#text.charCodeAt(end);
      if (code === 34 || code === 44 || code === 125) break;
      if (code !== code) {
        this.failed = true;
        return '';
      }
      end++;
    }
    this.#at = end;
    return this.#text.slice(start, end);
  }
}

/** Reads a trade. Throws TypeError or SyntaxError where it is none. */
export function readTrade(payload: Buffer): Trade {
  const text = payload.toString('latin1');
  const scan = new Scan(text);
  let id = scan.next('"t":');
  let price = scan.next('"p":');
  let quantity = scan.next('"q":');
  let time = scan.next('"T":');
  let maker = scan.next('"m":');
  if (scan.failed) {
    const fields = parse(text);
    id = String(fields['t']);
    price = String(fields['p']);
    quantity = String(fields['q']);
    time = String(fields['T']);
    maker = String(fields['m']);
  }
  return { kind: 'trade', timeUs: toUs(Number(time)), id, price, quantity, taker: takerOf(maker) };
}

/** "true": the buyer had been waiting in the book, so the seller took. */
const takerOf = (maker: string): 'buy' | 'sell' => (maker === 'true' ? 'sell' : 'buy');

/** Reads an aggregate trade; its `id` is the aggregate's. */
export function readAggTrade(payload: Buffer): AggTrade {
  const text = payload.toString('latin1');
  const scan = new Scan(text);
  let id = scan.next('"a":');
  let price = scan.next('"p":');
  let quantity = scan.next('"q":');
  let firstId = scan.next('"f":');
  let lastId = scan.next('"l":');
  let time = scan.next('"T":');
  let maker = scan.next('"m":');
  if (scan.failed) {
    const fields = parse(text);
    id = String(fields['a']);
    price = String(fields['p']);
    quantity = String(fields['q']);
    firstId = String(fields['f']);
    lastId = String(fields['l']);
    time = String(fields['T']);
    maker = String(fields['m']);
  }
  const timeUs = toUs(Number(time));
  return { kind: 'trade', timeUs, id, price, quantity, taker: takerOf(maker), firstId, lastId };
}

/** Reads a best bid and ask from its text. */
export function readQuote(text: string, timeUs: number): Quote {
  const fields = parse(text);
  return {
    kind: 'quote',
    timeUs,
    id: Number(fields['u']),
    bid: String(fields['b']),
    bidQuantity: String(fields['B']),
    ask: String(fields['a']),
    askQuantity: String(fields['A']),
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
  const lastId = Number(snapshot ? fields['lastUpdateId'] : fields['u']);
  const firstId = snapshot ? lastId : Number(fields['U']);
  const bids = fields[snapshot ? 'bids' : 'b'];
  const asks = fields[snapshot ? 'asks' : 'a'];
  if (!Number.isSafeInteger(firstId) || !Array.isArray(bids) || !Array.isArray(asks)) {
    throw new TypeError('not a depth update');
  }
  return {
    kind: 'book',
    timeUs: snapshot ? timeUs : toUs(Number(fields['E'])),
    snapshot,
    firstId,
    lastId,
    bids: bids as Level[],
    asks: asks as Level[],
  };
}

/** A diff in the known key order, a quarter of the time of a parse; undefined for anything else. */
function scanDiff(text: string): BookChange | undefined {
  const scan = new Scan(text);
  const time = Number(scan.next('"E":'));
  const firstId = Number(scan.next('"U":'));
  const lastId = Number(scan.next('"u":'));
  if (scan.failed || !Number.isSafeInteger(firstId) || !Number.isSafeInteger(lastId)) return;
  const bids: Level[] = [];
  const asks: Level[] = [];
  let at = text.indexOf('"b":[', text.indexOf('"u":'));
  if (at < 0) return;
  at = scanLevels(text, at + 5, bids);
  if (at < 0 || !text.startsWith(',"a":[', at)) return;
  if (scanLevels(text, at + 6, asks) < 0) return;
  return { kind: 'book', timeUs: toUs(time), snapshot: false, firstId, lastId, bids, asks };
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
    into.push([text.slice(at + 2, priceEnd), text.slice(priceEnd + 3, quantityEnd)]);
    at = quantityEnd + 2;
    const next = text.charCodeAt(at++);
    if (next === 93) return at;
    if (next !== 44) return -1;
  }
}

/** Reads a kline event. */
export function readKline(payload: Buffer): Candle {
  const k = parse(payload.toString('latin1'))['k'] as Fields | undefined;
  if (!k) throw new TypeError('not a kline');
  const openTimeUs = toUs(Number(k['t']));
  const close = Number(k['T']);
  return {
    kind: 'candle',
    intervalUs: (close > 1e14 ? close + 1 : (close + 1) * 1000) - openTimeUs,
    openTimeUs,
    open: String(k['o']),
    high: String(k['h']),
    low: String(k['l']),
    close: String(k['c']),
    volume: String(k['v']),
    quoteVolume: String(k['q']),
    takerBuyVolume: String(k['V']),
    takerBuyQuoteVolume: String(k['Q']),
    trades: Number(k['n']),
    firstTradeId: k['n'] === 0 ? '' : String(k['f']),
    lastTradeId: k['n'] === 0 ? '' : String(k['L']),
    closed: k['x'] === true,
  };
}

/** Any channel's payload as canonical events; [] for text that is not one of ours. */
export function read(channel: string, payload: Buffer, timeUs: number): readonly MarketEvent[] {
  try {
    if (channel === 'trade') return [readTrade(payload)];
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
