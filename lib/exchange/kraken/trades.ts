/**
 * The trade channel of one instrument: the newest trades, without repeats, for snapshots and REST.
 * Trade ids rise by one a book; a trade whose id is not higher than the last one's was seen before (a snapshot after
 * a reconnect brings fifty old ones). Ids are compared as digits, they may exceed 2^53.
 */
import type { Trade } from '../../market/event.ts';
import type { Broadcast } from '../exchange.ts';
import { writeTrades } from './write.ts';

/** Trades in a snapshot, as Kraken sends. */
const SNAPSHOT_TRADES = 50;
const KEPT = 10_000;

const higher = (a: string, b: string): boolean =>
  a.length === b.length ? a > b : a.length > b.length;

export class Trades {
  readonly topic: string;
  readonly #symbol: string;
  readonly #broadcast: Broadcast;
  #kept: Trade[] = [];
  #lastId = '';

  constructor(symbol: string, broadcast: Broadcast) {
    this.topic = `${symbol} trade`;
    this.#symbol = symbol;
    this.#broadcast = broadcast;
  }

  /** The stream begins again from an older id. */
  reset(): void {
    this.#lastId = '';
  }

  /** Takes trades, oldest first; returns those that are new. `payload`: the frame to pass on as it is. */
  apply(trades: readonly Trade[], live: boolean, payload: Buffer | undefined): readonly Trade[] {
    const fresh = trades.filter((trade) => this.#isFresh(trade));
    this.#kept.push(...fresh);
    // Cut in lots: shifting for each trade would cost more than the trade.
    if (this.#kept.length > KEPT * 1.25) this.#kept = this.#kept.slice(-KEPT);
    if (live && this.#broadcast.wanted(this.topic)) {
      if (payload) this.#broadcast.publish(this.topic, payload);
      else if (fresh.length > 0) {
        this.#broadcast.publish(this.topic, writeTrades('update', this.#symbol, fresh));
      }
    }
    return fresh;
  }

  #isFresh(trade: Trade): boolean {
    if (trade.id !== '' && !higher(trade.id, this.#lastId)) return false;
    this.#lastId = trade.id;
    return true;
  }

  /** Oldest first. Do not change it. */
  get kept(): readonly Trade[] {
    return this.#kept;
  }

  snapshot(): string {
    return writeTrades('snapshot', this.#symbol, this.#kept.slice(-SNAPSHOT_TRADES));
  }
}
