/**
 * Trades of one second added up in plain numbers, then handed on as one bar: most seconds of a busy market have many
 * trades, and one addition of BigInts a second costs next to nothing. Exact: prices and quantities are integers of 10^8
 * up to 2^53, a product is cut into parts that a double holds (whole x whole, whole x fraction, and so on).
 */
import { Bar } from './bar.ts';
import { SECOND_US } from './interval.ts';

/** A trade, or an aggregate of several, in numbers: price and quantity times 10^8, ids up to 2^53. */
export type QuickTrade = {
  readonly timeUs: number;
  readonly price: number;
  readonly quantity: number;
  readonly firstId: number;
  readonly lastId: number;
  readonly takerBuys: boolean;
};

const UNIT = 1e8;
const HALF = 1e4;
const UNIT_BIG = BigInt(UNIT);
const HALF_BIG = BigInt(HALF);
/** A sum that goes beyond is handed on: one more term must fit. */
const FULL = 2 ** 52;

/** Quantities and products of one taker side. */
class Flow {
  volume = 0;
  /** Parts of the sum of products, in units of 10^16, 10^8, 10^4 and 1 of scale 16. */
  #wholes = 0;
  #mixed = 0;
  #upper = 0;
  #lower = 0;

  /** False where it has to be emptied first. */
  add(price: number, quantity: number): boolean {
    const priceWhole = Math.floor(price / UNIT);
    const priceRest = price - priceWhole * UNIT;
    const whole = Math.floor(quantity / UNIT);
    const rest = quantity - whole * UNIT;
    const restUpper = Math.floor(rest / HALF);
    const volume = this.volume + quantity;
    const wholes = this.#wholes + priceWhole * whole;
    const mixed = this.#mixed + priceWhole * rest + priceRest * whole;
    const upper = this.#upper + priceRest * restUpper;
    const lower = this.#lower + priceRest * (rest - restUpper * HALF);
    if (volume > FULL || wholes > FULL || mixed > FULL) return false;
    if (upper > FULL || lower > FULL) return false;
    this.volume = volume;
    this.#wholes = wholes;
    this.#mixed = mixed;
    this.#upper = upper;
    this.#lower = lower;
    return true;
  }

  quote(): bigint {
    if (this.volume === 0) return 0n;
    const upper = BigInt(this.#wholes) * UNIT_BIG + BigInt(this.#mixed);
    return upper * UNIT_BIG + BigInt(this.#upper) * HALF_BIG + BigInt(this.#lower);
  }

  clear(): void {
    this.volume = 0;
    this.#wholes = this.#mixed = this.#upper = this.#lower = 0;
  }
}

export class Tally {
  /** Time of the first trade, Unix microseconds, and the end of its second. */
  startUs = 0;
  endUs = 0;
  trades = 0;
  /** Of the newest trade. */
  lastQuantity = 0;
  /** Newest time. */
  lastUs = 0;
  readonly #bought = new Flow();
  readonly #sold = new Flow();
  #open = 0;
  #high = 0;
  #low = 0;
  #close = 0;
  #firstId = 0;
  #lastId = 0;

  /** True when the trade may be added: the tally is empty, or the trade no later than its second. */
  takes(timeUs: number): boolean {
    return this.trades === 0 || timeUs < this.endUs;
  }

  /** Adds a trade; false where the sums are full: take the bar, then try again. An empty tally takes all that `fits`. */
  add({ timeUs, price, quantity, firstId, lastId, takerBuys }: QuickTrade): boolean {
    if (!(takerBuys ? this.#bought : this.#sold).add(price, quantity)) return false;
    if (this.trades === 0) {
      this.startUs = this.lastUs = timeUs;
      this.endUs = (Math.floor(timeUs / SECOND_US) + 1) * SECOND_US;
      this.#open = this.#high = this.#low = price;
      this.#firstId = firstId;
    } else if (price > this.#high) this.#high = price;
    else if (price < this.#low) this.#low = price;
    this.#close = price;
    this.#lastId = lastId;
    this.trades += lastId - firstId + 1;
    this.lastQuantity = quantity;
    if (timeUs > this.lastUs) this.lastUs = timeUs;
    return true;
  }

  /** All that was added, as a bar of the second; the tally is then empty. Only where there are trades. */
  take(): Bar {
    const bar = new Bar(this.endUs - SECOND_US, this.endUs, BigInt(this.#open));
    bar.high = BigInt(this.#high);
    bar.low = BigInt(this.#low);
    bar.close = BigInt(this.#close);
    bar.takerVolume = BigInt(this.#bought.volume);
    bar.volume = bar.takerVolume + BigInt(this.#sold.volume);
    bar.takerQuote = this.#bought.quote();
    bar.quote = bar.takerQuote + this.#sold.quote();
    bar.trades = this.trades;
    bar.firstId = String(this.#firstId);
    bar.lastId = String(this.#lastId);
    this.#bought.clear();
    this.#sold.clear();
    this.trades = 0;
    return bar;
  }
}

/** True for a trade that an empty tally can add: what is beyond is for BigInts. */
export const fits = (price: number, quantity: number): boolean =>
  price <= FULL / 2 && quantity <= FULL / 2 && (price / UNIT) * (quantity / UNIT) <= FULL;
