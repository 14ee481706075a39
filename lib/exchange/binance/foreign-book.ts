/**
 * Another venue's book as Binance would tell it. That venue numbers nothing, lets levels drop out of its depth without
 * a word and may send a new snapshot at any time; here every change of a level gets the next update id, a level that
 * drops out is removed, and a new snapshot becomes the difference to the book before it.
 */
import { isZero } from '../../market/decimal.ts';
import type { BookChange, Level } from '../../market/event.ts';
import { OrderBook } from '../../market/order-book.ts';
import { eight, type DepthDiff } from './write.ts';

const GONE = '0.00000000';

/** Levels with 8 digits; the last word about a price counts. */
const toMap = (levels: readonly Level[]): Map<string, string> => {
  const map = new Map<string, string>();
  for (const [price, quantity] of levels) {
    map.set(eight(price), isZero(quantity) ? GONE : eight(quantity));
  }
  return map;
};

/** What turns the levels `from` into `to`. */
function difference(from: readonly Level[], to: Map<string, string>): Map<string, string> {
  const before = new Map(from);
  const changes = new Map<string, string>();
  for (const price of before.keys()) if (!to.has(price)) changes.set(price, GONE);
  for (const [price, quantity] of to) {
    if (before.get(price) !== quantity) changes.set(price, quantity);
  }
  return changes;
}

export class ForeignBook {
  readonly book = new OrderBook();
  #lastId: number;

  /** `firstId`: where update ids begin. */
  constructor(firstId: number) {
    this.#lastId = firstId;
    this.book.lastId = firstId;
  }

  /** Applies a change; returns it in Binance's terms, or undefined where nothing is different. */
  apply(change: BookChange): DepthDiff | undefined {
    let bids = toMap(change.bids);
    let asks = toMap(change.asks);
    if (change.snapshot) {
      bids = difference(this.book.bids(), bids);
      asks = difference(this.book.asks(), asks);
    }
    this.#set(bids, asks, change.timeUs);
    if (change.depth !== undefined) {
      const gone = this.book.trim(change.depth);
      for (const price of gone.bids) bids.set(price, GONE);
      for (const price of gone.asks) asks.set(price, GONE);
    }
    const count = bids.size + asks.size;
    if (count === 0) return undefined;
    const firstId = this.#lastId + 1;
    this.#lastId += count;
    this.book.lastId = this.#lastId;
    return { firstId, lastId: this.#lastId, bids: [...bids], asks: [...asks] };
  }

  #set(bids: Map<string, string>, asks: Map<string, string>, timeUs: number): void {
    this.book.ready = true;
    this.book.apply({
      kind: 'book',
      timeUs,
      snapshot: false,
      firstId: 0,
      lastId: this.#lastId,
      bids: [...bids],
      asks: [...asks],
    });
  }
}
