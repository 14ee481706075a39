/**
 * Candles of one interval: the open one and a bounded run of closed ones without holes. A coarse series is fed with
 * the closed candles of a finer one (its base), so a trade is added once, to the finest, however many intervals are
 * asked for; the open candle of a coarse series is its own sum plus the open candles below it.
 */
import { Bar, type TradeValue } from './bar.ts';
import type { Interval } from './interval.ts';

export class CandleSeries {
  readonly interval: Interval;
  readonly base: CandleSeries | undefined;
  readonly #keep: number;
  readonly #closed: Bar[] = [];
  #open: Bar | undefined;
  readonly #above: CandleSeries[] = [];
  /** True when the candles come from outside (a recorded kline channel): the base no longer feeds it. */
  #given = false;
  /** True when closed candles have been let go. */
  #cut = false;

  constructor(interval: Interval, keep: number, base?: CandleSeries) {
    this.interval = interval;
    this.#keep = keep;
    this.base = base;
    if (!base) return;
    // Of a base that has let candles go, the first whole interval is where this one begins.
    let whole = !base.#cut;
    for (const bar of base.#closed) {
      whole ||= interval.startUs(bar.startUs) === bar.startUs;
      if (whole) this.#take(bar);
    }
    base.#above.push(this);
  }

  /** Only for the finest series: those without a base. */
  add(trade: TradeValue): void {
    const { timeUs } = trade;
    const open = this.#open;
    if (open && timeUs < open.endUs) open.add(trade); // a late trade counts in the open candle
    else this.#opened(timeUs, trade.price).add(trade);
  }

  /** The same for trades put together, the first of them at `timeUs`, all of one interval or late. */
  addAll(trades: Bar, timeUs: number): void {
    const open = this.#open;
    if (open && timeUs < open.endUs) open.merge(trades);
    else this.#opened(timeUs, trades.open).merge(trades);
  }

  /** A candle made elsewhere: replaces the open one, or closes it. */
  put(bar: Bar, closed: boolean): void {
    this.#given = true;
    const last = this.#closed.at(-1);
    if (last && bar.startUs <= last.startUs) return;
    if (closed) {
      this.#open = undefined;
      this.#push(bar);
    } else this.#open = bar;
  }

  /** Closes what has ended by `timeUs`. Finer series first. */
  advance(timeUs: number): void {
    const open = this.#open;
    if (this.#given || !open || timeUs < open.endUs) return;
    this.#opened(timeUs, open.close);
  }

  #take(bar: Bar): void {
    if (this.#given) return;
    const open =
      this.#open && bar.startUs < this.#open.endUs
        ? this.#open
        : this.#opened(bar.startUs, bar.open);
    open.merge(bar);
  }

  /** The open bar at `timeUs`: closes the one before it and fills the intervals between with empty ones. */
  #opened(timeUs: number, price: bigint): Bar {
    const { interval } = this;
    const startUs = interval.startUs(timeUs);
    const before = this.#open;
    let level = price;
    if (before) {
      level = before.close;
      this.#push(before);
      let emptyUs = before.endUs;
      const farUs = startUs - this.#keep * interval.us;
      if (emptyUs < farUs) emptyUs = interval.startUs(farUs);
      while (emptyUs < startUs) {
        const endUs = interval.endUs(emptyUs);
        this.#push(new Bar(emptyUs, endUs, level));
        emptyUs = endUs;
      }
    }
    this.#open = new Bar(startUs, interval.endUs(startUs), level);
    return this.#open;
  }

  #push(bar: Bar): void {
    const closed = this.#closed;
    closed.push(bar);
    // Cut in lots: shifting a long array for each candle would cost more than the candle.
    if (closed.length >= this.#keep * 1.25) {
      closed.splice(0, closed.length - this.#keep);
      this.#cut = true;
    }
    for (const series of this.#above) series.#take(bar);
  }

  /** The open candle with all below it, as a copy; undefined before the first trade. */
  open(): Bar | undefined {
    const below = this.#given ? undefined : this.base?.open();
    const own = this.#open;
    if (!own) {
      if (!below) return undefined;
      const startUs = this.interval.startUs(below.startUs);
      const bar = new Bar(startUs, this.interval.endUs(startUs), below.open);
      bar.merge(below);
      return bar;
    }
    if (below && below.startUs >= own.endUs) {
      // The base has gone on and this one was not advanced yet.
      this.#opened(below.startUs, below.open);
      return this.open();
    }
    const bar = own.copy();
    if (below) bar.merge(below);
    return bar;
  }

  /** Closed candles, oldest first. Do not change them. */
  get closed(): readonly Bar[] {
    return this.#closed;
  }
}
