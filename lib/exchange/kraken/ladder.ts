/**
 * One side of a Kraken book, best price first. Prices that have the same number of digits after the point order as
 * text: the longer one is the higher, equal lengths compare by character. So no price is ever parsed.
 * An entry is never changed, only replaced: a view knows by identity what it has sent.
 */
import { decimalsOf, fixed, isZeroText } from './digits.ts';

export type Entry = {
  /** The price with the ladder's number of decimals: its place. */
  readonly key: string;
  /** Price and quantity as on the wire. */
  readonly price: string;
  readonly quantity: string;
  /** Event time of its last change, Unix microseconds. */
  readonly timeUs: number;
  /** See checksum.ts; "" until first asked for. */
  digits: string;
};

export class Ladder {
  readonly entries: Entry[] = [];
  readonly #bid: boolean;
  readonly #uniform: boolean;
  #decimals = 0;
  /** True when keys became longer since `settle()`: nothing that was compared by key before holds any more. */
  widened = false;
  /** Lowest index that changed since `settle()`; Infinity when nothing did. */
  changedFrom = Infinity;

  /** `uniform`: prices are rewritten when one comes with more digits, so that all go out with as many. */
  constructor(side: 'bid' | 'ask', uniform: boolean) {
    this.#bid = side === 'bid';
    this.#uniform = uniform;
  }

  /** True when price `a` is better than `b`: higher for a bid, lower for an ask. Both are keys. */
  better(a: string, b: string): boolean {
    const higher = a.length === b.length ? a > b : a.length > b.length;
    return higher === this.#bid && a !== b;
  }

  /** Index of `key`, or of the place where it belongs. Levels change near the top: gallop from there. */
  #find(key: string): number {
    const { entries } = this;
    let low = 0;
    let high = 1;
    while (high < entries.length && this.better(entries[high]!.key, key)) {
      low = high;
      high *= 2;
    }
    if (high > entries.length) high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.better(entries[middle]!.key, key)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** A level's new absolute quantity; zero removes it. */
  set(price: string, quantity: string, timeUs: number): void {
    const decimals = decimalsOf(price);
    if (decimals > this.#decimals) this.#widen(decimals);
    const key = decimals === this.#decimals ? price : fixed(price, this.#decimals);
    const text = this.#uniform ? key : price;
    const at = this.#find(key);
    const exists = this.entries[at]?.key === key;
    if (isZeroText(quantity)) {
      if (!exists) return;
      this.entries.splice(at, 1);
    } else {
      const entry: Entry = { key, price: text, quantity, timeUs, digits: '' };
      if (exists) this.entries[at] = entry;
      else if (at === this.entries.length) this.entries.push(entry);
      else this.entries.splice(at, 0, entry);
    }
    if (at < this.changedFrom) this.changedFrom = at;
  }

  /** A price with more digits than any before: all keys get as many. Happens once or never. */
  #widen(decimals: number): void {
    this.#decimals = decimals;
    const { entries } = this;
    if (entries.length === 0) return;
    for (let i = 0; i < entries.length; i++) {
      const old = entries[i]!;
      const key = fixed(old.key, decimals);
      entries[i] = { ...old, key, price: this.#uniform ? key : old.price, digits: '' };
    }
    this.changedFrom = 0;
    this.widened = true;
  }

  clear(): void {
    this.entries.length = 0;
    this.changedFrom = 0;
  }

  cut(depth: number): void {
    if (this.entries.length > depth) this.entries.length = depth;
  }

  settle(): void {
    this.changedFrom = Infinity;
    this.widened = false;
  }
}
