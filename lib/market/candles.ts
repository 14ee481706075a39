/**
 * All candles of one instrument. Four series are always kept (1 s <- 1 m <- 1 h <- 1 d, each from the closed candles
 * of the finer one); any other interval is built when it is first asked for, from the coarsest of the four that fits
 * into it, and kept up from then on. So a trade costs one addition, an unused interval nothing, and memory is bounded.
 */
import { toCandle, type Bar, type TradeValue } from './bar.ts';
import { CandleSeries } from './candle-series.ts';
import type { Candle } from './event.ts';
import { DAY_US, HOUR_US, MINUTE_US, SECOND_US, fixedInterval, type Interval } from './interval.ts';

/** Which candles. */
export type CandleRange = {
  /** First and last open time, inclusive, Unix microseconds. */
  readonly fromUs?: number | undefined;
  readonly toUs?: number | undefined;
  /** At most so many: the oldest where `fromUs` is given, else the newest. */
  readonly limit?: number | undefined;
};

export class Candles {
  readonly #keep: number;
  readonly #finest: CandleSeries;
  /** Finest first, so that advancing in this order never closes a candle before its parts. */
  readonly #always: CandleSeries[];
  readonly #series = new Map<string, CandleSeries>();
  /** Intervals of a fraction of a second have no base: they take the trades themselves. */
  readonly #direct: CandleSeries[] = [];

  /** `keep`: closed candles per interval. The minutes kept for building others are at least a day's. */
  constructor(keep = 1000) {
    this.#keep = keep;
    this.#finest = new CandleSeries(fixedInterval(SECOND_US), keep);
    const minutes = new CandleSeries(
      fixedInterval(MINUTE_US),
      Math.max(keep, 24 * 60),
      this.#finest,
    );
    const hours = new CandleSeries(fixedInterval(HOUR_US), keep, minutes);
    const days = new CandleSeries(fixedInterval(DAY_US), keep, hours);
    this.#always = [this.#finest, minutes, hours, days];
    for (const series of this.#always) this.#series.set(series.interval.key, series);
  }

  /** Adds a trade. One that is older than the open candle counts in the open candle. */
  trade(trade: TradeValue): void {
    this.#finest.add(trade);
    for (const series of this.#direct) series.add(trade);
  }

  /** Adds trades of one second put together, the first of them at `timeUs`. */
  trades(trades: Bar, timeUs: number): void {
    this.#finest.addAll(trades, timeUs);
    for (const series of this.#direct) series.addAll(trades, timeUs);
  }

  /** Takes a candle that the exchange made itself; from then on this interval is no longer built from trades. */
  put(interval: Interval, bar: Bar, closed: boolean): void {
    this.#of(interval).put(bar, closed);
  }

  /** Closes candles by time. Before the first trade there is nothing to close. */
  tick(nowUs: number): void {
    for (const series of this.#series.values()) series.advance(nowUs);
  }

  /** The running candle; undefined before the first trade. */
  open(interval: Interval): Candle | undefined {
    const bar = this.#of(interval).open();
    return bar && toCandle(bar, false);
  }

  /** Open time of the newest closed candle, Unix microseconds; -1 when there is none. */
  lastClosedUs(interval: Interval): number {
    const series = this.#of(interval);
    series.open(); // lets it catch up with its base
    return series.closed.at(-1)?.startUs ?? -1;
  }

  /** Closed candles and the open one behind them, oldest first. */
  range(interval: Interval, { fromUs = -Infinity, toUs = Infinity, limit }: CandleRange = {}) {
    return this.bars(interval, { fromUs, toUs, limit }).map(({ bar, closed }) =>
      toCandle(bar, closed),
    );
  }

  /** The same without writing text. */
  bars(
    interval: Interval,
    { fromUs = -Infinity, toUs = Infinity, limit = this.#keep }: CandleRange = {},
  ): { bar: Bar; closed: boolean }[] {
    const series = this.#of(interval);
    const running = series.open();
    const all = series.closed;
    let first = all.length;
    while (first > 0 && all[first - 1]!.startUs >= fromUs) first--;
    let end = all.length;
    while (end > first && all[end - 1]!.startUs > toUs) end--;
    const picked = all.slice(first, end).map((bar) => ({ bar, closed: true }));
    if (running && running.startUs >= fromUs && running.startUs <= toUs) {
      picked.push({ bar: running, closed: false });
    }
    if (limit <= 0) return [];
    return fromUs === -Infinity ? picked.slice(-limit) : picked.slice(0, limit);
  }

  #of(interval: Interval): CandleSeries {
    let series = this.#series.get(interval.key);
    if (!series) {
      const base = this.#always.findLast(
        ({ interval: { us } }) => interval.us % us === 0 && interval.originUs % us === 0,
      );
      series = new CandleSeries(interval, this.#keep, base);
      this.#series.set(interval.key, series);
      if (!base) this.#direct.push(series);
    }
    return series;
  }
}
