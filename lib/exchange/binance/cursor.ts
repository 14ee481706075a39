/**
 * Walks over a payload's bytes, as Binance writes them, and makes numbers of digits without making text first. Decimals
 * become integers of 10^8, exact in a double up to 2^53. Whatever is written in another way is refused: the caller then
 * reads the text.
 *
 *   field   = [ "," ] DQUOTE letter DQUOTE ":"
 *   integer = 1*15DIGIT
 *   decimal = DQUOTE ( "0" / %x31-39 *DIGIT ) "." 8DIGIT DQUOTE         ; below 90 million
 *   levels  = "[" [ level *( "," level ) ] "]"
 *   level   = "[" decimal "," decimal "]"                               ; price above zero
 */
import type { LevelList } from '../../market/level-list.ts';

const QUOTE = 34;
const COMMA = 44;
const POINT = 46;
const ZERO = 48;
const COLON = 58;
const OPEN = 91;
const CLOSE = 93;
/** Largest whole part whose eight decimals a double still holds. */
const WHOLE_MAX = 90_071_991;
const INTEGER_DIGITS = 15;
/** `,"?"` as a little-endian number, the letter left out. */
const FIELD = 0x2200222c;

/** Four digits read as one little-endian number; negative where one is not a digit. */
export function fourDigits(word: number): number {
  const digits = (word - 0x30303030) | 0;
  // A byte above 9 gets its highest bit by the addition; one that was below "0" has it already.
  if (((digits | (digits + 0x76767676)) & 0x80808080) !== 0) return -1;
  const pairs = (Math.imul(digits, 10) + (digits >>> 8)) & 0x00ff00ff;
  return (pairs & 0xff) * 100 + (pairs >>> 16);
}

export class Cursor {
  bytes: Buffer = Buffer.alloc(0);
  view: DataView = new DataView(new ArrayBuffer(0));
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

  /** Passes a short text in quotes. */
  quoted(): boolean {
    const { bytes, end } = this;
    let { at } = this;
    if (bytes[at++] !== QUOTE) return false;
    while (at < end && bytes[at] !== QUOTE) at++;
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
    return at === start || at - start > INTEGER_DIGITS ? -1 : value;
  }

  /** A time of 13 digits (ms) or 16 as Unix microseconds; -1 where there is none. */
  timeUs(): number {
    const { at: start, view } = this;
    if (start + 17 > this.end) return -1;
    const a = fourDigits(view.getInt32(start, true));
    const b = fourDigits(view.getInt32(start + 4, true));
    const c = fourDigits(view.getInt32(start + 8, true));
    const d = this.bytes[start + 12]! - ZERO;
    if ((a | b | c | d | (9 - d)) < 0) return -1;
    const ms = a * 1e9 + b * 1e5 + c * 10 + d;
    this.at = start + 13;
    const next = this.bytes[start + 13]! - ZERO;
    if (next < 0 || next > 9) return ms * 1000;
    const rest = this.integer();
    return this.at - start === 16 ? ms * 1000 + rest : -1;
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
    const { bytes } = this;
    list.count = 0;
    if (bytes[this.at++] !== OPEN) return false;
    if (bytes[this.at] === CLOSE) {
      this.at++;
      return true;
    }
    for (;;) {
      if (bytes[this.at++] !== OPEN) return false;
      const price = this.decimal();
      if (price <= 0 || bytes[this.at++] !== COMMA) return false;
      const quantity = this.decimal();
      if (quantity < 0 || bytes[this.at] !== CLOSE) return false;
      list.add(price, quantity);
      const next = bytes[this.at + 1];
      this.at += 2;
      if (next === CLOSE) return true;
      if (next !== COMMA) return false;
    }
  }
}
