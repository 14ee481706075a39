/**
 * A made-up market on Kraken's v2 wire: a trade frame a taker's order, and a book frame for every act, with the
 * checksum of the book after it. The book has a few hundred levels a side, far below the depth of 1,000 that the log's
 * name states, so nothing is ever pushed out of it.
 *
 * After a restart the book is the last snapshot in its log and the updates behind it; a new snapshot follows, equal to
 * what clients hold, and the next update's checksum fits it.
 */
import { bookChecksum } from '../../exchange/kraken/checksum.ts';
import { type BookFrame, readBook } from '../../exchange/kraken/read.ts';
import { formatTimeUs } from '../../exchange/kraken/time.ts';
import { writeBook, writeTrades } from '../../exchange/kraken/write.ts';
import type { Level, Trade } from '../../market/event.ts';
import { OrderBook } from '../../market/order-book.ts';
import { type LogName, logName } from '../../log/name.ts';
import type { SourceRecord } from '../source.ts';
import type { Market } from './market.ts';
import { LOOK_BACK, SNAPSHOT_EVERY_RECORDS, SNAPSHOT_EVERY_US, newest } from './stream.ts';
import type { Stream, Tail } from './stream.ts';

const FIRST_TRADE_ID = 90_000_000;

export class KrakenStream implements Stream {
  readonly logs: readonly LogName[];
  readonly #symbol: string;
  readonly #market: Market;
  readonly #trade: LogName;
  readonly #book: LogName;
  #tradeId = FIRST_TRADE_ID;
  #snapshotUs = 0;
  #sinceSnapshot = 0;
  /** The checksum, and the state of the best levels that it is of. */
  #checksum = 0;
  #checkedVersion = -1;

  constructor(instrument: string, market: Market) {
    this.#symbol = instrument.replace('-', '/');
    this.#market = market;
    this.#trade = logName(`kraken/${instrument}/trade`);
    this.#book = logName(`kraken/${instrument}/book-1000`);
    this.logs = [this.#trade, this.#book];
  }

  open(tail: Tail, nowUs: number, out: SourceRecord[]): void {
    const trade = newest(tail(this.#trade));
    const ids = trade?.match(/"trade_id":\d+/g);
    if (ids) this.#tradeId = Number(ids.at(-1)!.slice('"trade_id":'.length));
    if (!this.#restore(tail, nowUs, out)) this.#market.begin();
    this.#putSnapshot(nowUs, out);
  }

  /** Rebuilds the book from its log; false where there is nothing to rebuild it from. */
  #restore(tail: Tail, nowUs: number, out: SourceRecord[]): boolean {
    const log = tail(this.#book);
    if (!log) return false;
    const changes: BookFrame[] = [];
    for (const payload of log.backward()) {
      const change = readBook(payload.toString('latin1'));
      if (!change) continue;
      changes.push(change);
      if (change.snapshot || changes.length === LOOK_BACK) break;
    }
    if (changes.length === 0) return false;
    if (!changes.at(-1)!.snapshot) {
      // Somebody else's log, or a trimmed one: the snapshot that follows starts a new book.
      out.push({ log: this.#book, payload: Buffer.alloc(0), mark: 'gap' });
      return false;
    }
    const book = new OrderBook();
    for (const change of changes.reverse()) {
      book.apply({
        kind: 'book',
        timeUs: nowUs,
        firstId: 0,
        lastId: 0,
        snapshot: change.snapshot,
        bids: change.bids,
        asks: change.asks,
      });
    }
    this.#market.bids.load(book.bids());
    this.#market.asks.load(book.asks());
    return true;
  }

  step(nowUs: number, out: SourceRecord[]): void {
    if (
      nowUs - this.#snapshotUs >= SNAPSHOT_EVERY_US ||
      this.#sinceSnapshot >= SNAPSHOT_EVERY_RECORDS
    ) {
      return this.#putSnapshot(nowUs, out);
    }
    const market = this.#market;
    market.act();
    const take = market.take;
    if (take) {
      const trades = take.quantities.map((quantity): Trade => ({
        kind: 'trade',
        timeUs: nowUs,
        id: String(++this.#tradeId),
        price: take.price,
        quantity,
        taker: take.buy ? 'buy' : 'sell',
        orderType: 'market',
      }));
      this.#put(this.#trade, writeTrades('update', this.#symbol, trades), nowUs, out);
    }
    const bids: Level[] = [];
    const asks: Level[] = [];
    for (const { side, level } of market.changes) {
      (side === 'bid' ? bids : asks).push(level);
    }
    this.#sinceSnapshot++;
    this.#putBook('update', bids, asks, nowUs, out);
  }

  #putSnapshot(nowUs: number, out: SourceRecord[]): void {
    this.#snapshotUs = nowUs;
    this.#sinceSnapshot = 0;
    const { bids, asks } = this.#market;
    this.#putBook('snapshot', bids.levels(), asks.levels(), nowUs, out);
  }

  #putBook(
    type: 'snapshot' | 'update',
    bids: readonly Level[],
    asks: readonly Level[],
    nowUs: number,
    out: SourceRecord[],
  ): void {
    const market = this.#market;
    const version = market.bids.topVersion + market.asks.topVersion;
    if (version !== this.#checkedVersion) {
      this.#checkedVersion = version;
      this.#checksum = bookChecksum(market.bids.rungs, market.asks.rungs);
    }
    const time = formatTimeUs(nowUs);
    const text = writeBook(type, this.#symbol, bids, asks, this.#checksum, time);
    this.#put(this.#book, text, nowUs, out);
  }

  #put(log: LogName, text: string, nowUs: number, out: SourceRecord[]): void {
    const payload = Buffer.from(text, 'latin1');
    out.push({ log, payload, eventTimeUs: nowUs });
  }
}
