/**
 * One side of a book that changes far more often than anybody looks at it: quantities by price in a hash table, no order.
 * Who asks for the best few gets them out of a short sorted list, made when first asked for and kept right from then on,
 * for as long as somebody goes on asking. Prices and quantities are integers of 10^8, in doubles, at most 2^53.
 *
 * Open addressing, linear probing; a price and its quantity lie side by side. A level that goes keeps its place with
 * quantity 0 (its price will be back) until the table is three quarters full and is written anew.
 */
import type { LevelList } from './level-list.ts';

const EMPTY = -1;
/** Places at first. */
const SMALLEST = 256;
/** The sorted list has at most so many. */
const KEPT = 128;
/** After so many messages that nobody asked between, the sorted list goes. */
const IDLE_MAX = 256;

export class QuickSide {
  readonly #bid: boolean;
  /** Price, quantity, price, quantity … */
  #table = emptyTable(SMALLEST);
  /** Places taken, by levels or by what is left of them. */
  #used = 0;
  #levels = 0;
  /** Prices of the best levels, best first. */
  #best: number[] | undefined;
  #idle = 0;

  constructor(side: 'bid' | 'ask') {
    this.#bid = side === 'bid';
  }

  get size(): number {
    return this.#levels;
  }

  /** Applies the changes of a message: quantity 0 removes a level. */
  apply({ prices, quantities, count }: LevelList): void {
    if (this.#best !== undefined && ++this.#idle > IDLE_MAX) this.#best = undefined;
    let table = this.#table;
    let last = table.length - 2;
    for (let i = 0; i < count; i++) {
      const price = prices[i]!;
      const quantity = quantities[i]!;
      let at = spread(price) & last;
      let there = table[at]!;
      while (there !== price && there !== EMPTY) {
        at = (at + 2) & last;
        there = table[at]!;
      }
      const before = there === price ? table[at + 1]! : 0;
      if (there === price) table[at + 1] = quantity;
      else if (quantity !== 0) {
        table[at] = price;
        table[at + 1] = quantity;
        this.#used++;
      }
      if (before === 0 && quantity !== 0) this.#came(price);
      else if (before !== 0 && quantity === 0) this.#went(price);
      if (this.#used * 8 > table.length * 3) {
        table = this.#rewrite();
        last = table.length - 2;
      }
    }
  }

  #came(price: number): void {
    this.#levels++;
    const best = this.#best;
    if (best === undefined) return;
    const whole = best.length === this.#levels - 1;
    const at = this.#rank(best, price);
    if (at === best.length && !whole) return;
    best.splice(at, 0, price);
    if (best.length > KEPT) best.pop();
  }

  #went(price: number): void {
    this.#levels--;
    const best = this.#best;
    if (best === undefined) return;
    const at = this.#rank(best, price);
    if (best[at] === price) best.splice(at, 1);
  }

  /** Index of the first price that is not better than `price`. */
  #rank(best: readonly number[], price: number): number {
    let low = 0;
    let high = best.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = best[middle]!;
      if (this.#bid ? there > price : there < price) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Writes the table anew without what has gone, twice as large where levels fill more than a third of it. */
  #rewrite(): Float64Array<ArrayBuffer> {
    const old = this.#table;
    const places = old.length / 2;
    const table = emptyTable(this.#levels * 3 > places ? places * 2 : places);
    const last = table.length - 2;
    for (let from = 0; from < old.length; from += 2) {
      const quantity = old[from + 1]!;
      if (quantity === 0) continue;
      const price = old[from]!;
      let at = spread(price) & last;
      while (table[at] !== EMPTY) at = (at + 2) & last;
      table[at] = price;
      table[at + 1] = quantity;
    }
    this.#used = this.#levels;
    this.#table = table;
    return table;
  }

  /** Quantity at a price; 0 where there is no level. */
  quantity(price: number): number {
    const table = this.#table;
    const last = table.length - 2;
    let at = spread(price) & last;
    while (table[at] !== price) {
      if (table[at] === EMPTY) return 0;
      at = (at + 2) & last;
    }
    return table[at + 1]!;
  }

  /** Prices of the best `count` levels, best first. */
  best(count: number): readonly number[] {
    if (count > KEPT / 2) return this.#sorted(count);
    this.#idle = 0;
    let best = this.#best;
    if (best === undefined || (best.length < count && best.length < this.#levels)) {
      this.#best = best = this.#sorted(KEPT);
    }
    return count >= best.length ? best : best.slice(0, count);
  }

  #sorted(count: number): number[] {
    const table = this.#table;
    const all = new Float64Array(this.#levels);
    let next = 0;
    for (let at = 0; at < table.length; at += 2) {
      if (table[at + 1] !== 0) all[next++] = table[at]!;
    }
    all.sort();
    if (!this.#bid) return Array.from(all.subarray(0, count));
    return Array.from(all.subarray(Math.max(0, all.length - count))).reverse();
  }

  clear(): void {
    this.#table = emptyTable(SMALLEST);
    this.#used = 0;
    this.#levels = 0;
    this.#best = undefined;
  }
}

function emptyTable(places: number): Float64Array<ArrayBuffer> {
  const table = new Float64Array(places * 2);
  for (let at = 0; at < table.length; at += 2) table[at] = EMPTY;
  return table;
}

/** A price's place in a table of any size, an even number after `& (length - 2)`: neighbours far apart. */
function spread(price: number): number {
  const high = (price * 2 ** -32) | 0;
  const mixed = Math.imul((price >>> 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
