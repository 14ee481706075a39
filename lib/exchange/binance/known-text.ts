/**
 * Texts of numbers without a call into the runtime: that takes longer than the rest of reading a trade. Prices repeat, so
 * their texts are kept by value; short texts are put together of texts of four and three digits that are kept for good.
 * All of them are flat and none holds on to the bytes it was read from: a sum of up to 12 characters is a copy.
 */

/** Longest text that V8 copies when it puts two together; from 13 characters on it makes a tree. */
const FLAT_MAX = 12;

const KEPT = 1024;
const THREE = 1000;

/** "0000" to "9999", "000" to "999": filled in as they are asked for. */
const fours: string[] = Array.from({ length: 10_000 }, () => '');
const threes: string[] = Array.from({ length: THREE }, () => '');

const four = (value: number): string => (fours[value] ||= String(value).padStart(4, '0'));
const three = (value: number): string => (threes[value] ||= String(value).padStart(3, '0'));

/** A place for a whole number below 2^53: neighbours, and multiples of powers of ten, apart. */
const placeOf = (value: number): number => Math.imul(value | 0, 0x9e3779b1) >>> 22;

/** Texts by their values; one value has one text. Another value in the same place takes it over. */
class KeptTexts {
  readonly #values = new Float64Array(KEPT).fill(-1);
  readonly #texts: string[] = Array.from({ length: KEPT }, () => '');

  /** The text of `value`; "" where it is not kept. */
  get(value: number): string {
    const place = placeOf(value);
    return this.#values[place] === value ? this.#texts[place]! : '';
  }

  /** Keeps a text; returns it. */
  set(value: number, text: string): string {
    const place = placeOf(value);
    this.#values[place] = value;
    return (this.#texts[place] = text);
  }
}

/** Decimals of eight digits after the point, "0.00088000": the text is `bytes[from, to)`, its parts are numbers. */
export class DecimalTexts {
  readonly #kept = new KeptTexts();
  readonly #wholes = new KeptTexts();

  /** `whole`, and the upper and lower four digits behind the point. */
  text(whole: number, high: number, low: number, bytes: Buffer, from: number, to: number): string {
    const value = whole * 1e8 + (high * 10_000 + low);
    const text = this.#kept.get(value);
    if (text !== '') return text;
    if (to - from > FLAT_MAX) return this.#kept.set(value, bytes.toString('latin1', from, to));
    const wholes = this.#wholes;
    const before = wholes.get(whole) || wholes.set(whole, bytes.toString('latin1', from, to - 8));
    return this.#kept.set(value, before + four(high) + four(low));
  }
}

/** Ids without zeros in front, below 2^53: the text is `bytes[from, to)`. Its last three digits are put to the others. */
export class IdTexts {
  readonly #thousands = new KeptTexts();

  text(id: number, bytes: Buffer, from: number, to: number): string {
    const digits = to - from;
    if (digits > FLAT_MAX || digits <= 3) return bytes.toString('latin1', from, to);
    const upper = Math.floor(id / THREE);
    const thousands = this.#thousands;
    const before =
      thousands.get(upper) || thousands.set(upper, bytes.toString('latin1', from, to - 3));
    return before + three(id - upper * THREE);
  }
}
