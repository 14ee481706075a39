/**
 * Everything that is known of one symbol: trades, aggregates, candles, rolling day, best bid and ask. It is kept up
 * by every record, watched or not, because REST may ask at any time; text is made only for topics that are wanted.
 * Where a stream has no log of its own it is derived here from the next best one.
 */
import type { Candles } from '../../market/candles.ts';
import type { Level, Trade } from '../../market/event.ts';
import type { Instrument } from '../../market/instrument.ts';
import { OrderBook } from '../../market/order-book.ts';
import type { BookView } from '../../market/quick-book.ts';
import type { Rolling } from '../../market/rolling.ts';
import type { Broadcast } from '../exchange.ts';
import { DepthMerge } from './depth-merge.ts';
import { KeptQuote } from './kept-quote.ts';
import type { TradeList } from './history.ts';
import type { AggTrade } from './read.ts';
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

/** Where history goes: no client gets it. */
export const muted: Broadcast = { wanted: () => false, publish: () => {} };

const NOTHING: Level = ['0.00000000', '0.00000000'];
const PARTIAL = [5, 10, 20];
/** How long a channel may stay away before its stream is derived, where the venue was not told which logs there are. */
const GRACE_US = 1_000_000;

/** Channels whose streams can be made of others. */
const derivable = ['trade', 'aggTrade', 'bookTicker'] as const;
type Derivable = (typeof derivable)[number];

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
  /** The newest quote of a log; parsed only if somebody asks. */
  #quote: KeptQuote | undefined;
  #best = '';
  readonly #expected: ReadonlySet<string> | undefined;
  readonly #seen = new Set<string>();
  readonly #lacksFrom: Record<Derivable, number>;
  #bookWatched = false;
  #firstUs = 0;
  #aheadUs = 0;

  /** `expected`: channels that have a log of Binance's own, where that is known. */
  constructor(instrument: Instrument, expected?: ReadonlySet<string>) {
    this.instrument = instrument;
    this.#expected = expected;
    this.#lacksFrom = {
      trade: this.#lacking('trade'),
      aggTrade: this.#lacking('aggTrade'),
      bookTicker: this.#lacking('bookTicker'),
    };
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
    for (const derived of derivable) this.#lacksFrom[derived] = this.#lacking(derived);
  }

  /** Since when it is known that a channel has no log; Infinity: it has one, or shall have. */
  #lacking(channel: Derivable): number {
    if (this.#seen.has(channel)) return Infinity;
    if (this.#expected) return this.#expected.has(channel) ? Infinity : 0;
    return this.#firstUs === 0 ? 0 : this.#firstUs + GRACE_US;
  }

  /** True when the channel has no log, as far as one can know at `timeUs`. */
  lacks(channel: Derivable, timeUs: number): boolean {
    return this.foreign || timeUs >= this.#lacksFrom[channel];
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

  /** A trade, after it was published, as numbers; false where it does not fit and has to come as an object. */
  scannedTrade(trade: TradeScan, timeUs: number, out: Broadcast): boolean {
    if (this.#out !== out) this.#out = out;
    if (!this.#tape.scanned(trade, timeUs, this.lacks('aggTrade', timeUs))) return false;
    this.#timePasses(trade.timeUs);
    return true;
  }

  /** A trade, after it was published. Throws TypeError where it is none. */
  trade(trade: Trade, timeUs: number, out: Broadcast): void {
    this.#out = out;
    this.#tape.trade(trade, timeUs, this.lacks('aggTrade', timeUs));
    this.#timePasses(trade.timeUs);
  }

  /** An aggregate from a log as numbers; where no log has single trades, it stands in for them. False as above. */
  scannedAggTrade(trade: TradeScan, timeUs: number): boolean {
    const alone = this.lacks('trade', timeUs);
    if (!this.#tape.scannedAggregate(trade, alone)) return false;
    if (alone) this.#timePasses(trade.timeUs);
    return true;
  }

  /** The same as an object. Throws TypeError where it is none. */
  aggTrade(trade: AggTrade, timeUs: number): void {
    const alone = this.lacks('trade', timeUs);
    this.#tape.aggTrade(trade, alone);
    if (alone) this.#timePasses(trade.timeUs);
  }

  /** Publishes the running aggregate if it is complete by receive time. */
  flushAggTrade(nowUs: number, out: Broadcast): void {
    if (this.#out !== out) this.#out = out;
    this.#tape.flush(nowUs);
  }

  #publishAggTrade(read: () => AggTrade): void {
    const { aggTrade } = this.topics;
    if (!this.#out?.wanted(aggTrade)) return;
    const trade = read();
    this.#out.publish(aggTrade, writeAggTrade(this.symbol, toMs(trade.timeUs), trade));
  }

  /** Where a log's best bid and ask are kept. */
  quoteFrom(): KeptQuote {
    return (this.#quote ??= new KeptQuote());
  }

  /** A stream that is made of the book was asked for: topics are looked at again. */
  watchBook(): void {
    this.#bookWatched = true;
  }

  /** The book after a diff was applied to it; `readDiff` makes its levels, for who wants them. */
  bookMoved(readDiff: () => DepthDiff, timeUs: number, out: Broadcast): void {
    this.#timePasses(this.book.timeUs);
    this.bookChanged = true;
    if (this.#bookWatched) {
      const wanted = this.#tellBook(readDiff, out);
      // While history is read nothing is wanted; that says nothing of later.
      if (out !== muted) this.#bookWatched = wanted;
    }
    if (this.bookSynced && this.lacks('bookTicker', timeUs)) this.deriveQuote(out);
  }

  /** Tells who wants what is made of the book; false where nobody does. */
  #tellBook(readDiff: () => DepthDiff, out: Broadcast): boolean {
    const { depth, depth1000 } = this.topics;
    const slow = out.wanted(depth) || out.wanted(depth1000);
    if (slow) this.slowDepth.add(readDiff());
    else if (!this.slowDepth.empty) this.slowDepth.clear();
    let wanted = slow;
    for (const [topic, levels] of this.#partial100) {
      if (!out.wanted(topic)) continue;
      wanted = true;
      out.publish(topic, this.partial(levels));
    }
    return wanted;
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

  /** Best bid and ask as they are now: of the newest quote, else of the book; zeros where nothing is known. */
  best(): Best {
    return (
      this.#quote?.best() ?? {
        bid: this.book.bestBid() ?? NOTHING,
        ask: this.book.bestAsk() ?? NOTHING,
      }
    );
  }

  /** A recorded source begins again: its times run backwards, so sums over time begin again too. */
  restartTrades(): void {
    this.#tape.restart();
    this.eventTimeUs = 0;
  }
}
