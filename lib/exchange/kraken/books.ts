/**
 * The book channel of one instrument: books as recorded below, subscriptions of five depths above.
 *
 * A depth is served from the log recorded at that very depth, byte for byte; else derived from the next larger log;
 * else from the largest there is. Which one is decided anew whenever a log gets its first snapshot, and a depth that
 * changes its source starts over with a snapshot of its own. A snapshot that comes again later (after a reconnect of
 * the recorder) is passed on where frames are; derived depths are told what it changed, nothing if it changed nothing.
 * While history is read in, nothing is sent; whoever already waits then gets one snapshot of where it ended.
 */
import type { Level } from '../../market/event.ts';
import type { Broadcast } from '../exchange.ts';
import { Book, type BookUpdate } from './book.ts';
import { depths } from './channel.ts';
import { formatTimeUs } from './time.ts';
import { BookView } from './view.ts';
import { writeBook } from './write.ts';

/** A book and how it came: `verbatim` where its payloads are Kraken's own frames of that depth. */
export type BookSource = { readonly book: Book; readonly verbatim: boolean };

type Served = {
  readonly depth: number;
  readonly topic: string;
  readonly view: BookView;
  source: BookSource | undefined;
  /** True when clients hold what `source` says, and `view` knows it; else they need a snapshot. */
  inStep: boolean;
};

const toLevels = (
  entries: readonly { price: string; quantity: string }[],
  depth: number,
): Level[] => entries.slice(0, depth).map(({ price, quantity }) => [price, quantity]);

export class Books {
  readonly #symbol: string;
  readonly #broadcast: Broadcast;
  readonly #sources = new Map<string, BookSource>();
  readonly #served: readonly Served[];

  constructor(symbol: string, broadcast: Broadcast) {
    this.#symbol = symbol;
    this.#broadcast = broadcast;
    this.#served = depths.map((depth) => ({
      depth,
      topic: `${symbol} book-${depth}`,
      view: new BookView(depth),
      source: undefined,
      inStep: false,
    }));
  }

  /** The book of one log, made at its first record. `depth` Infinity: a whole book of another venue. */
  source(log: string, depth: number, verbatim: boolean): BookSource {
    let source = this.#sources.get(log);
    if (!source) {
      source = { book: new Book(depth, !verbatim), verbatim };
      this.#sources.set(log, source);
    }
    return source;
  }

  /** The book with the most levels, for REST; undefined before the first snapshot. */
  get deepest(): Book | undefined {
    let best: BookSource | undefined;
    for (const source of this.#sources.values()) {
      if (source.book.ready && (!best || source.book.depth > best.book.depth)) best = source;
    }
    return best?.book;
  }

  /** The book whose best levels are the quote; undefined before the first snapshot. */
  get nearest(): Book | undefined {
    return this.#served[0]!.source?.book;
  }

  /**
   * Applies a message to a source's book and tells the depths that are served from it. `payload` is the frame to pass
   * on where the source is verbatim; `timestamp` that of the frame, RFC 3339, where it has one.
   */
  apply(
    source: BookSource,
    update: BookUpdate,
    timeUs: number,
    timestamp: string,
    live: boolean,
    payload: Buffer | undefined,
  ): void {
    const { book } = source;
    const first = update.snapshot && !book.ready;
    book.apply(update, timeUs);
    if (!book.ready) return;
    if (first) this.#choose();
    for (const served of this.#served) {
      if (served.source !== source) continue;
      if (!live) served.inStep = false;
      else if (this.#broadcast.wanted(served.topic)) {
        this.#tell(served, source, update.snapshot, timestamp, payload);
      }
    }
  }

  #tell(
    served: Served,
    source: BookSource,
    snapshot: boolean,
    timestamp: string,
    payload: Buffer | undefined,
  ): void {
    const { book } = source;
    const { topic, depth, view } = served;
    const verbatim = payload && source.verbatim && depth === book.depth;
    if (verbatim && (snapshot || served.inStep)) {
      served.inStep = true;
      this.#broadcast.publish(topic, payload);
    } else if (!served.inStep || book.widened) {
      served.inStep = true;
      view.hold(book);
      this.#broadcast.publish(topic, this.#snapshot(depth, book));
    } else {
      const changes = view.changes(book);
      if (!changes) return;
      const { bids, asks } = changes;
      const at = timestamp || formatTimeUs(book.timeUs);
      const { checksum } = book;
      this.#broadcast.publish(topic, writeBook('update', this.#symbol, bids, asks, checksum, at));
    }
  }

  #choose(): void {
    const ready = [...this.#sources.values()].filter(({ book }) => book.ready);
    for (const served of this.#served) {
      const best = ready.reduce((a, b) => (this.#better(b, a, served.depth) ? b : a));
      if (best === served.source) continue;
      served.source = best;
      served.inStep = false;
    }
  }

  /** True when `a` serves `depth` better than `b`: our own venue's first, then the nearest depth from above. */
  #better(a: BookSource, b: BookSource, depth: number): boolean {
    if (a.verbatim !== b.verbatim) return a.verbatim;
    const [deep, deeper] = [a.book.depth, b.book.depth];
    if (deep >= depth !== deeper >= depth) return deep >= depth;
    return deep >= depth ? deep < deeper : deep > deeper;
  }

  #snapshot(depth: number, book: Book): string {
    const bids = toLevels(book.bids.entries, depth);
    const asks = toLevels(book.asks.entries, depth);
    const at = formatTimeUs(book.timeUs);
    return writeBook('snapshot', this.#symbol, bids, asks, book.checksum, at);
  }

  topic(depth: number): string {
    return this.#served.find((served) => served.depth === depth)!.topic;
  }

  /** A client is about to join a depth: the book now, or undefined before there is one (its snapshot will come). */
  join(depth: number): string | undefined {
    const served = this.#served.find((one) => one.depth === depth)!;
    if (!served.source) return undefined;
    const { book } = served.source;
    if (!this.#broadcast.wanted(served.topic)) {
      // Nobody looked since when: what the view holds is old.
      served.view.hold(book);
      served.inStep = true;
    }
    return this.#snapshot(depth, book);
  }
}
