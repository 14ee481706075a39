/**
 * An order book of decimal text. Levels are kept sorted, best first, with the price scaled to a BigInt once when the
 * level appears; the text that came in is the text that goes out (checksums are over those very digits).
 */
import { isZero, toScaled } from './decimal.ts';
import type { BookChange, Level } from './event.ts';

type Entry = { readonly key: bigint; readonly price: string; quantity: string };

const NONE: readonly Entry[] = [];

/** One side, best price first. */
class Side {
  readonly entries: Entry[] = [];
  readonly #sign: bigint;

  constructor(side: 'bid' | 'ask') {
    this.#sign = side === 'bid' ? -1n : 1n;
  }

  /** Index of `key`, or of the place where it belongs. Levels change near the top: gallop from there. */
  #find(key: bigint): number {
    const entries = this.entries;
    let low = 0;
    let high = 1;
    while (high < entries.length && entries[high]!.key < key) {
      low = high;
      high *= 2;
    }
    if (high > entries.length) high = entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (entries[middle]!.key < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  set(price: string, quantity: string): void {
    const key = toScaled(price, 12) * this.#sign;
    const at = this.#find(key);
    const found = this.entries[at];
    const exists = found !== undefined && found.key === key;
    if (isZero(quantity)) {
      if (exists) this.entries.splice(at, 1);
    } else if (exists) {
      // A price may be written with other digits than before: the newest text counts.
      if (found.price === price) found.quantity = quantity;
      else this.entries[at] = { key, price, quantity };
    } else {
      this.entries.splice(at, 0, { key, price, quantity });
    }
  }

  /** Drops what lies beyond `depth`; returns it. */
  cut(depth: number): readonly Entry[] {
    return this.entries.length > depth ? this.entries.splice(depth) : NONE;
  }

  top(count: number): Level[] {
    const end = Math.min(count, this.entries.length);
    const levels: Level[] = [];
    for (let i = 0; i < end; i++) {
      const entry = this.entries[i]!;
      levels.push([entry.price, entry.quantity]);
    }
    return levels;
  }
}

export class OrderBook {
  readonly #bids = new Side('bid');
  readonly #asks = new Side('ask');
  /** Last update id applied; 0 before the first. */
  lastId = 0;
  /** Event time of the last change, Unix microseconds. */
  timeUs = 0;
  /** True once a snapshot has been applied. */
  ready = false;

  /** Applies a change; a snapshot replaces all. Where `depth` is given both sides are cut to it afterwards. */
  apply(change: BookChange, depth: number = change.depth ?? Infinity): void {
    if (change.snapshot) {
      this.#bids.entries.length = 0;
      this.#asks.entries.length = 0;
      this.ready = true;
    }
    for (const [price, quantity] of change.bids) this.#bids.set(price, quantity);
    for (const [price, quantity] of change.asks) this.#asks.set(price, quantity);
    if (depth !== Infinity) {
      this.#bids.cut(depth);
      this.#asks.cut(depth);
    }
    this.lastId = change.lastId;
    this.timeUs = change.timeUs;
  }

  /** Cuts both sides to `depth`; tells which levels left, for a venue that has to say so. */
  trim(depth: number): { bids: readonly string[]; asks: readonly string[] } {
    return {
      bids: this.#bids.cut(depth).map(({ price }) => price),
      asks: this.#asks.cut(depth).map(({ price }) => price),
    };
  }

  /** Best `count` levels, best first. */
  bids(count = Infinity): Level[] {
    return this.#bids.top(count);
  }
  asks(count = Infinity): Level[] {
    return this.#asks.top(count);
  }
  bestBid(): Level | undefined {
    const best = this.#bids.entries[0];
    return best && [best.price, best.quantity];
  }
  bestAsk(): Level | undefined {
    const best = this.#asks.entries[0];
    return best && [best.price, best.quantity];
  }
  /** True when the best bid is at or above the best ask: never so on a sound book. */
  crossed(): boolean {
    const bid = this.#bids.entries[0];
    const ask = this.#asks.entries[0];
    return bid !== undefined && ask !== undefined && -bid.key >= ask.key;
  }
}
