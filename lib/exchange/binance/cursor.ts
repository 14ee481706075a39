/**
 * Walks over a payload's bytes, as Binance writes them, and makes numbers of digits without making text first. Decimals
 * become integers of 10^8, exact in a double up to 2^53. Whatever is written in another way is refused: the caller then
 * reads the text.
 *
 *   field   = [ "," ] DQUOTE letter DQUOTE ":"
 *   integer = "0" / %x31-39 *14DIGIT
 *   decimal = DQUOTE ( "0" / %x31-39 *DIGIT ) "." 8DIGIT DQUOTE         ; below 90 million
 *   levels  = "[" [ level *( "," level ) ] "]"
 *   level   = "[" decimal "," decimal "]"                               ; price above zero
 */
import type { LevelList } from '../../market/level-list.ts';
import { fourDigits, isBroken, lessZeros, suspicion, valueOf } from '../../world/bytes.ts';

const BLANK = 32;
const QUOTE = 34;
const COMMA = 44;
const POINT = 46;
const ZERO = 48;
const COLON = 58;
const OPEN = 91;
const BACKSLASH = 92;
const CLOSE = 93;
/** Largest whole part whose eight decimals a double still holds. */
const WHOLE_MAX = 90_071_989;
const INTEGER_DIGITS = 15;
/** Last millisecond whose microseconds a double holds: one beyond is no time to the reader of texts either. */
const TIME_MS_MAX = Math.floor(Number.MAX_SAFE_INTEGER / 1000);
/** `,"?"` as a little-endian number, the letter left out. */
const FIELD = 0x2200222c;

/** `true` and `fals` as little-endian numbers. */
const TRUE = 0x65757274;
const FALS = 0x736c6166;
const LETTER_E = 101;

/** `["`, `",` and `"]` as little-endian numbers. */
const OPEN_QUOTE = 0x225b;
const QUOTE_COMMA = 0x2c22;
const QUOTE_CLOSE = 0x5d22;
/** `["0.00000000","0.00000000"]`; the same from the first point on; from the second on, and the byte behind. */
const SHORTEST_LEVEL = 27;
const SHORTEST_REST = 24;
const AFTER_POINT = 12;

const NO_BYTES = Buffer.alloc(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

export class Cursor {
  bytes: Buffer = NO_BYTES;
  view: DataView = NO_VIEW;
  at = 0;
  end = 0;

  /** Begins at `start`; nothing from `end` on is read. */
  open(bytes: Buffer, start: number, end: number): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    this.at = start;
    this.end = end;
  }

  /** Passes `,"x":`; false where something else stands here. */
  field(letter: number): boolean {
    const { at } = this;
    if (at + 5 > this.end) return false;
    if (this.view.getInt32(at, true) !== (FIELD | (letter << 16))) return false;
    if (this.bytes[at + 4] !== COLON) return false;
    this.at = at + 5;
    return true;
  }

  /** Passes exactly these bytes. */
  skip(literal: Uint8Array): boolean {
    const { bytes, at } = this;
    const { length } = literal;
    if (at + length > this.end) return false;
    for (let i = 0; i < length; i++) if (bytes[at + i] !== literal[i]) return false;
    this.at = at + length;
    return true;
  }

  /** Passes a short text in quotes, without escapes. */
  quoted(): boolean {
    const { bytes, end } = this;
    let { at } = this;
    if (bytes[at++] !== QUOTE) return false;
    for (; at < end; at++) {
      const byte = bytes[at]!;
      if (byte === QUOTE) break;
      if (byte < BLANK || byte === BACKSLASH) return false;
    }
    this.at = at + 1;
    return at < end;
  }

  /** A bare integer; -1 where there is none. */
  integer(): number {
    const { bytes, end, at: start } = this;
    let at = start;
    let value = 0;
    for (; at < end; at++) {
      const digit = bytes[at]! - ZERO;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    this.at = at;
    const digits = at - start;
    if (digits === 0 || digits > INTEGER_DIGITS) return -1;
    return digits > 1 && bytes[start] === ZERO ? -1 : value;
  }

  /** Passes `true` or `false`. */
  truth(): boolean {
    const { at, bytes, view } = this;
    if (at + 5 > this.end) return false;
    const word = view.getInt32(at, true);
    if (word === TRUE) this.at = at + 4;
    else if (word === FALS && bytes[at + 4] === LETTER_E) this.at = at + 5;
    else return false;
    return true;
  }

  /** A time of 13 digits (ms) or 16 as Unix microseconds; -1 where there is none that a double holds (June 2255). */
  timeUs(): number {
    const { at: start, view } = this;
    if (start + 17 > this.end) return -1;
    const a = fourDigits(view.getInt32(start, true));
    const b = fourDigits(view.getInt32(start + 4, true));
    const c = fourDigits(view.getInt32(start + 8, true));
    const d = this.bytes[start + 12]! - ZERO;
    if ((a | b | c | d | (9 - d)) < 0 || a < 1000) return -1;
    const ms = a * 1e9 + b * 1e5 + c * 10 + d;
    this.at = start + 13;
    const next = this.bytes[start + 13]! - ZERO;
    if (next < 0 || next > 9) return ms > TIME_MS_MAX ? -1 : ms * 1000;
    const rest = fourDigits(view.getInt32(start + 12, true));
    this.at = start + 16;
    if (rest < 0) return -1;
    const us = ms * 1000 + (rest - d * 1000);
    return us > Number.MAX_SAFE_INTEGER ? -1 : us;
  }

  /** A decimal in quotes, times 10^8; -1 where it is written in another way. */
  decimal(): number {
    const { bytes, view, end } = this;
    let { at } = this;
    if (bytes[at] !== QUOTE) return -1;
    let whole = bytes[++at]! - ZERO;
    if (whole < 0 || whole > 9) return -1;
    if (whole === 0) at++;
    else {
      for (;;) {
        const digit = bytes[++at]! - ZERO;
        if (digit < 0 || digit > 9) break;
        whole = whole * 10 + digit;
        if (whole > WHOLE_MAX) return -1;
      }
    }
    if (bytes[at] !== POINT || at + 10 > end) return -1;
    const high = fourDigits(view.getInt32(at + 1, true));
    const low = fourDigits(view.getInt32(at + 5, true));
    if ((high | low) < 0 || bytes[at + 9] !== QUOTE) return -1;
    this.at = at + 10;
    return whole * 1e8 + (high * 10_000 + low);
  }

  /** Levels into `list`; false where one is written in another way, and the list is then worth nothing. */
  levels(list: LevelList): boolean {
    const { bytes, view, end } = this;
    let { at } = this;
    list.count = 0;
    if (bytes[at++] !== OPEN) return false;
    if (bytes[at] === CLOSE) {
      this.at = at + 1;
      return true;
    }
    // Every step of a level is here and in local variables: a call and a field for each would take half of the time.
    for (;;) {
      if (at + SHORTEST_LEVEL > end || view.getInt16(at, true) !== OPEN_QUOTE) return false;
      let price = bytes[at + 2]! - ZERO;
      if (price < 0 || price > 9) return false;
      let digit = bytes[(at += 3)]! - ZERO;
      for (; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) {
        if (price === 0 || price > WHOLE_MAX / 10) return false;
        price = price * 10 + digit;
      }
      if (digit !== POINT - ZERO || at + SHORTEST_REST > end) return false;
      const priceHigh = lessZeros(view.getInt32(at + 1, true));
      const priceLow = lessZeros(view.getInt32(at + 5, true));
      if (view.getInt16(at + 9, true) !== QUOTE_COMMA) return false;
      if (bytes[at + 11] !== QUOTE) return false;

      let quantity = bytes[at + 12]! - ZERO;
      if (quantity < 0 || quantity > 9) return false;
      digit = bytes[(at += 13)]! - ZERO;
      for (; digit >= 0 && digit <= 9; digit = bytes[++at]! - ZERO) {
        if (quantity === 0 || quantity > WHOLE_MAX / 10) return false;
        quantity = quantity * 10 + digit;
      }
      if (digit !== POINT - ZERO || at + AFTER_POINT > end) return false;
      const high = lessZeros(view.getInt32(at + 1, true));
      const low = lessZeros(view.getInt32(at + 5, true));
      if (view.getInt16(at + 9, true) !== QUOTE_CLOSE) return false;
      if (isBroken(suspicion(priceHigh) | suspicion(priceLow) | suspicion(high) | suspicion(low))) {
        return false;
      }

      const scaled = price * 1e8 + (valueOf(priceHigh) * 10_000 + valueOf(priceLow));
      if (scaled === 0) return false;
      list.add(scaled, quantity * 1e8 + (valueOf(high) * 10_000 + valueOf(low)));
      const next = bytes[at + 11];
      at += 12;
      if (next === COMMA) continue;
      this.at = at;
      return next === CLOSE;
    }
  }
}
