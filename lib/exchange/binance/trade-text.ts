/**
 * A trade as an object with its texts, out of its bytes, in one walk over them. All of the payload is checked; whatever is
 * written in another way is refused, and the caller parses it.
 *
 *   trade   = '{"e":"trade","E":' time ',"s":' symbol ',"t":' id ',"p":' decimal ',"q":' decimal
 *             [ ',"b":' id ',"a":' id ] ',"T":' time ',"m":' truth [ ',"M":' truth ] "}"
 *   aggregate: "aggTrade", "a" for "t", and then always first and last id, "f" and "l", for "b" and "a"
 *
 * An id, a decimal and a time are those of trade-parts.ts.
 */
import { viewOf } from '../../log/line.ts';
import type { Trade } from '../../market/event.ts';
import { DecimalPart, IdPart, TimePart } from './trade-parts.ts';

const BLANK = 32;
const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;
const LETTER_E = 101;
const LETTER_T = 116;
const CLOSE = 125;

/** What little-endian words look like: `,"x"`, `:"`, `true`, `fals`. */
const wordOf = (text: string, at = 0): number => Buffer.from(text).readInt32LE(at);
const fieldOf = (letter: string): number => wordOf(`,"${letter}"`);
const COLON_QUOTE = Buffer.from(':"').readInt16LE();
const TRUE = wordOf('true');
const FALS = wordOf('fals');
const [S, P, Q] = [fieldOf('s'), fieldOf('p'), fieldOf('q')] as const;
const [T, M, MATCH] = [fieldOf('T'), fieldOf('m'), fieldOf('M')] as const;

/** The shortest that can stand from a quantity's, a price's, an id's, a symbol's and the head's end on. */
const AFTER_QUANTITY = ',"T":1723161255342,"m":true}'.length;
const SHORTEST_END = ',"m":true}'.length;
const AFTER_PRICE = ',"q":"1"'.length + AFTER_QUANTITY;
const AFTER_ID = ',"p":"1"'.length + AFTER_PRICE;
const AFTER_SYMBOL = ',"t":1'.length + AFTER_ID;
const AFTER_HEAD = '1723161255342,"s":""'.length + AFTER_SYMBOL;

/** A kind's beginning as five words, the last one overlapping; the fields of its ids. */
function kindOf(name: string, id: string, first: string, last: string) {
  const head = `{"e":"${name}","E":`;
  const [a, b, c, d] = [wordOf(head), wordOf(head, 4), wordOf(head, 8), wordOf(head, 12)];
  const { length } = head;
  const e = wordOf(head, length - 4);
  return { a, b, c, d, e, length, id: fieldOf(id), first: fieldOf(first), last: fieldOf(last) };
}
type Kind = ReturnType<typeof kindOf>;
const trades = kindOf('trade', 't', 'b', 'a');
const aggregates = kindOf('aggTrade', 'a', 'f', 'l');

/** The parts of the last trade, kept from one to the next: none of them outlives the call. */
const [id, first, last] = [new IdPart(), new IdPart(), new IdPart()] as const;
const [price, quantity] = [new DecimalPart(), new DecimalPart()] as const;
const [eventTime, time] = [new TimePart(), new TimePart()] as const;

let held: Buffer = Buffer.alloc(0);
let view = viewOf(held);

/** Reads the trade `bytes[start, end)`; undefined where it is written in another way. */
export function tradeOf(bytes: Buffer, start: number, end: number): Trade | undefined {
  const taker = find(bytes, start, end, trades);
  if (taker === undefined) return undefined;
  return {
    kind: 'trade',
    timeUs: time.us,
    id: id.text(bytes),
    price: price.text(bytes),
    quantity: quantity.text(bytes),
    taker,
  };
}

type AggregateText = Trade & { readonly firstId: string; readonly lastId: string };

/** Reads the aggregate `bytes[start, end)`; undefined where it is written in another way. */
export function aggTradeOf(bytes: Buffer, start: number, end: number): AggregateText | undefined {
  const taker = find(bytes, start, end, aggregates);
  if (taker === undefined) return undefined;
  const [firstId, lastId] = [first.text(bytes), last.text(bytes)];
  if (firstId.length === lastId.length ? firstId > lastId : firstId.length > lastId.length) {
    return undefined;
  }
  return {
    kind: 'trade',
    timeUs: time.us,
    id: id.text(bytes),
    price: price.text(bytes),
    quantity: quantity.text(bytes),
    taker,
    firstId,
    lastId,
  };
}

/**
 * Finds the parts and checks all else; who took, or undefined. What is asked of the length is what the shortest rest has:
 * so no word is read beyond the end.
 */
function find(bytes: Buffer, start: number, end: number, kind: Kind): Trade['taker'] | undefined {
  if (bytes !== held) {
    held = bytes;
    view = viewOf(bytes);
  }
  const words = view;
  let at = start + kind.length;
  if (at + AFTER_HEAD > end) return undefined;
  if (words.getInt32(start, true) !== kind.a) return undefined;
  if (words.getInt32(start + 4, true) !== kind.b) return undefined;
  if (words.getInt32(start + 8, true) !== kind.c) return undefined;
  if (words.getInt32(start + 12, true) !== kind.d) return undefined;
  if (words.getInt32(at - 4, true) !== kind.e) return undefined;
  at = eventTime.read(words, bytes, at);
  if (at < 0 || words.getInt32(at, true) !== S) return undefined;

  if (words.getInt16(at + 4, true) !== COLON_QUOTE) return undefined;
  at += 6;
  for (let byte = bytes[at]!; byte !== QUOTE; byte = bytes[++at]!) {
    if (byte < BLANK || byte === BACKSLASH || at >= end) return undefined;
  }
  at++;

  if (at + AFTER_SYMBOL > end || words.getInt32(at, true) !== kind.id) return undefined;
  if (bytes[at + 4] !== COLON) return undefined;
  at = id.read(bytes, at + 5);
  if (at < 0 || at + AFTER_ID > end || words.getInt32(at, true) !== P) return undefined;
  if (words.getInt16(at + 4, true) !== COLON_QUOTE) return undefined;
  at = price.read(words, bytes, at + 6, end);
  if (at < 0 || at + AFTER_PRICE > end || words.getInt32(at, true) !== Q) return undefined;
  if (words.getInt16(at + 4, true) !== COLON_QUOTE) return undefined;
  at = quantity.read(words, bytes, at + 6, end);
  if (at < 0 || at + AFTER_QUANTITY > end) return undefined;
  if (words.getInt32(at, true) !== T) {
    at = idsEnd(words, bytes, at, end, kind);
    if (at < 0 || words.getInt32(at, true) !== T) return undefined;
  } else if (kind === aggregates) return undefined;

  if (bytes[at + 4] !== COLON) return undefined;
  at = time.read(words, bytes, at + 5);
  if (at < 0 || at + SHORTEST_END > end || words.getInt32(at, true) !== M) return undefined;
  const taker = bytes[at + 5] === LETTER_T ? 'sell' : 'buy';
  at = truthEnd(words, bytes, at + 4);
  if (at > 0 && at + SHORTEST_END <= end && words.getInt32(at, true) === MATCH) {
    at = truthEnd(words, bytes, at + 4);
  }
  return at + 1 === end && bytes[at] === CLOSE ? taker : undefined;
}

/** The first and last id of an aggregate, the orders' ids of an older trade; behind them, or -1. */
function idsEnd(words: DataView, bytes: Buffer, from: number, end: number, kind: Kind): number {
  if (words.getInt32(from, true) !== kind.first || bytes[from + 4] !== COLON) return -1;
  let at = first.read(bytes, from + 5);
  if (at < 0 || at + AFTER_QUANTITY > end || words.getInt32(at, true) !== kind.last) return -1;
  if (bytes[at + 4] !== COLON) return -1;
  at = last.read(bytes, at + 5);
  return at + AFTER_QUANTITY > end ? -1 : at;
}

/** Behind `true` or `false` and the colon at `from`; -1 where there is neither. */
function truthEnd(words: DataView, bytes: Buffer, from: number): number {
  if (bytes[from] !== COLON) return -1;
  const word = words.getInt32(from + 1, true);
  if (word === TRUE) return from + 5;
  return word === FALS && bytes[from + 5] === LETTER_E ? from + 6 : -1;
}
