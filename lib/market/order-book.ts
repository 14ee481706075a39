/**
 * An order book of decimal text. Levels are kept sorted, with the price scaled to a BigInt once when the
 * level appears; the text that came in is the text that goes out (checksums are over those very digits).
 */
import { isZero, toScaled } from './decimal.ts';
import type { BookChange, Level } from './event.ts';

type Entry = { readonly key: bigint; readonly price: string; quantity: string };

const NONE: readonly Entry[] = [];

/** A text of its own: a slice, which V8 makes from 13 characters on, would keep the whole message alive with it. */
const own = (text: string): string =>
  text.length < 13 ? text : Buffer.from(text, 'latin1').toString('latin1');

/**
 * One side, best price last: changes come near the best, and putting something into an array costs what lies behind it.
 */
class Side {
  readonly entries: Entry[] = [];
  /** Keys rise from the worst price to the best. */
  readonly #sign: bigint;

  constructor(side: 'bid' | 'ask') {
    this.#sign = side === 'bid' ? 1n : -1n;
  }

  /** Index of the first key that is not below `key`. Gallops away from the best. */
  #find(key: bigint): number {
    const entries = this.entries;
    let high = entries.length;
    let stride = 1;
    let low = high - stride;
    while (low >= 0 && entries[low]!.key >= key) {
      high = low;
      stride *= 2;
      low = high - stride;
    }
    low = low < 0 ? 0 : low + 1;
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
    } else if (at === this.entries.length) {
      this.entries.push({ key, price: own(price), quantity });
    } else {
      this.entries.splice(at, 0, { key, price: own(price), quantity });
    }
  }

  setAll(levels: readonly Level[]): void {
    for (let i = 0; i < levels.length; i++) {
      const level = levels[i]!;
      this.set(level[0], level[1]);
    }
  }

  best(): Entry | undefined {
    return this.entries[this.entries.length - 1];
  }

  /** Drops what lies beyond `depth`; returns it. */
  cut(depth: number): readonly Entry[] {
    const beyond = this.entries.length - depth;
    return beyond > 0 ? this.entries.splice(0, beyond) : NONE;
  }

  top(count: number): Level[] {
    const entries = this.entries;
    const end = Math.max(0, entries.length - count);
    const levels: Level[] = [];
    for (let i = entries.length - 1; i >= end; i--) {
      const entry = entries[i]!;
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
    this.#bids.setAll(change.bids);
    this.#asks.setAll(change.asks);
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
    const best = this.#bids.best();
    return best && [best.price, best.quantity];
  }
  bestAsk(): Level | undefined {
    const best = this.#asks.best();
    return best && [best.price, best.quantity];
  }
  /** True when the best bid is at or above the best ask: never so on a sound book. */
  crossed(): boolean {
    const bid = this.#bids.best();
    const ask = this.#asks.best();
    return bid !== undefined && ask !== undefined && bid.key >= -ask.key;
  }
}
