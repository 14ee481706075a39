/**
 * A made-up market on Binance's wire: trades with ids that rise by one; bookTicker at every change of the best prices,
 * its `u` from the same ids as depth; depth diffs about every 100 ms whose U follows the previous u. Each change of a
 * level takes one id, so after a depth event with final id u the best prices are those of the last bookTicker with
 * id <= u.
 *
 * After a restart the depth log decides: its last snapshot and the diffs behind it are the book that clients hold. A
 * crash can have cut each of the three logs at another place, so ids go on behind the highest seen in any, and the best
 * prices that the bookTicker log lacks are written first.
 */
import { readDepth } from '../../exchange/binance/read.ts';
import {
  toMs,
  writeBookTicker,
  writeDepth,
  writeSnapshot,
  writeTrade,
} from '../../exchange/binance/write.ts';
import type { BookChange, Level } from '../../market/event.ts';
import { OrderBook } from '../../market/order-book.ts';
import { type LogName, logName } from '../../log/name.ts';
import type { SourceRecord } from '../source.ts';
import { byPrice, levelOf } from './ladder.ts';
import type { Market } from './market.ts';
import { LOOK_BACK, SNAPSHOT_EVERY_RECORDS, SNAPSHOT_EVERY_US, newest } from './stream.ts';
import type { Stream, Tail } from './stream.ts';

/** Diffs are sent this often in market time, or when so many levels have changed. */
const FLUSH_EVERY_US = 100_000;
const FLUSH_CHANGES = 20;
/** First ids are beyond 32 bits, as the venue's are. */
const FIRST_UPDATE_ID = 50_000_000_000;
const FIRST_TRADE_ID = 3_700_000_000;

export class BinanceStream implements Stream {
  readonly logs: readonly LogName[];
  readonly #symbol: string;
  readonly #market: Market;
  readonly #trade: LogName;
  readonly #quote: LogName;
  readonly #depth: LogName;
  /** Changed levels since the last diff, by tick: the newest quantity counts. */
  readonly #bids = new Map<number, Level>();
  readonly #asks = new Map<number, Level>();
  #updateId = FIRST_UPDATE_ID;
  /** Last id that a diff or snapshot has carried. */
  #flushedId = FIRST_UPDATE_ID;
  #flushedUs = 0;
  #tradeId = FIRST_TRADE_ID;
  #snapshotUs = 0;
  #sinceSnapshot = 0;

  constructor(instrument: string, market: Market) {
    this.#symbol = instrument.replace('-', '');
    this.#market = market;
    this.#trade = logName(`binance/${instrument}/trade`);
    this.#quote = logName(`binance/${instrument}/bookTicker`);
    this.#depth = logName(`binance/${instrument}/depth`);
    this.logs = [this.#trade, this.#quote, this.#depth];
  }

  open(tail: Tail, nowUs: number, out: SourceRecord[]): void {
    const trade = newest(tail(this.#trade));
    const tradeId = trade && /"t":(\d+)/.exec(trade)?.[1];
    if (tradeId) this.#tradeId = Number(tradeId);
    const quote = newest(tail(this.#quote));
    const quoteId = Number((quote && /"u":(\d+)/.exec(quote)?.[1]) || 0);
    if (!this.#restore(tail, quoteId, nowUs, out)) {
      this.#market.begin();
      this.#updateId = this.#flushedId = Math.max(this.#updateId, quoteId) + 1;
      this.#putQuote(nowUs, out);
    } else if (quoteId > this.#updateId) {
      // The crash took diffs that bookTickers had announced. Their ids are spent: the next diff covers them, and the
      // best prices are again those of the book that clients hold.
      this.#updateId = quoteId + 1;
      this.#putQuote(nowUs, out);
    }
    this.#putSnapshot(nowUs, out);
    this.#flushedUs = nowUs;
  }

  /** Rebuilds the book from the depth log; false where there is nothing to rebuild it from. */
  #restore(tail: Tail, quoteId: number, nowUs: number, out: SourceRecord[]): boolean {
    const log = tail(this.#depth);
    if (!log) return false;
    const diffs: BookChange[] = [];
    for (const payload of log.backward()) {
      const change = readDepth(payload, nowUs);
      diffs.push(change);
      if (change.snapshot || diffs.length === LOOK_BACK) break;
    }
    const [last] = diffs;
    if (!last) return false;
    this.#updateId = this.#flushedId = last.lastId;
    if (!diffs.at(-1)!.snapshot) {
      // Somebody else's log, or a trimmed one: ids go on, but the book is a new one.
      out.push({ log: this.#depth, payload: empty, mark: 'gap' });
      return false;
    }
    const book = new OrderBook();
    for (const change of diffs.reverse()) {
      book.apply(change);
      const bid = book.bestBid();
      const ask = book.bestAsk();
      if (change.lastId > quoteId && bid && ask) {
        const text = writeBookTicker(this.#symbol, change.lastId, bid, ask);
        this.#put(this.#quote, text, nowUs, out);
      }
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
      this.#flush(nowUs, out);
      return this.#putSnapshot(nowUs, out);
    }
    const before = out.length;
    while (out.length === before) {
      const pending = this.#bids.size + this.#asks.size;
      if (pending >= FLUSH_CHANGES || (pending > 0 && nowUs - this.#flushedUs >= FLUSH_EVERY_US)) {
        return this.#flush(nowUs, out);
      }
      this.#act(nowUs, out);
    }
  }

  #act(nowUs: number, out: SourceRecord[]): void {
    const market = this.#market;
    market.act();
    for (const { side, tick, level } of market.changes) {
      this.#updateId++;
      (side === 'bid' ? this.#bids : this.#asks).set(tick, level);
    }
    const take = market.take;
    if (take) {
      const taker = take.buy ? 'buy' : 'sell';
      for (const quantity of take.quantities) {
        const id = String(++this.#tradeId);
        const text = writeTrade(this.#symbol, toMs(nowUs), {
          kind: 'trade',
          timeUs: nowUs,
          id,
          price: take.price,
          quantity,
          taker,
        });
        this.#put(this.#trade, text, nowUs, out);
      }
    }
    if (market.topChanged) this.#putQuote(nowUs, out);
  }

  #flush(nowUs: number, out: SourceRecord[]): void {
    this.#flushedUs = nowUs;
    if (this.#updateId === this.#flushedId) return;
    const text = writeDepth(this.#symbol, toMs(nowUs), {
      firstId: this.#flushedId + 1,
      lastId: this.#updateId,
      bids: byPrice(this.#bids, -1),
      asks: byPrice(this.#asks, 1),
    });
    this.#flushedId = this.#updateId;
    this.#bids.clear();
    this.#asks.clear();
    this.#sinceSnapshot++;
    this.#put(this.#depth, text, nowUs, out);
  }

  #putQuote(nowUs: number, out: SourceRecord[]): void {
    const { bids, asks } = this.#market;
    const [bid, ask] = [levelOf(bids.best), levelOf(asks.best)];
    const text = writeBookTicker(this.#symbol, this.#updateId, bid, ask);
    this.#put(this.#quote, text, nowUs, out);
  }

  #putSnapshot(nowUs: number, out: SourceRecord[]): void {
    const { bids, asks } = this.#market;
    this.#snapshotUs = nowUs;
    this.#sinceSnapshot = 0;
    const text = writeSnapshot(this.#flushedId, bids.levels(), asks.levels());
    this.#put(this.#depth, text, nowUs, out);
  }

  #put(log: LogName, text: string, nowUs: number, out: SourceRecord[]): void {
    const payload = Buffer.from(text, 'latin1');
    out.push({ log, payload, eventTimeUs: nowUs });
  }
}

const empty = Buffer.alloc(0);
