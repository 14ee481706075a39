/**
 * The book of a log that holds 100 ms diffs and, somewhere among them, REST snapshots. Binance's rule: buffer diffs
 * until the snapshot is there, drop those with u <= lastUpdateId, apply the rest; from then on each U is the last u+1.
 *
 *   state      diff                                          snapshot
 *   partial    applied to what is known, and remembered      replaces the book, remembered diffs on top -> synced
 *   synced     U = u+1: applied; U beyond it -> partial      older than the book: nothing; newer: replaces the book
 *   any        u runs backwards: the log began anew -> partial, empty
 *
 * A partial book has only the levels that were seen changing, but it is what a client of the stream can know too, so
 * ids and levels that we serve agree with the stream at any time.
 */
import type { BookChange } from '../../market/event.ts';
import { OrderBook } from '../../market/order-book.ts';

/** 60 s of diffs: no snapshot is that late. */
const BUFFER_MAX = 600;

export class BookSync {
  book = new OrderBook();
  /** True once a snapshot has been joined with the stream. */
  synced = false;
  #remembered: BookChange[] = [];
  /** Last u of the stream itself. */
  #streamId = 0;

  /** Applies a diff; false where it is older than the book. */
  diff(change: BookChange): boolean {
    if (change.lastId <= this.#streamId) this.reset();
    this.#streamId = change.lastId;
    if (change.lastId <= this.book.lastId) return false;
    if (this.book.lastId !== 0 && change.firstId > this.book.lastId + 1) {
      this.book = new OrderBook();
      this.#remembered = [];
      this.synced = false;
    }
    if (!this.synced) {
      if (this.#remembered.length >= BUFFER_MAX) this.#remembered.shift();
      this.#remembered.push(change);
    }
    this.book.apply(change);
    return true;
  }

  /** Takes a REST snapshot, wherever it stands in the stream. */
  snapshot(snapshot: BookChange): void {
    if (this.synced && snapshot.lastId <= this.book.lastId) return;
    const later = this.#remembered.filter((change) => change.lastId > snapshot.lastId);
    // A snapshot that ends before the diffs begin cannot be joined with them.
    if (later.length > 0 && later[0]!.firstId > snapshot.lastId + 1) return;
    const book = new OrderBook();
    book.apply(snapshot);
    for (const change of later) book.apply(change);
    this.book = book;
    this.synced = true;
    this.#remembered = [];
  }

  /** The log begins anew. */
  reset(): void {
    this.book = new OrderBook();
    this.synced = false;
    this.#remembered = [];
    this.#streamId = 0;
  }
}
