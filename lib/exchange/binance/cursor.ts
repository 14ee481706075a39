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
import { fourDigits, isBroken, suspicion, valueOf, ZEROS } from '../../world/bytes.ts';

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
/** `["0.00000000","0.00000000"]`; of a price all but the digits in front of the point, and the bracket. */
const SHORTEST_LEVEL = 27;
const PRICE_LESS_WHOLE = 12;
/** So many digits are always below `WHOLE_MAX`. */
const WHOLE_DIGITS_MAX = 7;

const NO_BYTES = Buffer.alloc(0);
const NO_VIEW = new DataView(NO_BYTES.buffer);

export class Cursor {
  bytes: Buffer = NO_BYTES;
  view: DataView = NO_VIEW;
  at = 0;
  end = 0;
  /** Digits in front of the point of a level's price, as the last one had; where they lie in the eight bytes before it. */
  #wholeDigits = 1;
  #highMask = 0;
  #lowMask = 0xff << 24;
  #wholeMin = 0;

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
        // Behind the last byte it is not a number, and neither below 0 nor above 9.
        if (!(digit >= 0 && digit <= 9)) break;
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
    // Neighbours have prices of the same length, as a rule, and quantities below ten: then all digits are where they are
    // expected, and are read four at a time without a look at each. Every step is here and in local variables: a call
    // and a field for each would take half of the time.
    for (;;) {
      const point = at + 2 + this.#wholeDigits;
      let next = 0;
      if (
        at >= 8 &&
        point + 26 <= end &&
        bytes[point] === POINT &&
        bytes[point + 13] === POINT &&
        (next = view.getInt32(point + 22, true)) << 16 === QUOTE_CLOSE << 16 &&
        view.getInt16(at, true) === OPEN_QUOTE &&
        view.getInt16(point + 9, true) === QUOTE_COMMA &&
        bytes[point + 11] === QUOTE
      ) {
        const wholeHigh = (view.getInt32(point - 8, true) ^ ZEROS) & this.#highMask;
        const wholeLow = (view.getInt32(point - 4, true) ^ ZEROS) & this.#lowMask;
        const priceHigh = view.getInt32(point + 1, true) ^ ZEROS;
        const priceLow = view.getInt32(point + 5, true) ^ ZEROS;
        const quantity = bytes[point + 12]! - ZERO;
        const high = view.getInt32(point + 14, true) ^ ZEROS;
        const low = view.getInt32(point + 18, true) ^ ZEROS;
        const whole = valueOf(wholeHigh) * 10_000 + valueOf(wholeLow);
        if (
          isBroken(
            suspicion(wholeHigh) |
              suspicion(wholeLow) |
              suspicion(priceHigh) |
              suspicion(priceLow) |
              suspicion(high) |
              suspicion(low) |
              quantity |
              (9 - quantity),
          )
        ) {
          return false;
        }
        const price = whole * 1e8 + (valueOf(priceHigh) * 10_000 + valueOf(priceLow));
        if (whole < this.#wholeMin || price === 0) return false;
        list.add(price, quantity * 1e8 + (valueOf(high) * 10_000 + valueOf(low)));
        at = point + 25;
        next = (next >> 16) & 0xff;
      } else {
        this.at = at;
        if (!this.#level(list)) return false;
        ({ at } = this);
        next = bytes[at++]!;
      }
      if (next === COMMA) continue;
      this.at = at;
      return next === CLOSE;
    }
  }

  /** A level of any length; notes how many digits its price has in front of the point. */
  #level(list: LevelList): boolean {
    const { bytes, view, end } = this;
    let { at } = this;
    if (at + SHORTEST_LEVEL > end || view.getInt16(at, true) !== OPEN_QUOTE) return false;
    this.at = at + 1;
    const price = this.decimal();
    if (price <= 0) return false;
    const digits = this.at - at - PRICE_LESS_WHOLE;
    ({ at } = this);
    if (at >= end || bytes[at] !== COMMA) return false;
    this.at = at + 1;
    const quantity = this.decimal();
    ({ at } = this);
    if (quantity < 0 || at >= end || bytes[at] !== CLOSE || at + 1 >= end) return false;
    this.at = at + 1;
    list.add(price, quantity);
    if (digits <= WHOLE_DIGITS_MAX) this.#expect(digits);
    return true;
  }

  #expect(digits: number): void {
    this.#wholeDigits = digits;
    this.#highMask = digits > 4 ? -1 << (8 * (8 - digits)) : 0;
    this.#lowMask = digits >= 4 ? -1 : -1 << (8 * (4 - digits));
    this.#wholeMin = digits === 1 ? 0 : 10 ** (digits - 1);
  }
}
