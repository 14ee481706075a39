/**
 * A trade as an object with its texts, out of its bytes: a cursor finds the places, then one text is made of the
 * stretch from the id to the quantity and cut up. All of the payload is checked; whatever is written in another way is
 * refused, and the caller parses it.
 *
 *   trade   = '{"e":"trade","E":' time ',"s":' symbol ',"t":' id ',"p":' decimal ',"q":' decimal
 *             [ ',"b":' id ',"a":' id ] ',"T":' time ',"m":' truth [ ',"M":' truth ] "}"
 *   aggregate: "aggTrade", "a" for "t", and then always first and last id, "f" and "l", for "b" and "a"
 *   id      = "0" / %x31-39 *19DIGIT                     ; any 64 bits
 *   decimal = DQUOTE 1*DIGIT [ "." 1*DIGIT ] DQUOTE      ; at most 40 bytes
 *   time    = 13DIGIT / 16DIGIT                          ; ms, us
 */
import type { Trade } from '../../market/event.ts';
import { Cursor } from './cursor.ts';

const TRADE = Buffer.from('{"e":"trade"');
const AGGREGATE = Buffer.from('{"e":"aggTrade"');
const QUOTE = 34;
const POINT = 46;
const ZERO = 48;
const CLOSE = 125;
const SMALL = { a: 97, b: 98, f: 102, l: 108, m: 109, p: 112, q: 113, s: 115, t: 116 } as const;
const LARGE = { E: 69, M: 77, T: 84 } as const;
const ID_DIGITS = 20;
const DECIMAL_MAX = 40;

/** Behind the digits that begin at `at`. */
function digitsEnd(bytes: Buffer, at: number): number {
  let end = at;
  for (;;) {
    const digit = bytes[end]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) return end;
    end++;
  }
}

/** Passes an id of any size. */
function integer(cursor: Cursor): boolean {
  const { at, bytes } = cursor;
  cursor.at = digitsEnd(bytes, at);
  const digits = cursor.at - at;
  return digits > 0 && digits <= ID_DIGITS && (digits === 1 || bytes[at] !== ZERO);
}

/** Passes a decimal in quotes. */
function decimal(cursor: Cursor): boolean {
  const { at, bytes } = cursor;
  if (bytes[at] !== QUOTE) return false;
  let end = digitsEnd(bytes, at + 1);
  if (end === at + 1) return false;
  if (bytes[end] === POINT) {
    const from = end + 1;
    end = digitsEnd(bytes, from);
    if (end === from) return false;
  }
  cursor.at = end + 1;
  return bytes[end] === QUOTE && cursor.at - at <= DECIMAL_MAX;
}

/** Where the parts of the last trade stand, kept from one to the next: none of them outlives the call. */
const cursor = new Cursor();
const found = {
  timeUs: 0,
  sells: false,
  idEnd: 0,
  priceAt: 0,
  priceEnd: 0,
  quantityAt: 0,
  quantityEnd: 0,
  firstAt: 0,
  firstEnd: 0,
  lastAt: 0,
  lastEnd: 0,
};

/** Reads the trade `bytes[start, end)`; undefined where it is written in another way. */
export function tradeOf(bytes: Buffer, start: number, end: number): Trade | undefined {
  const at = find(bytes, start, end, TRADE, SMALL.t);
  if (at < 0) return undefined;
  const text = bytes.toString('latin1', at, found.quantityEnd);
  return {
    kind: 'trade',
    timeUs: found.timeUs,
    id: text.slice(0, found.idEnd - at),
    price: text.slice(found.priceAt - at, found.priceEnd - at),
    quantity: text.slice(found.quantityAt - at),
    taker: found.sells ? 'sell' : 'buy',
  };
}

/** Reads the aggregate `bytes[start, end)`; undefined where it is written in another way. */
export function aggTradeOf(bytes: Buffer, start: number, end: number): AggregateText | undefined {
  const at = find(bytes, start, end, AGGREGATE, SMALL.a);
  if (at < 0) return undefined;
  const text = bytes.toString('latin1', at, found.lastEnd);
  return {
    kind: 'trade',
    timeUs: found.timeUs,
    id: text.slice(0, found.idEnd - at),
    price: text.slice(found.priceAt - at, found.priceEnd - at),
    quantity: text.slice(found.quantityAt - at, found.quantityEnd - at),
    taker: found.sells ? 'sell' : 'buy',
    firstId: text.slice(found.firstAt - at, found.firstEnd - at),
    lastId: text.slice(found.lastAt - at),
  };
}

type AggregateText = Trade & { readonly firstId: string; readonly lastId: string };

/** True when the digits of the one id are not above the other's. */
const ordered = (
  bytes: Buffer,
  at: number,
  end: number,
  otherAt: number,
  otherEnd: number,
): boolean =>
  end - at === otherEnd - otherAt
    ? bytes.compare(bytes, otherAt, otherEnd, at, end) <= 0
    : end - at < otherEnd - otherAt;

/** Finds the parts and checks all else; where the id begins, or -1. */
function find(bytes: Buffer, start: number, end: number, head: Buffer, idKey: number): number {
  cursor.open(bytes, start, end);
  if (!cursor.skip(head) || !cursor.field(LARGE.E) || cursor.timeUs() < 0) return -1;
  if (!cursor.field(SMALL.s) || !cursor.quoted() || !cursor.field(idKey)) return -1;
  const idAt = cursor.at;
  if (!integer(cursor)) return -1;
  found.idEnd = cursor.at;
  if (!cursor.field(SMALL.p)) return -1;
  found.priceAt = cursor.at + 1;
  if (!decimal(cursor)) return -1;
  found.priceEnd = cursor.at - 1;
  if (!cursor.field(SMALL.q)) return -1;
  found.quantityAt = cursor.at + 1;
  if (!decimal(cursor)) return -1;
  found.quantityEnd = cursor.at - 1;
  // An aggregate's first and last id; a trade's orders, in older ones.
  const aggregate = idKey === SMALL.a;
  if (cursor.field(aggregate ? SMALL.f : SMALL.b)) {
    found.firstAt = cursor.at;
    if (!integer(cursor)) return -1;
    found.firstEnd = cursor.at;
    if (!cursor.field(aggregate ? SMALL.l : SMALL.a)) return -1;
    found.lastAt = cursor.at;
    if (!integer(cursor)) return -1;
    found.lastEnd = cursor.at;
  } else if (aggregate) return -1;
  if (!cursor.field(LARGE.T)) return -1;
  found.timeUs = cursor.timeUs();
  if (found.timeUs < 0 || !cursor.field(SMALL.m)) return -1;
  found.sells = bytes[cursor.at] === SMALL.t;
  if (!cursor.truth() || (cursor.field(LARGE.M) && !cursor.truth())) return -1;
  const { firstAt, firstEnd, lastAt, lastEnd } = found;
  if (aggregate && !ordered(bytes, firstAt, firstEnd, lastAt, lastEnd)) return -1;
  return cursor.at + 1 === end && bytes[cursor.at] === CLOSE ? idAt : -1;
}
