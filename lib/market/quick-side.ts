/**
 * One side of a book that changes far more often than anybody looks at it: quantities by price in a hash table, no order.
 * Who asks for the best few gets them out of a short sorted list, made when first asked for and kept right from then on,
 * for as long as somebody goes on asking. Prices and quantities are integers of 10^8, in doubles, at most 2^53.
 *
 * Open addressing, linear probing. A level that goes keeps its place with quantity 0 (its price will be back) until the
 * table is half full and is written anew.
 */
const EMPTY = -1;
const SMALLEST = 256;
/** The sorted list has at most so many. */
const KEPT = 128;
/** After so many messages that nobody asked between, the sorted list goes. */
const IDLE_MAX = 256;

const filled = (size: number): Float64Array<ArrayBuffer> => new Float64Array(size).fill(EMPTY);

export class QuickSide {
  readonly #bid: boolean;
  #prices = filled(SMALLEST);
  #quantities = new Float64Array(SMALLEST);
  #mask = SMALLEST - 1;
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

  /** A level's new quantity; 0 removes it. */
  set(price: number, quantity: number): void {
    const prices = this.#prices;
    let at = spread(price) & this.#mask;
    for (;;) {
      const there = prices[at]!;
      if (there === price) break;
      if (there === EMPTY) {
        if (quantity !== 0) this.#insert(at, price, quantity);
        return;
      }
      at = (at + 1) & this.#mask;
    }
    const before = this.#quantities[at]!;
    this.#quantities[at] = quantity;
    if (before === 0) {
      if (quantity !== 0) this.#came(price);
    } else if (quantity === 0) this.#went(price);
  }

  #insert(at: number, price: number, quantity: number): void {
    this.#prices[at] = price;
    this.#quantities[at] = quantity;
    this.#came(price);
    if (++this.#used * 2 > this.#prices.length) this.#rewrite();
  }

  #came(price: number): void {
    this.#levels++;
    const best = this.#best;
    if (best === undefined) return;
    const whole = best.length === this.#levels - 1;
    const at = this.#place(best, price);
    if (at === best.length && !whole) return;
    best.splice(at, 0, price);
    if (best.length > KEPT) best.pop();
  }

  #went(price: number): void {
    this.#levels--;
    const best = this.#best;
    if (best === undefined) return;
    const at = this.#place(best, price);
    if (best[at] === price) best.splice(at, 1);
  }

  /** Index of the first price that is not better than `price`. */
  #place(best: readonly number[], price: number): number {
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

  /** Writes the table anew without what has gone, twice as large where levels fill a quarter of it. */
  #rewrite(): void {
    const prices = this.#prices;
    const quantities = this.#quantities;
    const size = this.#levels * 4 > prices.length ? prices.length * 2 : prices.length;
    this.#prices = filled(size);
    this.#quantities = new Float64Array(size);
    this.#mask = size - 1;
    this.#used = this.#levels;
    for (let i = 0; i < prices.length; i++) {
      const quantity = quantities[i]!;
      if (quantity === 0) continue;
      const price = prices[i]!;
      let at = spread(price) & this.#mask;
      while (this.#prices[at] !== EMPTY) at = (at + 1) & this.#mask;
      this.#prices[at] = price;
      this.#quantities[at] = quantity;
    }
  }

  /** A message has been applied. */
  applied(): void {
    if (this.#best !== undefined && ++this.#idle > IDLE_MAX) this.#best = undefined;
  }

  quantity(price: number): number {
    let at = spread(price) & this.#mask;
    for (;;) {
      const there = this.#prices[at]!;
      if (there === price) return this.#quantities[at]!;
      if (there === EMPTY) return 0;
      at = (at + 1) & this.#mask;
    }
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
    const all = new Float64Array(this.#levels);
    let next = 0;
    for (let i = 0; i < this.#prices.length; i++) {
      if (this.#quantities[i]! !== 0) all[next++] = this.#prices[i]!;
    }
    all.sort();
    if (!this.#bid) return Array.from(all.subarray(0, count));
    return Array.from(all.subarray(Math.max(0, all.length - count))).reverse();
  }

  clear(): void {
    this.#prices = filled(SMALLEST);
    this.#quantities = new Float64Array(SMALLEST);
    this.#mask = SMALLEST - 1;
    this.#used = 0;
    this.#levels = 0;
    this.#best = undefined;
  }
}

/** A price's place in a table of any size: neighbours far apart. */
function spread(price: number): number {
  const high = (price / 4_294_967_296) | 0;
  const mixed = Math.imul((price >>> 0) ^ Math.imul(high, 0x9e3779b1), 0x85ebca6b);
  return mixed ^ (mixed >>> 15);
}
