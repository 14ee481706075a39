/**
 * Everything that is known of one symbol: trades, aggregates, candles, rolling day, best bid and ask. It is kept up
 * by every record, watched or not, because REST may ask at any time; text is made only for topics that are wanted.
 * Where a stream has no log of its own it is derived here from the next best one.
 */
import type { Candles } from '../../market/candles.ts';
import type { Level, Quote, Trade } from '../../market/event.ts';
import type { Instrument } from '../../market/instrument.ts';
import { OrderBook } from '../../market/order-book.ts';
import type { BookView } from '../../market/quick-book.ts';
import type { Rolling } from '../../market/rolling.ts';
import type { Broadcast } from '../exchange.ts';
import { DepthMerge } from './depth-merge.ts';
import type { TradeList } from './history.ts';
import { readQuote, type AggTrade } from './read.ts';
import { symbolOf } from './symbol.ts';
import { Tape } from './tape.ts';
import type { TradeScan } from './trade-scan.ts';
import {
  toMs,
  writeAggTrade,
  writeBookTicker,
  writeDepth,
  writeSnapshot,
  type Best,
  type DepthDiff,
} from './write.ts';

const NOTHING: Level = ['0.00000000', '0.00000000'];
const PARTIAL = [5, 10, 20];
/** Longer ones are parsed at once. */
const QUOTE_MAX = 256;
/** How long a channel may stay away before its stream is derived, where the venue was not told which logs there are. */
const GRACE_US = 1_000_000;

export class Market {
  readonly instrument: Instrument;
  /** "BTCUSDT". */
  readonly symbol: string;
  readonly topics: Readonly<
    Record<'trade' | 'aggTrade' | 'bookTicker' | 'depth100' | 'depth1000' | 'depth', string>
  >;
  readonly #partial100: readonly (readonly [topic: string, levels: number])[];

  book: BookView = new OrderBook();
  /** False while levels that never changed are not known yet. */
  bookSynced = false;
  /** Diffs since the last 1000 ms event; filled only while somebody wants those. */
  readonly slowDepth = new DepthMerge();
  /** True when the book has changed since the last 1000 ms partial books. */
  bookChanged = false;
  /** Newest event time seen, Unix microseconds. */
  eventTimeUs = 0;
  /** Intervals whose candles come from a log. */
  readonly givenKlines = new Set<string>();

  readonly #tape = new Tape((read) => this.#publishAggTrade(read));
  /** Where the tape's aggregates go. */
  #out: Broadcast | undefined;
  /** The newest quote of a log, as bytes; parsed only if somebody asks. */
  readonly #quoteBytes = Buffer.alloc(QUOTE_MAX);
  #quoteLength = 0;
  #quote: Quote | undefined;
  #best = '';
  readonly #expected: ReadonlySet<string> | undefined;
  readonly #seen = new Set<string>();
  #firstUs = 0;
  #aheadUs = 0;

  /** `expected`: channels that have a log of Binance's own, where that is known. */
  constructor(instrument: Instrument, expected?: ReadonlySet<string>) {
    this.instrument = instrument;
    this.#expected = expected;
    this.symbol = symbolOf(instrument);
    const name = this.symbol.toLowerCase();
    this.topics = {
      trade: `${name}@trade`,
      aggTrade: `${name}@aggTrade`,
      bookTicker: `${name}@bookTicker`,
      depth100: `${name}@depth@100ms`,
      depth1000: `${name}@depth@1000ms`,
      depth: `${name}@depth`,
    };
    this.#partial100 = PARTIAL.map((levels) => [`${name}@depth${levels}@100ms`, levels] as const);
  }

  /** Another venue's log feeds it: every stream is derived. */
  foreign = false;

  /** Notes that a channel has a log. */
  saw(channel: string, timeUs: number): void {
    if (this.#firstUs === 0) this.#firstUs = timeUs;
    this.#seen.add(channel);
  }

  /** True when the channel has no log, as far as one can know at `timeUs`. */
  lacks(channel: string, timeUs: number): boolean {
    if (this.foreign) return true;
    if (this.#seen.has(channel)) return false;
    if (this.#expected) return !this.#expected.has(channel);
    return timeUs - this.#firstUs >= GRACE_US;
  }

  /** Notes an event's time and when it was received: what the exchange's clock shows against ours. */
  clock(eventTimeUs: number, receivedUs: number): void {
    this.#aheadUs = eventTimeUs - receivedUs;
    this.#timePasses(eventTimeUs);
  }

  /**
   * The exchange's time when ours is `nowUs`. A recorder's clock may have been wrong by seconds, a replay may stamp
   * old events with new times: candles and windows go by the time that the payloads tell.
   */
  now(nowUs: number): number {
    return Math.max(nowUs + this.#aheadUs, this.eventTimeUs);
  }

  #timePasses(timeUs: number): void {
    if (timeUs > this.eventTimeUs) this.eventTimeUs = timeUs;
  }

  get trades(): TradeList<Trade> {
    return this.#tape.trades;
  }
  get aggTrades(): TradeList<AggTrade> {
    return this.#tape.aggTrades;
  }
  get candles(): Candles {
    return this.#tape.candles;
  }
  get day(): Rolling {
    return this.#tape.day;
  }

  /** Closes candles up to `nowUs`. */
  closeCandles(nowUs: number): void {
    this.#tape.tick(nowUs);
  }

  /** A trade, after it was published: scanned, or as `read` makes it. Throws TypeError where it is none. */
  trade(scan: TradeScan | undefined, read: () => Trade, timeUs: number, out: Broadcast): void {
    this.#out = out;
    const aggregate = this.lacks('aggTrade', timeUs);
    if (scan && this.#tape.scanned(scan, timeUs, aggregate)) this.#timePasses(scan.timeUs);
    else {
      const trade = read();
      this.#tape.trade(trade, timeUs, aggregate);
      this.#timePasses(trade.timeUs);
    }
  }

  /** The same for an aggregate from a log; where no log has single trades, it stands in for them. */
  aggTrade(scan: TradeScan | undefined, read: () => AggTrade, timeUs: number): void {
    const alone = this.lacks('trade', timeUs);
    let eventUs = scan?.timeUs ?? 0;
    if (!scan || !this.#tape.scannedAggregate(scan, alone)) {
      const trade = read();
      this.#tape.aggTrade(trade, alone);
      eventUs = trade.timeUs;
    }
    if (alone) this.#timePasses(eventUs);
  }

  /** Publishes the running aggregate if it is complete by receive time. */
  flushAggTrade(nowUs: number, out: Broadcast): void {
    this.#out = out;
    this.#tape.flush(nowUs);
  }

  #publishAggTrade(read: () => AggTrade): void {
    const { aggTrade } = this.topics;
    if (!this.#out?.wanted(aggTrade)) return;
    const trade = read();
    this.#out.publish(aggTrade, writeAggTrade(this.symbol, toMs(trade.timeUs), trade));
  }

  /** Best bid and ask from a log, `bytes[start, end)`. */
  quoted(bytes: Buffer, start: number, end: number): void {
    const into = this.#quoteBytes;
    const length = end - start;
    this.#quoteLength = length;
    if (length > QUOTE_MAX) this.#quote = readQuote(bytes.toString('latin1', start, end), 0);
    // A call into the runtime costs more than so few bytes.
    else for (let i = 0; i < length; i++) into[i] = bytes[start + i]!;
  }

  /** The book after a diff was applied to it; `readDiff` makes its levels, for who wants them. */
  bookMoved(readDiff: () => DepthDiff, timeUs: number, out: Broadcast): void {
    this.#timePasses(this.book.timeUs);
    this.bookChanged = true;
    const { depth, depth1000 } = this.topics;
    if (out.wanted(depth) || out.wanted(depth1000)) this.slowDepth.add(readDiff());
    else if (!this.slowDepth.empty) this.slowDepth.clear();
    for (const [topic, levels] of this.#partial100) {
      if (out.wanted(topic)) out.publish(topic, this.partial(levels));
    }
    if (this.bookSynced && this.lacks('bookTicker', timeUs)) this.deriveQuote(out);
  }

  /** Publishes best bid and ask where they differ from the last that went out. */
  deriveQuote(out: Broadcast): void {
    const { bookTicker } = this.topics;
    if (!out.wanted(bookTicker)) return;
    const bid = this.book.bestBid();
    const ask = this.book.bestAsk();
    if (!bid || !ask) return;
    const best = `${bid[0]},${bid[1]},${ask[0]},${ask[1]}`;
    if (best === this.#best) return;
    this.#best = best;
    out.publish(bookTicker, writeBookTicker(this.symbol, this.book.lastId, bid, ask));
  }

  partial(levels: number): string {
    return writeSnapshot(this.book.lastId, this.book.bids(levels), this.book.asks(levels));
  }

  /** Publishes the diffs of the last second as one event. */
  publishSlowDepth(eventMs: number, out: Broadcast): void {
    const diff = this.slowDepth.take();
    if (!diff) return;
    const text = writeDepth(this.symbol, eventMs, diff);
    for (const topic of [this.topics.depth, this.topics.depth1000]) {
      if (out.wanted(topic)) out.publish(topic, text);
    }
  }

  /** Best bid and ask as they are now; zeros where nothing is known. */
  best(): Best {
    const length = this.#quoteLength;
    if (length > 0 && length <= QUOTE_MAX) {
      this.#quote = readQuote(this.#quoteBytes.toString('latin1', 0, length), 0);
    }
    const quote = this.#quote;
    if (quote) {
      return { bid: [quote.bid, quote.bidQuantity], ask: [quote.ask, quote.askQuantity] };
    }
    return { bid: this.book.bestBid() ?? NOTHING, ask: this.book.bestAsk() ?? NOTHING };
  }

  /** A recorded source begins again: its times run backwards, so sums over time begin again too. */
  restartTrades(): void {
    this.#tape.restart();
    this.eventTimeUs = 0;
  }
}
