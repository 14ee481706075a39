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
 *
 * Payloads are scanned into a quick book. The first one that cannot be scanned (blanks, other decimals, quantities of
 * billions) turns it into one that takes any decimal, for good: what one recorder writes once it writes again.
 */
import type { BookChange } from '../../market/event.ts';
import { OrderBook } from '../../market/order-book.ts';
import { QuickBook, type BookView } from '../../market/quick-book.ts';
import { DepthScan } from './depth-scan.ts';
import { readDepth } from './read.ts';

/** 60 s of diffs: no snapshot is that late. */
const BUFFER_MAX = 600;

type Remembered = { readonly firstId: number; readonly lastId: number; readonly payload: Buffer };

export class BookSync {
  /** True once a snapshot has been joined with the stream. */
  synced = false;
  readonly #scan = new DepthScan();
  #quick: QuickBook | undefined = new QuickBook();
  #exact = new OrderBook();
  #remembered: Remembered[] = [];
  /** Last u of the stream itself. */
  #streamId = 0;

  get book(): BookView {
    return this.#quick ?? this.#exact;
  }

  /** Applies a diff, `bytes[start, end)`; false where it is older than the book. Throws TypeError where it is none. */
  diff(bytes: Buffer, start: number, end: number): boolean {
    const scan = this.#scan;
    const quick = this.#quick !== undefined && scan.diff(bytes, start, end);
    const change = quick ? undefined : readDepth(bytes.subarray(start, end), 0);
    const { firstId, lastId } = change ?? scan;
    if (lastId <= this.#streamId) this.reset();
    this.#streamId = lastId;
    const { book } = this;
    if (lastId <= book.lastId) return false;
    if (book.lastId !== 0 && firstId > book.lastId + 1) this.#empty();
    if (!this.synced) {
      if (this.#remembered.length >= BUFFER_MAX) this.#remembered.shift();
      // As bytes: most are never read again.
      this.#remembered.push({ firstId, lastId, payload: Buffer.from(bytes.subarray(start, end)) });
    }
    if (change) this.#anyDecimal().apply(change);
    else this.#quick!.apply(scan);
    return true;
  }

  /** Takes a REST snapshot, wherever it stands in the stream. Throws TypeError where it is none. */
  snapshot(bytes: Buffer, start: number, end: number, timeUs: number): void {
    const scan = this.#scan;
    const quick = this.#quick !== undefined && scan.snapshot(bytes, start, end);
    const change = quick ? undefined : readDepth(bytes.subarray(start, end), timeUs);
    const { lastId } = change ?? scan;
    if (this.synced && lastId <= this.book.lastId) return;
    const later = this.#remembered.filter((diff) => diff.lastId > lastId);
    // A snapshot that ends before the diffs begin cannot be joined with them.
    if (later.length > 0 && later[0]!.firstId > lastId + 1) return;
    if (change) this.#anyDecimal(change);
    else {
      scan.timeUs = timeUs;
      this.#quick!.replace(scan);
    }
    for (const { payload } of later) this.#again(payload);
    this.synced = true;
    this.#remembered = [];
  }

  /** Applies a remembered diff. */
  #again(payload: Buffer): void {
    if (this.#quick && this.#scan.diff(payload, 0, payload.length)) this.#quick.apply(this.#scan);
    else this.#anyDecimal().apply(readDepth(payload, 0));
  }

  /** The book that takes any decimal, with what the quick one had; or begun again with a snapshot. */
  #anyDecimal(snapshot?: BookChange): OrderBook {
    if (snapshot) {
      this.#exact = new OrderBook();
      this.#exact.apply(snapshot);
    } else if (this.#quick) this.#exact = this.#quick.toOrderBook();
    this.#quick = undefined;
    return this.#exact;
  }

  #empty(): void {
    this.#quick?.clear();
    this.#exact = new OrderBook();
    this.synced = false;
    this.#remembered = [];
  }

  /** The log begins anew. */
  reset(): void {
    this.#empty();
    this.#streamId = 0;
  }
}
