/** The newest trades of a market, oldest first, for REST: a bounded list that can be searched by id and time. */
import type { Trade } from '../../market/event.ts';

/** Ids are digits without leading zeros: the longer is the larger. */
const isBefore = (a: string, b: string): boolean =>
  a.length === b.length ? a < b : a.length < b.length;

/** What REST asks of a list of trades. */
export type TradeList<T extends Trade> = {
  last(): T | undefined;
  /** The newest `limit`. */
  newest(limit: number): readonly T[];
  /** At most `limit` from `id` on. */
  fromId(id: string, limit: number): readonly T[];
  /** Those between two times, both inclusive, Unix microseconds. */
  between(fromUs: number, toUs: number): readonly T[];
};

export class History<T extends Trade> implements TradeList<T> {
  readonly #keep: number;
  #items: T[] = [];

  constructor(keep = 5000) {
    this.#keep = keep;
  }

  push(item: T): void {
    const items = this.#items;
    items.push(item);
    // Cut in lots: shifting the whole array for every trade would cost more than the trade.
    if (items.length >= this.#keep * 1.25) items.splice(0, items.length - this.#keep);
  }

  clear(): void {
    this.#items = [];
  }

  last(): T | undefined {
    return this.#items.at(-1);
  }

  newest(limit: number): readonly T[] {
    return this.#items.slice(-limit);
  }

  fromId(id: string, limit: number): readonly T[] {
    const at = this.#first((item) => !isBefore(item.id, id));
    return this.#items.slice(at, at + limit);
  }

  between(fromUs: number, toUs: number): readonly T[] {
    const at = this.#first((item) => item.timeUs >= fromUs);
    const end = this.#first((item) => item.timeUs > toUs);
    return this.#items.slice(at, end);
  }

  #first(holds: (item: T) => boolean): number {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (holds(this.#items[middle]!)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
