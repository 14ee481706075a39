/**
 * A book frame exactly as Kraken writes it, cut up by position. All of it is looked at: text of any other form is refused,
 * and the caller reads it as JSON.
 *
 *   frame     = '{"channel":"book","type":"' ( "snapshot" / "update" ) '","data":[{"symbol":"' symbol
 *               '","bids":[' levels '],"asks":[' levels '],"checksum":' 1*DIGIT ',"timestamp":"' timestamp '"}]}'
 *   levels    = [ level *( "," level ) ]
 *   level     = '{"price":' number ',"qty":' number "}"
 *   number    = 1*DIGIT [ "." 1*DIGIT ]
 *   timestamp = *( DIGIT / "-" / ":" / "." / "+" / "T" / "Z" )
 */
import type { Level } from '../../market/event.ts';

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
const END = '"}]}';
const PRICE = '{"price":';
const QUANTITY = ',"qty":';

/** True for what may stand as a timestamp, also "": of the right letters, that is. */
export const isTimestamp = (text: string): boolean => /^[\d\-:.+TZ]*$/.test(text);

/** Behind the digits that begin at `at`. */
function digitsEnd(text: string, at: number): number {
  const { length } = text;
  let end = at;
  for (; end < length; end++) {
    const code = text.charCodeAt(end);
    if (code < 48 || code > 57) break;
  }
  return end;
}

/** Behind the number that begins at `at`, or -1. */
function numberEnd(text: string, at: number): number {
  const end = digitsEnd(text, at);
  if (end === at || end === text.length) return -1;
  if (text.charCodeAt(end) !== 46) return end;
  const last = digitsEnd(text, end + 1);
  return last === end + 1 ? -1 : last;
}

/** Levels from `at` to the closing bracket; the index of that bracket, or -1 where the text has another form. */
function cutLevels(text: string, at: number, into: Level[]): number {
  let next = at;
  if (text.charCodeAt(next) === 93) return next;
  for (;;) {
    if (!text.startsWith(PRICE, next)) return -1;
    const price = next + PRICE.length;
    const comma = numberEnd(text, price);
    if (comma < 0 || !text.startsWith(QUANTITY, comma)) return -1;
    const quantity = comma + QUANTITY.length;
    const close = numberEnd(text, quantity);
    if (close < 0 || text.charCodeAt(close) !== 125) return -1;
    into.push([text.slice(price, comma), text.slice(quantity, close)]);
    const after = text.charCodeAt(close + 1);
    if (after === 93) return close + 1;
    if (after !== 44) return -1;
    next = close + 2;
  }
}

/** Behind a text in quotes that begins at `at`, without escapes: its closing quote, or -1. */
function textEnd(text: string, at: number): number {
  for (let end = at; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === 34) return end;
    if (code < 32 || code === 92) return -1;
  }
  return -1;
}

/** The frame; undefined where the text has another form. */
export function cutBook(text: string): BookFrame | undefined {
  if (!text.startsWith(HEAD)) return undefined;
  const snapshot = text.startsWith('snapshot', HEAD.length);
  if (!snapshot && !text.startsWith('update', HEAD.length)) return undefined;
  const symbol = HEAD.length + (snapshot ? 8 : 6);
  if (!text.startsWith(SYMBOL, symbol)) return undefined;
  const symbolEnd = textEnd(text, symbol + SYMBOL.length);
  if (symbolEnd < 0 || !text.startsWith(BIDS, symbolEnd)) return undefined;
  const bids: Level[] = [];
  const asks: Level[] = [];
  const bidsEnd = cutLevels(text, symbolEnd + BIDS.length, bids);
  if (bidsEnd < 0 || !text.startsWith(ASKS, bidsEnd)) return undefined;
  const asksEnd = cutLevels(text, bidsEnd + ASKS.length, asks);
  if (asksEnd < 0 || !text.startsWith(CHECKSUM, asksEnd)) return undefined;
  const checksum = asksEnd + CHECKSUM.length;
  const time = digitsEnd(text, checksum);
  if (time === checksum || !text.startsWith(TIMESTAMP, time)) return undefined;
  const from = time + TIMESTAMP.length;
  const end = text.length - END.length;
  if (end < from || !text.endsWith(END)) return undefined;
  const timestamp = text.slice(from, end);
  if (!isTimestamp(timestamp)) return undefined;
  return { snapshot, bids, asks, checksum: text.slice(checksum, time), timestamp };
}
