/**
 * The newest trades of a market as columns of numbers, for REST: half a dozen stores a trade, and nothing for the garbage
 * collector. Objects with texts are made of those that somebody asks for.
 */
import { eightDecimals } from '../../market/quick-book.ts';
import type { QuickTrade } from '../../market/tally.ts';
import type { TradeList } from './history.ts';
import type { AggTrade } from './read.ts';

const SMALLEST = 256;
const LARGEST = 8192;

export class QuickHistory implements TradeList<AggTrade> {
  #size = SMALLEST;
  /** Trades ever pushed since `clear`; the newest is at `(#pushed - 1) % #size`. */
  #pushed = 0;
  #ids = new Float64Array(SMALLEST);
  #firstIds = new Float64Array(SMALLEST);
  #lastIds = new Float64Array(SMALLEST);
  #prices = new Float64Array(SMALLEST);
  #quantities = new Float64Array(SMALLEST);
  /** Negative where the taker sold. */
  #times = new Float64Array(SMALLEST);

  push(id: number, trade: QuickTrade): void {
    if (this.#pushed === this.#size && this.#size < LARGEST) this.#grow();
    const at = this.#pushed++ & (this.#size - 1);
    this.#ids[at] = id;
    this.#firstIds[at] = trade.firstId;
    this.#lastIds[at] = trade.lastId;
    this.#prices[at] = trade.price;
    this.#quantities[at] = trade.quantity;
    this.#times[at] = trade.takerBuys ? trade.timeUs : -trade.timeUs;
  }

  #grow(): void {
    const size = this.#size * 2;
    const grown = (from: Float64Array): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(size);
      to.set(from);
      return to;
    };
    this.#ids = grown(this.#ids);
    this.#firstIds = grown(this.#firstIds);
    this.#lastIds = grown(this.#lastIds);
    this.#prices = grown(this.#prices);
    this.#quantities = grown(this.#quantities);
    this.#times = grown(this.#times);
    this.#size = size;
  }

  clear(): void {
    this.#pushed = 0;
  }

  get #oldest(): number {
    return Math.max(0, this.#pushed - this.#size);
  }

  #trade(index: number): AggTrade {
    const at = index & (this.#size - 1);
    const time = this.#times[at]!;
    return {
      kind: 'trade',
      timeUs: Math.abs(time),
      id: String(this.#ids[at]),
      price: eightDecimals(this.#prices[at]!),
      quantity: eightDecimals(this.#quantities[at]!),
      taker: time > 0 ? 'buy' : 'sell',
      firstId: String(this.#firstIds[at]),
      lastId: String(this.#lastIds[at]),
    };
  }

  #range(from: number, to: number): readonly AggTrade[] {
    const found: AggTrade[] = [];
    for (let index = from; index < to; index++) found.push(this.#trade(index));
    return found;
  }

  last(): AggTrade | undefined {
    return this.#pushed === 0 ? undefined : this.#trade(this.#pushed - 1);
  }
  newest(limit: number): readonly AggTrade[] {
    return this.#range(Math.max(this.#oldest, this.#pushed - limit), this.#pushed);
  }
  fromId(id: string, limit: number): readonly AggTrade[] {
    const least = Number(id);
    const from = this.#first((at) => this.#ids[at]! >= least);
    return this.#range(from, Math.min(this.#pushed, from + limit));
  }
  between(fromUs: number, toUs: number): readonly AggTrade[] {
    const from = this.#first((at) => Math.abs(this.#times[at]!) >= fromUs);
    return this.#range(
      from,
      this.#first((at) => Math.abs(this.#times[at]!) > toUs),
    );
  }

  /** Index of the first trade for which it holds, where it holds for all after. */
  #first(holds: (at: number) => boolean): number {
    let low = this.#oldest;
    let high = this.#pushed;
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (holds(middle & (this.#size - 1))) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
