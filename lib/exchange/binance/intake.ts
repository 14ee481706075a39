/**
 * Records into a market. Of Binance's own logs the payload is published first, untouched, then read; of other venues'
 * logs the canonical events are written as Binance writes them, with ids where the venue has none.
 */
import { fromCandle } from '../../market/bar.ts';
import { fixedInterval } from '../../market/interval.ts';
import type { BookChange, MarketEvent, Trade } from '../../market/event.ts';
import type { Broadcast, Reader, VenueRecord } from '../exchange.ts';
import { BookSync } from './book-sync.ts';
import { DepthMerge } from './depth-merge.ts';
import { ForeignBook } from './foreign-book.ts';
import { intervalOf } from './interval.ts';
import type { Market } from './market.ts';
import { readAggTrade, readDepth, readKline, readTrade } from './read.ts';
import { eight, toMs, writeDepth, writeTrade } from './write.ts';

const LAST_UPDATE_ID = Buffer.from('"lastUpdateId"');
const isSnapshot = (payload: Buffer): boolean =>
  payload.subarray(0, 64).indexOf(LAST_UPDATE_ID) >= 0;

/** A market fed from Binance's own logs. */
export class NativeIntake {
  readonly #market: Market;
  readonly #sync = new BookSync();
  readonly #klineTopics = new Map<string, string>();
  readonly #units = new Set<string>();

  constructor(market: Market) {
    this.#market = market;
    market.foreign = false;
  }

  /** Whether the time unit of a channel's payloads has been looked at. */
  knowsUnit(channel: string): boolean {
    return this.#units.has(channel);
  }
  unitKnown(channel: string): void {
    this.#units.add(channel);
  }

  record({ channel, payload, timeUs }: VenueRecord, out: Broadcast): void {
    const market = this.#market;
    market.saw(channel, timeUs);
    if (channel === 'trade') {
      out.publish(market.topics.trade, payload);
      market.trade(readTrade(payload), timeUs, out);
    } else if (channel === 'bookTicker') {
      out.publish(market.topics.bookTicker, payload);
      market.quoteText(payload.toString('latin1'));
    } else if (channel === 'depth') this.#depth(payload, timeUs, out);
    else if (channel === 'aggTrade') {
      out.publish(market.topics.aggTrade, payload);
      market.aggTrade(readAggTrade(payload), timeUs);
    } else if (channel.startsWith('kline_')) this.#kline(channel, payload, out);
  }

  #depth(payload: Buffer, timeUs: number, out: Broadcast): void {
    const market = this.#market;
    // A snapshot is the recorder's REST answer: no stream ever carried it.
    if (isSnapshot(payload)) this.#sync.snapshot(readDepth(payload, timeUs));
    else {
      out.publish(market.topics.depth100, payload);
      const change = readDepth(payload, timeUs);
      this.#sync.diff(change);
      market.book = this.#sync.book;
      market.bookSynced = this.#sync.synced;
      market.bookMoved(change, timeUs, out);
    }
    market.book = this.#sync.book;
    market.bookSynced = this.#sync.synced;
  }

  #kline(channel: string, payload: Buffer, out: Broadcast): void {
    const name = channel.slice('kline_'.length);
    let topic = this.#klineTopics.get(name);
    if (topic === undefined) {
      topic = `${this.#market.symbol.toLowerCase()}@${channel}`;
      this.#klineTopics.set(name, topic);
      this.#market.givenKlines.add(name);
    }
    out.publish(topic, payload);
    const interval = intervalOf(name);
    const candle = readKline(payload);
    if (interval) this.#market.candles.put(interval, fromCandle(candle), candle.closed);
  }

  mark(channel: string, mark: string): void {
    if (mark !== 'loop') return;
    if (channel === 'depth') this.#sync.reset();
    else if (channel === 'trade' || channel === 'aggTrade') this.#market.restartTrades();
  }

  /** Nothing here waits for time: the log's own diffs went out as they came. */
  flush(_eventMs: number, _out: Broadcast): void {}
}

/** A market fed from another venue's log. */
export class ForeignIntake {
  readonly exchange: string;
  readonly #market: Market;
  readonly #read: Reader;
  readonly #pending = new DepthMerge();
  #book: ForeignBook | undefined;
  /** The one channel that the book is taken from: the first that has one. */
  #bookChannel: string | undefined;
  #lastTradeId: bigint | undefined;

  constructor(market: Market, exchange: string, read: Reader) {
    this.exchange = exchange;
    this.#market = market;
    market.foreign = true;
    this.#read = read;
  }

  record({ channel, payload, timeUs }: VenueRecord, out: Broadcast): void {
    for (const event of this.#read(channel, payload, timeUs)) {
      this.#event(event, channel, timeUs, out);
    }
  }

  #event(event: MarketEvent, channel: string, timeUs: number, out: Broadcast): void {
    if (event.kind === 'trade') this.#trade(event, timeUs, out);
    else if (event.kind === 'book') {
      this.#bookChannel ??= channel;
      if (channel === this.#bookChannel) this.#change(event, timeUs, out);
    } else if (event.kind === 'candle' && this.#lastTradeId === undefined) {
      const interval = fixedInterval(event.intervalUs);
      this.#market.candles.put(interval, fromCandle(event), event.closed);
    }
  }

  #trade(trade: Trade, timeUs: number, out: Broadcast): void {
    const market = this.#market;
    this.#lastTradeId =
      this.#lastTradeId === undefined
        ? BigInt(/^[1-9]\d{0,15}$/.test(trade.id) ? trade.id : '1')
        : this.#lastTradeId + 1n;
    const own: Trade = {
      ...trade,
      id: String(this.#lastTradeId),
      price: eight(trade.price),
      quantity: eight(trade.quantity),
    };
    const { topics, symbol } = market;
    if (out.wanted(topics.trade)) {
      out.publish(topics.trade, writeTrade(symbol, toMs(trade.timeUs), own));
    }
    market.trade(own, timeUs, out);
  }

  #change(change: BookChange, timeUs: number, out: Broadcast): void {
    // Ids begin at the time: a later run on the same machine then never goes back.
    this.#book ??= new ForeignBook(toMs(timeUs));
    const market = this.#market;
    market.book = this.#book.book;
    const diff = this.#book.apply(change);
    if (!diff) return;
    this.#pending.add(diff);
    market.bookSynced = true;
    market.deriveQuote(out);
  }

  mark(_channel: string, mark: string): void {
    if (mark === 'loop') this.#market.restartTrades();
  }

  /** Sends the changes of the last 100 ms as one event. Also before a REST snapshot, so that the two agree. */
  flush(eventMs: number, out: Broadcast): void {
    const diff = this.#pending.take();
    if (!diff) return;
    const market = this.#market;
    const { depth100 } = market.topics;
    if (out.wanted(depth100)) out.publish(depth100, writeDepth(market.symbol, eventMs, diff));
    market.bookMoved(diff, 0, out);
  }
}
