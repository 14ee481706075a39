/**
 * The ohlc channel of one instrument: nine intervals from one stream of trades. An interval that nobody asked for costs
 * nothing. Candles without a trade are not sent (REST has them); an update goes out with each message of trades.
 */
import { QUOTE_SCALE, type Bar, type TradeValue } from '../../market/bar.ts';
import { Candles } from '../../market/candles.ts';
import { SCALE, fromScaled } from '../../market/decimal.ts';
import type { Interval } from '../../market/interval.ts';
import type { Broadcast } from '../exchange.ts';
import { ohlcInterval, ohlcMinutes } from './channel.ts';
import { QUANTITY_DECIMALS } from './digits.ts';
import { writeOhlc, type OhlcRow } from './write.ts';

/** Candles in a snapshot. */
const SNAPSHOT_CANDLES = 10;
/** Closed candles that REST gives at most; the running one comes on top. */
export const REST_CANDLES = 720;

/** Volume-weighted average price of a bar; zero without trades. */
export const barVwap = (bar: Bar, decimals: number): string =>
  fromScaled(bar.volume === 0n ? 0n : bar.quote / bar.volume, decimals, QUOTE_SCALE - SCALE);

type Served = {
  readonly minutes: number;
  readonly interval: Interval;
  readonly topic: string;
  /** Newest candle of a recorded ohlc log; undefined where candles are made from trades. */
  last: Bar | undefined;
};

export class Ohlc {
  readonly #symbol: string;
  readonly #broadcast: Broadcast;
  readonly #priceDecimals: () => number;
  readonly #served: readonly Served[];
  #candles = new Candles(REST_CANDLES);

  constructor(symbol: string, broadcast: Broadcast, priceDecimals: () => number) {
    this.#symbol = symbol;
    this.#broadcast = broadcast;
    this.#priceDecimals = priceDecimals;
    this.#served = ohlcMinutes.map((minutes) => ({
      minutes,
      interval: ohlcInterval(minutes),
      topic: `${symbol} ohlc-${minutes}`,
      last: undefined,
    }));
  }

  /** The stream begins again from an older time. */
  reset(): void {
    this.#candles = new Candles(REST_CANDLES);
    for (const served of this.#served) served.last = undefined;
  }

  apply(trades: readonly TradeValue[], live: boolean): void {
    for (const trade of trades) this.#candles.trade(trade);
    if (!live || trades.length === 0) return;
    for (const served of this.#served) {
      // A message whose trades lie on both sides of a boundary changes two candles.
      if (!served.last) this.#publish(served, trades[0]!.timeUs, trades.at(-1)!.timeUs);
    }
  }

  #publish({ minutes, interval, topic }: Served, firstUs: number, timeUs: number): void {
    if (!this.#broadcast.wanted(topic)) return;
    const rows = this.#rows(minutes, interval.startUs(firstUs));
    if (rows.length === 0) return;
    this.#broadcast.publish(topic, writeOhlc('update', this.#symbol, minutes, rows, timeUs));
  }

  /** Takes a candle that another exchange made itself, where its interval is one of ours. */
  put(intervalUs: number, bar: Bar, closed: boolean, live: boolean): void {
    const served = this.#served.find(({ interval }) => interval.us === intervalUs);
    if (!served) return;
    this.#candles.put(served.interval, bar, closed);
    if (live) this.#publish(served, bar.startUs, bar.endUs);
  }

  /** Takes Kraken's own frame: it goes out as it is, and this interval is no longer made from trades. */
  recorded(minutes: number, bars: readonly Bar[], live: boolean, payload: Buffer): void {
    const served = this.#of(minutes);
    for (const bar of bars) {
      // A frame does not say that a candle is closed: the next one does.
      const { last } = served;
      if (last && bar.startUs > last.startUs) this.#candles.put(served.interval, last, true);
      this.#candles.put(served.interval, bar, false);
      served.last = bar;
    }
    if (live && this.#broadcast.wanted(served.topic))
      this.#broadcast.publish(served.topic, payload);
  }

  #rows(minutes: number, fromUs: number): OhlcRow[] {
    const decimals = this.#priceDecimals();
    const price = (value: bigint): string => fromScaled(value, decimals);
    return this.bars(minutes, fromUs)
      .filter((bar) => bar.trades > 0)
      .map((bar) => ({
        open: price(bar.open),
        high: price(bar.high),
        low: price(bar.low),
        close: price(bar.close),
        trades: bar.trades,
        volume: fromScaled(bar.volume, QUANTITY_DECIMALS),
        vwap: barVwap(bar, decimals),
        startUs: bar.startUs,
        endUs: bar.endUs,
      }));
  }

  /** Candles that begin at or after `fromUs`, oldest first, the running one last. */
  bars(minutes: number, fromUs = -Infinity): Bar[] {
    const limit = REST_CANDLES + 1;
    return this.#candles.bars(ohlcInterval(minutes), { fromUs, limit }).map(({ bar }) => bar);
  }

  /** Closes candles whose time is over though no trade came. */
  advance(timeUs: number): void {
    this.#candles.tick(timeUs);
  }

  #of(minutes: number): Served {
    return this.#served.find((served) => served.minutes === minutes)!;
  }

  topic(minutes: number): string {
    return this.#of(minutes).topic;
  }

  /** The newest candles; undefined before the first trade. */
  snapshot(minutes: number, timeUs: number): string | undefined {
    const rows = this.#rows(minutes, -Infinity).slice(-SNAPSHOT_CANDLES);
    if (rows.length === 0) return undefined;
    return writeOhlc('snapshot', this.#symbol, minutes, rows, timeUs);
  }
}
