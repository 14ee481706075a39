/**
 * Statistics over a window that ends now (24 hours, usually), in buckets of one minute: the oldest bucket leaves as a
 * whole, so the window is exact to the bucket and memory does not grow with trades. Sums are kept as buckets come and
 * go; high and low are looked for again only after the bucket that held one has left.
 */
import { Bar, QUOTE_SCALE, type TradeValue } from './bar.ts';
import { SCALE, fromScaled } from './decimal.ts';
import { DAY_US, MINUTE_US } from './interval.ts';

export type RollingStats = {
  /** Start of the window and time of the last trade in it, Unix microseconds. */
  readonly openTimeUs: number;
  readonly closeTimeUs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly last: string;
  readonly lastQuantity: string;
  /** Price of the last trade before the window; the opening price where none is known. */
  readonly previousClose: string;
  readonly volume: string;
  readonly quoteVolume: string;
  /** Volume-weighted average price; "0.00000000" without a trade. */
  readonly vwap: string;
  /** last - open, and the same in percent of open with 3 digits, rounded to nearest. */
  readonly change: string;
  readonly changePercent: string;
  readonly trades: number;
  readonly firstTradeId: string;
  readonly lastTradeId: string;
};

export class Rolling {
  readonly #windowUs: number;
  readonly #bucketUs: number;
  readonly #buckets: Bar[] = [];
  /** All but the newest bucket, added up. */
  #sum = new Bar(0, 0, 0n);
  #sumValid = true;
  #newest: Bar | undefined;
  #previous: bigint | undefined;
  #lastQuantity = 0n;
  #lastTimeUs = 0;

  constructor(windowUs: number = DAY_US, bucketUs: number = MINUTE_US) {
    this.#windowUs = windowUs;
    this.#bucketUs = bucketUs;
  }

  trade(trade: TradeValue): void {
    const { timeUs } = trade;
    this.#bucket(timeUs, trade.price).add(trade);
    this.#lastQuantity = trade.quantity;
    if (timeUs > this.#lastTimeUs) this.#lastTimeUs = timeUs;
  }

  /** Adds trades of one second put together, from `firstUs` to `lastUs`, the last of them of `lastQuantity`. */
  trades(trades: Bar, firstUs: number, lastUs: number, lastQuantity: bigint): void {
    this.#bucket(firstUs, trades.open).merge(trades);
    this.#lastQuantity = lastQuantity;
    if (lastUs > this.#lastTimeUs) this.#lastTimeUs = lastUs;
  }

  /** The bucket that a trade at `timeUs` belongs to: the newest, or a new one. */
  #bucket(timeUs: number, price: bigint): Bar {
    let bar = this.#newest;
    if (!bar || timeUs >= bar.endUs) {
      if (bar) this.#sum.merge(bar);
      const startUs = Math.floor(timeUs / this.#bucketUs) * this.#bucketUs;
      bar = new Bar(startUs, startUs + this.#bucketUs, price);
      this.#newest = bar;
      this.#buckets.push(bar);
      this.#expire(timeUs);
    }
    return bar;
  }

  /** Lets buckets leave that ended before the window began. */
  #expire(nowUs: number): void {
    const fromUs = nowUs - this.#windowUs;
    let gone = 0;
    while (gone < this.#buckets.length && this.#buckets[gone]!.endUs <= fromUs) {
      this.#previous = this.#buckets[gone]!.close;
      gone++;
    }
    if (gone === 0) return;
    this.#buckets.splice(0, gone);
    if (this.#buckets.length === 0) this.#newest = undefined;
    this.#sumValid = false;
  }

  #total(): Bar {
    if (!this.#sumValid) {
      this.#sum = new Bar(0, 0, 0n);
      for (let i = 0; i < this.#buckets.length - 1; i++) this.#sum.merge(this.#buckets[i]!);
      this.#sumValid = true;
    }
    const total = this.#sum.copy();
    if (this.#newest) total.merge(this.#newest);
    return total;
  }

  /** The window that ends at `nowUs`; undefined where no trade was ever seen. Prices with 8 digits. */
  stats(nowUs: number): RollingStats | undefined {
    this.#expire(nowUs);
    const total = this.#total();
    if (total.trades === 0) {
      if (this.#previous === undefined) return undefined;
      total.open = total.high = total.low = total.close = this.#previous;
    }
    const change = total.close - total.open;
    return {
      openTimeUs: nowUs - this.#windowUs,
      closeTimeUs: Math.max(nowUs, this.#lastTimeUs),
      open: fromScaled(total.open),
      high: fromScaled(total.high),
      low: fromScaled(total.low),
      last: fromScaled(total.close),
      lastQuantity: fromScaled(this.#lastQuantity),
      previousClose: fromScaled(this.#previous ?? total.open),
      volume: fromScaled(total.volume),
      quoteVolume: fromScaled(total.quote, SCALE, QUOTE_SCALE),
      vwap: fromScaled(total.volume === 0n ? 0n : total.quote / total.volume),
      change: fromScaled(change),
      changePercent: percent(change, total.open),
      trades: total.trades,
      firstTradeId: total.firstId,
      lastTradeId: total.lastId,
    };
  }
}

/** `part` in percent of `whole`, three digits after the point, rounded half away from zero. */
export function percent(part: bigint, whole: bigint): string {
  if (whole === 0n) return '0.000';
  const doubled = (part * 200_000n) / whole;
  const rounded = doubled >= 0n ? (doubled + 1n) / 2n : (doubled - 1n) / 2n;
  return fromScaled(rounded, 3, 3);
}
