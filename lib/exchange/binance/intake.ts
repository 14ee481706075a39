/**
 * Records into a market. Of Binance's own logs the payload is published first, untouched, then read; of other venues'
 * logs the canonical events are written as Binance writes them, with ids where the venue has none.
 */
import { fromCandle } from '../../market/bar.ts';
import { fixedInterval } from '../../market/interval.ts';
import type { BookChange, MarketEvent, Trade } from '../../market/event.ts';
import type { Broadcast, Reader } from '../exchange.ts';
import { BookSync } from './book-sync.ts';
import { DepthMerge } from './depth-merge.ts';
import { ForeignBook } from './foreign-book.ts';
import { intervalOf } from './interval.ts';
import type { Market } from './market.ts';
import { readAggTrade, readDepth, readKline, readTrade } from './read.ts';
import { TradeScan } from './trade-scan.ts';
import { eight, toMs, writeDepth, writeTrade } from './write.ts';

/** A payload of a log: `bytes[start, end)`, received at `timeUs`. */
export type Take = (
  bytes: Buffer,
  start: number,
  end: number,
  timeUs: number,
  out: Broadcast,
) => void;

const SNAPSHOT = Buffer.from('"lastUpdateId"');
/** A diff names its kind first: only for what does not, the rest of the head is looked at. */
const isSnapshot = (bytes: Buffer, start: number, end: number): boolean =>
  bytes[start + 2] !== 101 && bytes.subarray(start, Math.min(end, start + 64)).includes(SNAPSHOT);

/** A market fed from Binance's own logs. */
export class NativeIntake {
  readonly #market: Market;
  readonly #sync = new BookSync();

  constructor(market: Market) {
    this.#market = market;
    market.foreign = false;
  }

  /** What to do with the payloads of a channel, of which the first came at `timeUs`. */
  take(channel: string, timeUs: number): Take {
    const market = this.#market;
    market.saw(channel, timeUs);
    const { topics } = market;
    switch (channel) {
      case 'trade': {
        const scan = new TradeScan('trade');
        return (bytes, start, end, timeUs, out) => {
          out.publish(topics.trade, bytes, start, end);
          if (scan.read(bytes, start, end) && market.scannedTrade(scan, timeUs, out)) return;
          market.trade(readTrade(bytes, start, end), timeUs, out);
        };
      }
      case 'bookTicker': {
        const kept = market.quoteFrom();
        return (bytes, start, end, _timeUs, out) => {
          out.publish(topics.bookTicker, bytes, start, end);
          kept.keep(bytes, start, end);
        };
      }
      case 'depth':
        return (bytes, start, end, timeUs, out) => this.#depth(bytes, start, end, timeUs, out);
      case 'aggTrade': {
        const scan = new TradeScan('aggTrade');
        return (bytes, start, end, timeUs, out) => {
          out.publish(topics.aggTrade, bytes, start, end);
          if (scan.read(bytes, start, end) && market.scannedAggTrade(scan, timeUs)) return;
          market.aggTrade(readAggTrade(bytes.subarray(start, end)), timeUs);
        };
      }
      default:
        return channel.startsWith('kline_') ? this.#kline(channel) : () => {};
    }
  }

  #depth(bytes: Buffer, start: number, end: number, timeUs: number, out: Broadcast): void {
    const market = this.#market;
    const sync = this.#sync;
    // A snapshot is the recorder's REST answer: no stream ever carried it.
    const snapshot = isSnapshot(bytes, start, end);
    if (snapshot) sync.snapshot(bytes, start, end, timeUs);
    else {
      out.publish(market.topics.depth100, bytes, start, end);
      sync.diff(bytes, start, end);
    }
    market.book = sync.book;
    market.bookSynced = sync.synced;
    if (!snapshot) market.bookMoved(() => readDepth(bytes.subarray(start, end), 0), timeUs, out);
  }

  #kline(channel: string): Take {
    const market = this.#market;
    const name = channel.slice('kline_'.length);
    const topic = `${market.symbol.toLowerCase()}@${channel}`;
    const interval = intervalOf(name);
    market.givenKlines.add(name);
    return (bytes, start, end, _timeUs, out) => {
      out.publish(topic, bytes, start, end);
      const candle = readKline(bytes.subarray(start, end));
      if (interval) market.candles.put(interval, fromCandle(candle), candle.closed);
    };
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

  /** What to do with the payloads of a channel. */
  take(channel: string, _timeUs: number): Take {
    return (bytes, start, end, timeUs, out) => {
      for (const event of this.#read(channel, bytes.subarray(start, end), timeUs)) {
        this.#event(event, channel, timeUs, out);
      }
    };
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
    market.bookMoved(() => diff, 0, out);
  }
}
