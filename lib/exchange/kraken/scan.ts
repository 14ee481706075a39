/**
 * JSON that keeps its digits: numbers come out as the text they were written with. Kraken's v2 numbers are bare and
 * end in zeros that count (a checksum is over them), and JSON.parse would drop those; ids beyond 2^53 it would bend.
 */
export type Scanned = string | boolean | null | Scanned[] | { [key: string]: Scanned };

const QUOTE = 34;
const BACKSLASH = 92;

class Scanner {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Scanned {
    const value = this.#value();
    if (this.#next() !== -1) throw this.#wrong();
    return value;
  }

  #wrong(): SyntaxError {
    return new SyntaxError(`unexpected character in JSON at ${this.#at}`);
  }

  /** Code of the next character that is not white space, without taking it; -1 at the end. */
  #next(): number {
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 32 && code !== 9 && code !== 10 && code !== 13) return code;
    }
    return -1;
  }

  #value(): Scanned {
    const code = this.#next();
    if (code === QUOTE) return this.#string();
    if (code === 123) return this.#object();
    if (code === 91) return this.#array();
    const match = /[^\s,\]}]*/y;
    match.lastIndex = this.#at;
    const word = match.exec(this.#text)![0];
    this.#at += word.length;
    if (word === 'true') return true;
    if (word === 'false') return false;
    if (word === 'null') return null;
    if (!/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(word)) throw this.#wrong();
    return word;
  }

  #string(): string {
    const from = this.#at + 1;
    let end = from;
    let escaped = false;
    for (; ; end++) {
      const code = this.#text.charCodeAt(end);
      if (code === QUOTE) break;
      if (Number.isNaN(code)) throw this.#wrong();
      if (code === BACKSLASH) {
        escaped = true;
        end++;
      }
    }
    this.#at = end + 1;
    const raw = this.#text.slice(from, end);
    return escaped ? (JSON.parse(`"${raw}"`) as string) : raw;
  }

  #object(): { [key: string]: Scanned } {
    const object: { [key: string]: Scanned } = {};
    this.#at++;
    if (this.#next() === 125) {
      this.#at++;
      return object;
    }
    for (;;) {
      if (this.#next() !== QUOTE) throw this.#wrong();
      const key = this.#string();
      if (this.#next() !== 58) throw this.#wrong();
      this.#at++;
      const value = this.#value();
      if (key !== '__proto__') object[key] = value;
      const code = this.#next();
      this.#at++;
      if (code === 125) return object;
      if (code !== 44) throw this.#wrong();
    }
  }

  #array(): Scanned[] {
    const array: Scanned[] = [];
    this.#at++;
    if (this.#next() === 93) {
      this.#at++;
      return array;
    }
    for (;;) {
      array.push(this.#value());
      const code = this.#next();
      this.#at++;
      if (code === 93) return array;
      if (code !== 44) throw this.#wrong();
    }
  }
}

/** Parses a JSON text; throws SyntaxError where it is none. */
export const scanJson = (text: string): Scanned => new Scanner(text).whole();

/** The value as an object; an empty one for anything else. */
export const asObject = (value: Scanned | undefined): Record<string, Scanned | undefined> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
/** The value as an array; an empty one for anything else. */
export const asArray = (value: Scanned | undefined): readonly Scanned[] =>
  Array.isArray(value) ? value : [];
/** A string, or a number's digits; "" for anything else. */
export const asText = (value: Scanned | undefined): string =>
  typeof value === 'string' ? value : '';
