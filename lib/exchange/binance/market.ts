/**
 * Everything that is known of one symbol: trades, aggregates, candles, rolling day, best bid and ask. It is kept up
 * by every record, watched or not, because REST may ask at any time; text is made only for topics that are wanted.
 * Where a stream has no log of its own it is derived here from the next best one.
 */
import { tradeValue, type TradeValue } from '../../market/bar.ts';
import { Candles } from '../../market/candles.ts';
import type { Level, Quote, Trade } from '../../market/event.ts';
import type { Instrument } from '../../market/instrument.ts';
import { OrderBook } from '../../market/order-book.ts';
import { Rolling } from '../../market/rolling.ts';
import type { Broadcast } from '../exchange.ts';
import { Aggregator } from './aggregate.ts';
import { DepthMerge } from './depth-merge.ts';
import { History } from './history.ts';
import { readQuote, type AggTrade } from './read.ts';
import { symbolOf } from './symbol.ts';
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

  readonly trades = new History<Trade>();
  readonly aggTrades = new History<AggTrade>();
  candles = new Candles();
  day = new Rolling();
  book = new OrderBook();
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

  #aggregator = new Aggregator();
  #quote: Quote | string | undefined;
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

  /** A trade, after it was published. */
  trade(trade: Trade, timeUs: number, out: Broadcast): void {
    this.#count(tradeValue(trade)); // throws where it is no trade
    this.trades.push(trade);
    if (!this.lacks('aggTrade', timeUs)) return;
    const complete = this.#aggregator.add(trade, timeUs);
    if (complete) this.#publishAggTrade(complete, out);
  }

  /** An aggregate from a log; where no log has single trades, it stands in for them. */
  aggTrade(trade: AggTrade, timeUs: number): void {
    const value = tradeValue(trade); // throws where it is no trade
    this.aggTrades.push(trade);
    if (!this.lacks('trade', timeUs)) return;
    const { firstId, lastId } = trade;
    const count = Number(BigInt(lastId) - BigInt(firstId)) + 1;
    this.#count({ ...value, firstId, lastId, count });
    this.trades.push({ ...trade, id: lastId });
  }

  #count(value: TradeValue): void {
    this.#timePasses(value.timeUs);
    this.candles.trade(value);
    this.day.trade(value);
  }

  /** Publishes the running aggregate if it is complete by receive time. */
  flushAggTrade(nowUs: number, out: Broadcast): void {
    if (!this.#aggregator.isOver(nowUs)) return;
    const complete = this.#aggregator.flush();
    if (complete) this.#publishAggTrade(complete, out);
  }

  #publishAggTrade(trade: AggTrade, out: Broadcast): void {
    this.aggTrades.push(trade);
    const { aggTrade } = this.topics;
    if (out.wanted(aggTrade)) {
      out.publish(aggTrade, writeAggTrade(this.symbol, toMs(trade.timeUs), trade));
    }
  }

  /** Best bid and ask from a log, as text: parsed only if somebody asks. */
  quoteText(text: string): void {
    this.#quote = text;
  }

  /** The book after a diff was applied to it. */
  bookMoved(diff: DepthDiff | undefined, timeUs: number, out: Broadcast): void {
    this.#timePasses(this.book.timeUs);
    this.bookChanged = true;
    if (diff) {
      if (out.wanted(this.topics.depth) || out.wanted(this.topics.depth1000))
        this.slowDepth.add(diff);
      else if (!this.slowDepth.empty) this.slowDepth.clear();
    }
    for (const [topic, levels] of this.#partial100) {
      if (out.wanted(topic)) out.publish(topic, this.partial(levels));
    }
    if (this.bookSynced && this.lacks('bookTicker', timeUs)) this.deriveQuote(out);
  }

  /** Publishes best bid and ask where they differ from the last that went out. */
  deriveQuote(out: Broadcast): void {
    const bid = this.book.bestBid();
    const ask = this.book.bestAsk();
    if (!bid || !ask) return;
    const best = `${bid[0]},${bid[1]},${ask[0]},${ask[1]}`;
    if (best === this.#best) return;
    this.#best = best;
    const { bookTicker } = this.topics;
    if (out.wanted(bookTicker)) {
      out.publish(bookTicker, writeBookTicker(this.symbol, this.book.lastId, bid, ask));
    }
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
    if (typeof this.#quote === 'string') this.#quote = readQuote(this.#quote, 0);
    const quote = this.#quote;
    if (quote) {
      return { bid: [quote.bid, quote.bidQuantity], ask: [quote.ask, quote.askQuantity] };
    }
    return { bid: this.book.bestBid() ?? NOTHING, ask: this.book.bestAsk() ?? NOTHING };
  }

  /** A recorded source begins again: its times run backwards, so sums over time begin again too. */
  restartTrades(): void {
    this.trades.clear();
    this.aggTrades.clear();
    this.candles = new Candles();
    this.day = new Rolling();
    this.#aggregator = new Aggregator();
    this.eventTimeUs = 0;
  }
}
