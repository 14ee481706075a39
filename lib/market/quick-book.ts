/**
 * An order book for a long stream of changes that is looked at now and then: a few tens of nanoseconds a level. It takes
 * prices and quantities written with eight decimals, below 90 million (`Cursor` says no to others), and gives them back
 * as that very text. What does not fit belongs into an `OrderBook`, which takes any decimal.
 */
import type { Level } from './event.ts';
import type { LevelList } from './level-list.ts';
import { OrderBook } from './order-book.ts';
import { QuickSide } from './quick-side.ts';

/** What can be asked of a book, whichever keeps it. */
export type BookView = {
  /** Last update id applied; 0 before the first. */
  readonly lastId: number;
  /** Event time of the last change, Unix microseconds. */
  readonly timeUs: number;
  /** Best `count` levels, best first. */
  bids(count?: number): Level[];
  asks(count?: number): Level[];
  bestBid(): Level | undefined;
  bestAsk(): Level | undefined;
};

/** `eightDecimals(6183764000000)` is "61837.64000000". */
export function eightDecimals(scaled: number): string {
  const whole = Math.floor(scaled / 1e8);
  // With a one in front, and that cut off: zeros at the front stay.
  return `${whole}.${String(1e8 + (scaled - whole * 1e8)).slice(1)}`;
}

/** Levels that are to be applied, and what they belong to. */
export type QuickChange = {
  readonly lastId: number;
  readonly timeUs: number;
  readonly bids: LevelList;
  readonly asks: LevelList;
};

export class QuickBook implements BookView {
  readonly #bids = new QuickSide('bid');
  readonly #asks = new QuickSide('ask');
  lastId = 0;
  timeUs = 0;

  apply({ bids, asks, lastId, timeUs }: QuickChange): void {
    this.#bids.apply(bids);
    this.#asks.apply(asks);
    this.lastId = lastId;
    this.timeUs = timeUs;
  }

  /** Begins again with these levels. */
  replace(snapshot: QuickChange): void {
    this.clear();
    this.apply(snapshot);
  }

  clear(): void {
    this.#bids.clear();
    this.#asks.clear();
    this.lastId = 0;
    this.timeUs = 0;
  }

  bids(count = Infinity): Level[] {
    return levels(this.#bids, count);
  }
  asks(count = Infinity): Level[] {
    return levels(this.#asks, count);
  }
  bestBid(): Level | undefined {
    return levels(this.#bids, 1)[0];
  }
  bestAsk(): Level | undefined {
    return levels(this.#asks, 1)[0];
  }

  /** The same levels in a book that takes any decimal. */
  toOrderBook(): OrderBook {
    const book = new OrderBook();
    const { lastId, timeUs } = this;
    const change = { kind: 'book', snapshot: false, firstId: lastId, lastId, timeUs } as const;
    book.apply({ ...change, bids: this.bids(), asks: this.asks() });
    return book;
  }
}

function levels(side: QuickSide, count: number): Level[] {
  return side
    .best(Math.min(count, side.size))
    .map((price): Level => [eightDecimals(price), eightDecimals(side.quantity(price))]);
}
