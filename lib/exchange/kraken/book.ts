/**
 * The book of one log: what its snapshot and changes add up to, cut to the depth that the log was recorded at.
 * The checksum is worked out when it is asked for, and again only after one of the best ten levels changed.
 */
import type { Level } from '../../market/event.ts';
import { CHECKSUM_DEPTH, bookChecksum } from './checksum.ts';
import { Ladder } from './ladder.ts';

export type BookUpdate = {
  readonly snapshot: boolean;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
};

export class Book {
  /** Levels a side that the log holds; Infinity where it holds all. */
  readonly depth: number;
  readonly bids: Ladder;
  readonly asks: Ladder;
  /** True once a snapshot was applied: before it nothing can be served. */
  ready = false;
  /** Event time of the last change, Unix microseconds. */
  timeUs = 0;
  #checksum = 0;
  #summed = false;

  /** `uniform`: see ladder.ts; for a book whose messages are all written by us. */
  constructor(depth: number, uniform = false) {
    this.depth = depth;
    this.bids = new Ladder('bid', uniform);
    this.asks = new Ladder('ask', uniform);
  }

  /** Applies all levels of a message, then cuts. An update before the first snapshot is left out. */
  apply(update: BookUpdate, timeUs: number): void {
    const { bids, asks } = this;
    bids.settle();
    asks.settle();
    if (update.snapshot) {
      bids.clear();
      asks.clear();
      this.ready = true;
    } else if (!this.ready) return;
    for (const [price, quantity] of update.bids) bids.set(price, quantity, timeUs);
    for (const [price, quantity] of update.asks) asks.set(price, quantity, timeUs);
    bids.cut(this.depth);
    asks.cut(this.depth);
    this.timeUs = timeUs;
    if (bids.changedFrom < CHECKSUM_DEPTH || asks.changedFrom < CHECKSUM_DEPTH)
      this.#summed = false;
  }

  /** True when the last update changed how prices are written: a view must send all levels again. */
  get widened(): boolean {
    return this.bids.widened || this.asks.widened;
  }

  get checksum(): number {
    if (!this.#summed) {
      this.#checksum = bookChecksum(this.bids.entries, this.asks.entries);
      this.#summed = true;
    }
    return this.#checksum;
  }
}
