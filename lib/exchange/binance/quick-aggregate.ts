/** The same as `Aggregator` for trades in numbers. */
import { eightDecimals } from '../../market/quick-book.ts';
import type { QuickTrade } from '../../market/tally.ts';
import { Aggregator, TOGETHER_US, type Running } from './aggregate.ts';
import type { TradeScan } from './trade-scan.ts';
import { toMs } from './write.ts';

/** Beyond it sums are no longer exact. */
const EXACT = Number.MAX_SAFE_INTEGER;

type Aggregate = { -readonly [Key in keyof QuickTrade]: QuickTrade[Key] } & { id: number };
const empty = (): Aggregate => ({
  id: 0,
  timeUs: 0,
  price: 0,
  quantity: 0,
  firstId: 0,
  lastId: 0,
  takerBuys: false,
});

export class QuickAggregator {
  /** The one that was completed last. */
  readonly complete = empty();
  readonly #running = empty();
  #isRunning = false;
  #receivedUs = 0;
  #nextId = -1;

  /** Adds a trade received at `nowUs`; true when `complete` holds the aggregate that it completes. */
  add(trade: TradeScan, nowUs: number): boolean {
    this.#receivedUs = nowUs;
    const running = this.#running;
    if (
      this.#isRunning &&
      running.takerBuys === trade.takerBuys &&
      running.price === trade.price &&
      (running.timeUs === trade.timeUs || toMs(running.timeUs) === toMs(trade.timeUs)) &&
      running.quantity + trade.quantity <= EXACT
    ) {
      running.lastId = trade.id;
      running.quantity += trade.quantity;
      return false;
    }
    const completed = this.#isRunning;
    if (completed) this.#end();
    this.#isRunning = true;
    running.firstId = running.lastId = trade.id;
    running.timeUs = trade.timeUs;
    running.price = trade.price;
    running.quantity = trade.quantity;
    running.takerBuys = trade.takerBuys;
    return completed;
  }

  /** Ends the running aggregate if it is complete by time; true when `complete` holds it. */
  flush(nowUs: number): boolean {
    if (!this.#isRunning || nowUs - this.#receivedUs < TOGETHER_US) return false;
    this.#end();
    return true;
  }

  #end(): void {
    this.#isRunning = false;
    const { complete } = this;
    const running = this.#running;
    // Aggregates are fewer than trades: beginning at the first trade's id, no later run can repeat an id.
    if (this.#nextId < 0) this.#nextId = running.firstId;
    complete.id = this.#nextId++;
    complete.timeUs = running.timeUs;
    complete.price = running.price;
    complete.quantity = running.quantity;
    complete.firstId = running.firstId;
    complete.lastId = running.lastId;
    complete.takerBuys = running.takerBuys;
  }

  /** One that takes any trade and goes on where this one is. */
  toAggregator(): Aggregator {
    const { firstId, lastId, timeUs, price, quantity, takerBuys } = this.#running;
    const running: Running | undefined = this.#isRunning
      ? {
          first: {
            kind: 'trade',
            timeUs,
            id: String(firstId),
            price: eightDecimals(price),
            quantity: eightDecimals(quantity),
            taker: takerBuys ? 'buy' : 'sell',
          },
          lastId: String(lastId),
          quantity: BigInt(quantity),
        }
      : undefined;
    const nextId = this.#nextId < 0 ? undefined : BigInt(this.#nextId);
    return new Aggregator(running, this.#receivedUs, nextId);
  }
}
