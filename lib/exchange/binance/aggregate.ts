/**
 * Aggregate trades out of trades: consecutive ones with the same taker side, price and millisecond are one taker order
 * at one price level. An aggregate is complete when the next trade differs, or nothing came to it for 2 ms (`flush`).
 */
import { fromScaled, toScaled } from '../../market/decimal.ts';
import type { Trade } from '../../market/event.ts';
import type { AggTrade } from './read.ts';
import { toMs } from './write.ts';

/** Trades of one order arrive together: after so long without one, by the receiver's clock, there are no more. */
const TOGETHER_US = 2000;

export class Aggregator {
  #receivedUs = 0;
  #first: Trade | undefined;
  #lastId = '';
  #quantity = 0n;
  #nextId: bigint | undefined;

  /** Adds a trade received at `nowUs`; returns the aggregate that it completes. */
  add(trade: Trade, nowUs: number): AggTrade | undefined {
    this.#receivedUs = nowUs;
    const first = this.#first;
    if (
      first &&
      first.taker === trade.taker &&
      first.price === trade.price &&
      toMs(first.timeUs) === toMs(trade.timeUs)
    ) {
      this.#lastId = trade.id;
      this.#quantity += toScaled(trade.quantity);
      return undefined;
    }
    const complete = this.flush();
    this.#first = trade;
    this.#lastId = trade.id;
    this.#quantity = toScaled(trade.quantity);
    return complete;
  }

  /** True when the running aggregate is complete by time. */
  isOver(nowUs: number): boolean {
    return this.#first !== undefined && nowUs - this.#receivedUs >= TOGETHER_US;
  }

  /** Ends the running aggregate. */
  flush(): AggTrade | undefined {
    const first = this.#first;
    if (!first) return undefined;
    this.#first = undefined;
    // Aggregates are fewer than trades: beginning at the first trade's id, no later run can repeat an id.
    this.#nextId ??= BigInt(first.id);
    const id = String(this.#nextId++);
    const quantity = this.#lastId === first.id ? first.quantity : fromScaled(this.#quantity);
    const { timeUs, price, taker } = first;
    const lastId = this.#lastId;
    return { kind: 'trade', timeUs, id, price, quantity, taker, firstId: first.id, lastId };
  }
}
