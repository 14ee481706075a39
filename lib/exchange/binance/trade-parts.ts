/**
 * The parts of a trade: where each stands in the bytes and what it is worth, found first, made a text only once all of the
 * trade is known to be sound. Each part is kept by its reader and filled again and again with numbers: a text put into an
 * object that lives long would have to be told to the garbage collector.
 *
 *   id      = "0" / %x31-39 *19DIGIT                     ; any 64 bits
 *   decimal = 1*DIGIT [ "." 1*DIGIT ] DQUOTE             ; at most 40 bytes
 *   time    = 13DIGIT "," / 16DIGIT                      ; ms, us
 */
import { fourDigits, isBroken, lessZeros, suspicion, valueOf } from '../../world/bytes.ts';
import { DecimalTexts, IdTexts } from './known-text.ts';

const QUOTE = 34;
const COMMA = 44;
const POINT = 46;
const ZERO = 48;
const ID_DIGITS = 20;
/** Digits of an id that a double holds for certain. */
const EXACT_DIGITS = 15;
const DECIMAL_MAX = 40;
/** Largest whole part whose eight decimals a double still holds. */
const WHOLE_MAX = 90_071_989;

/** Behind the digits that begin at `at`. */
function digitsEnd(bytes: Buffer, at: number): number {
  let end = at;
  for (;;) {
    const digit = bytes[end]! - ZERO;
    if (!(digit >= 0 && digit <= 9)) return end;
    end++;
  }
}

export class IdPart {
  readonly #texts = new IdTexts();
  #from = 0;
  #to = 0;
  #value = 0;

  /** Reads the id at `from`; behind it, or -1. */
  read(bytes: Buffer, from: number): number {
    let at = from;
    let value = 0;
    for (;;) {
      const digit = bytes[at]! - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      at++;
    }
    const digits = at - from;
    if (digits === 0 || digits > ID_DIGITS || (digits > 1 && bytes[from] === ZERO)) return -1;
    this.#from = from;
    this.#to = at;
    this.#value = value;
    return at;
  }

  text(bytes: Buffer): string {
    const from = this.#from;
    const to = this.#to;
    if (to - from > EXACT_DIGITS) return bytes.toString('latin1', from, to);
    return this.#texts.text(this.#value, bytes, from, to);
  }
}

export class DecimalPart {
  readonly #texts = new DecimalTexts();
  #from = 0;
  #to = 0;
  #whole = 0;
  /** The upper four of eight digits behind the point; -1 where there are more or fewer. */
  #high = 0;
  #low = 0;

  /** Reads the decimal at `from`, with the quote behind it; behind that, or -1. */
  read(words: DataView, bytes: Buffer, from: number, end: number): number {
    let whole = bytes[from]! - ZERO;
    let at = from + 1;
    if (whole !== 0) {
      if (!(whole > 0 && whole <= 9)) return -1;
      for (;;) {
        const digit = bytes[at]! - ZERO;
        if (!(digit >= 0 && digit <= 9) || whole > WHOLE_MAX) break;
        whole = whole * 10 + digit;
        at++;
      }
    }
    if (bytes[at] !== POINT || at + 10 > end || whole > WHOLE_MAX) return this.#long(bytes, from);
    const high = lessZeros(words.getInt32(at + 1, true));
    const low = lessZeros(words.getInt32(at + 5, true));
    if (bytes[at + 9] !== QUOTE || isBroken(suspicion(high) | suspicion(low))) {
      return this.#long(bytes, from);
    }
    this.#from = from;
    this.#to = at + 9;
    this.#whole = whole;
    this.#high = valueOf(high);
    this.#low = valueOf(low);
    return at + 10;
  }

  /** The same of any number of digits. */
  #long(bytes: Buffer, from: number): number {
    let at = digitsEnd(bytes, from);
    if (at === from) return -1;
    if (bytes[at] === POINT) {
      const fraction = at + 1;
      at = digitsEnd(bytes, fraction);
      if (at === fraction) return -1;
    }
    if (bytes[at] !== QUOTE || at - from > DECIMAL_MAX) return -1;
    this.#from = from;
    this.#to = at;
    this.#high = -1;
    return at + 1;
  }

  text(bytes: Buffer): string {
    const from = this.#from;
    const to = this.#to;
    if (this.#high < 0) return bytes.toString('latin1', from, to);
    return this.#texts.text(this.#whole, this.#high, this.#low, bytes, from, to);
  }
}

export class TimePart {
  /** Unix microseconds. */
  us = 0;
  /** The upper eight digits, which stay for minutes, as two words, and their worth. */
  #upper = 0x30303031;
  #middle = 0x30303030;
  #sinceMs = 1e12;

  /** Reads the time at `at`, of which 16 bytes can be read; behind it, or -1: none, or one that no double holds. */
  read(words: DataView, bytes: Buffer, at: number): number {
    const upper = words.getInt32(at, true);
    const middle = words.getInt32(at + 4, true);
    if (upper !== this.#upper || middle !== this.#middle) {
      const [a, b] = [fourDigits(upper), fourDigits(middle)];
      if (a < 1000 || b < 0) return -1;
      this.#upper = upper;
      this.#middle = middle;
      this.#sinceMs = a * 1e9 + b * 1e5;
    }
    const c = fourDigits(words.getInt32(at + 8, true));
    const d = bytes[at + 12]! - ZERO;
    if ((c | d | (9 - d)) < 0) return -1;
    const us = (this.#sinceMs + (c * 10 + d)) * 1000;
    let rest = 0;
    const short = bytes[at + 13] === COMMA;
    if (!short) {
      rest = fourDigits(words.getInt32(at + 12, true)) - d * 1000;
      if (rest < 0) return -1;
    }
    if (us + rest > Number.MAX_SAFE_INTEGER) return -1;
    this.us = us + rest;
    return short ? at + 13 : at + 16;
  }
}
