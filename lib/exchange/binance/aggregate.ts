/**
 * Aggregate trades out of trades: consecutive ones with the same taker side, price and millisecond are one taker order
 * at one price level. An aggregate is complete when the next trade differs, or nothing came to it for 2 ms (`flush`).
 */
import { fromScaled, toScaled } from '../../market/decimal.ts';
import type { Trade } from '../../market/event.ts';
import type { AggTrade } from './read.ts';
import { toMs } from './write.ts';

/** Trades of one order arrive together: after so long without one, by the receiver's clock, there are no more. */
export const TOGETHER_US = 2000;

/** An aggregate that may still grow. */
export type Running = {
  readonly first: Trade;
  lastId: string;
  /** Times 10^8. */
  quantity: bigint;
};

export class Aggregator {
  #running: Running | undefined;
  #receivedUs: number;
  #nextId: bigint | undefined;

  /** Goes on where another one was: what is running, when its last trade came, and the next aggregate's id. */
  constructor(running?: Running, receivedUs = 0, nextId?: bigint) {
    this.#running = running;
    this.#receivedUs = receivedUs;
    this.#nextId = nextId;
  }

  /** Adds a trade received at `nowUs`; returns the aggregate that it completes. */
  add(trade: Trade, nowUs: number): AggTrade | undefined {
    this.#receivedUs = nowUs;
    const running = this.#running;
    if (
      running &&
      running.first.taker === trade.taker &&
      running.first.price === trade.price &&
      toMs(running.first.timeUs) === toMs(trade.timeUs)
    ) {
      running.lastId = trade.id;
      running.quantity += toScaled(trade.quantity);
      return undefined;
    }
    const complete = this.flush();
    this.#running = { first: trade, lastId: trade.id, quantity: toScaled(trade.quantity) };
    return complete;
  }

  /** True when the running aggregate is complete by time. */
  isOver(nowUs: number): boolean {
    return this.#running !== undefined && nowUs - this.#receivedUs >= TOGETHER_US;
  }

  /** Ends the running aggregate. */
  flush(): AggTrade | undefined {
    if (!this.#running) return undefined;
    const { first, lastId, quantity: sum } = this.#running;
    this.#running = undefined;
    // Aggregates are fewer than trades: beginning at the first trade's id, no later run can repeat an id.
    this.#nextId ??= BigInt(first.id);
    const id = String(this.#nextId++);
    const quantity = lastId === first.id ? first.quantity : fromScaled(sum);
    const { timeUs, price, taker } = first;
    return { kind: 'trade', timeUs, id, price, quantity, taker, firstId: first.id, lastId };
  }
}
