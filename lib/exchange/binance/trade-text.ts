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

/** A trade, or an aggregate with its first and last id. */
type Text = Trade & { readonly firstId: string; readonly lastId: string };

/** Reads a trade; undefined where it is written in another way. */
export function tradeOf(payload: Buffer): Trade | undefined {
  const found = textOf(payload, TRADE, SMALL.t);
  if (!found) return undefined;
  const { kind, timeUs, id, price, quantity, taker } = found;
  return { kind, timeUs, id, price, quantity, taker };
}

/** Reads an aggregate; undefined where it is written in another way. */
export const aggTradeOf = (payload: Buffer): Text | undefined =>
  textOf(payload, AGGREGATE, SMALL.a);

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

function textOf(payload: Buffer, head: Buffer, idKey: number): Text | undefined {
  const cursor = new Cursor();
  cursor.open(payload, 0, payload.length);
  if (!cursor.skip(head) || !cursor.field(LARGE.E) || cursor.timeUs() < 0) return undefined;
  if (!cursor.field(SMALL.s) || !cursor.quoted() || !cursor.field(idKey)) return undefined;
  const idAt = cursor.at;
  if (!integer(cursor)) return undefined;
  const idEnd = cursor.at;
  if (!cursor.field(SMALL.p)) return undefined;
  const priceAt = cursor.at + 1;
  if (!decimal(cursor)) return undefined;
  const priceEnd = cursor.at - 1;
  if (!cursor.field(SMALL.q)) return undefined;
  const quantityAt = cursor.at + 1;
  if (!decimal(cursor)) return undefined;
  const quantityEnd = cursor.at - 1;
  // An aggregate's first and last id; a trade's orders, in older ones.
  const [one, other] = idKey === SMALL.a ? [SMALL.f, SMALL.l] : [SMALL.b, SMALL.a];
  let firstAt = 0;
  let firstEnd = 0;
  let lastAt = 0;
  let lastEnd = 0;
  if (cursor.field(one)) {
    firstAt = cursor.at;
    if (!integer(cursor)) return undefined;
    firstEnd = cursor.at;
    if (!cursor.field(other)) return undefined;
    lastAt = cursor.at;
    if (!integer(cursor)) return undefined;
    lastEnd = cursor.at;
  } else if (idKey === SMALL.a) return undefined;
  if (!cursor.field(LARGE.T)) return undefined;
  const timeUs = cursor.timeUs();
  if (timeUs < 0 || !cursor.field(SMALL.m)) return undefined;
  const taker = payload[cursor.at] === SMALL.t ? 'sell' : 'buy';
  if (!cursor.truth() || (cursor.field(LARGE.M) && !cursor.truth())) return undefined;
  if (idKey === SMALL.a && !ordered(payload, firstAt, firstEnd, lastAt, lastEnd)) return undefined;
  if (cursor.at + 1 !== payload.length || payload[cursor.at] !== CLOSE) return undefined;
  const text = payload.toString('latin1', idAt, Math.max(quantityEnd, lastEnd));
  const cut = (from: number, to: number): string => text.slice(from - idAt, to - idAt);
  return {
    kind: 'trade',
    timeUs,
    id: cut(idAt, idEnd),
    price: cut(priceAt, priceEnd),
    quantity: cut(quantityAt, quantityEnd),
    taker,
    firstId: lastAt > 0 ? cut(firstAt, firstEnd) : '',
    lastId: lastAt > 0 ? cut(lastAt, lastEnd) : '',
  };
}
