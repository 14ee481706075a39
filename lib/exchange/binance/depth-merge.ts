/**
 * Depth diffs put together to fewer, longer ones (1000 ms out of 100 ms, or 100 ms out of another venue's every
 * change): the first U, the last u, each level's last quantity, levels best first.
 */
import { toScaled } from '../../market/decimal.ts';
import type { Level } from '../../market/event.ts';
import type { DepthDiff } from './write.ts';

const sorted = (levels: Map<string, string>, sign: 1 | -1): Level[] =>
  [...levels]
    .map(([price, quantity]) => ({ key: toScaled(price), level: [price, quantity] as Level }))
    .sort((a, b) => (a.key === b.key ? 0 : a.key < b.key ? -sign : sign))
    .map(({ level }) => level);

export class DepthMerge {
  readonly #bids = new Map<string, string>();
  readonly #asks = new Map<string, string>();
  #firstId = 0;
  #lastId = 0;

  get empty(): boolean {
    return this.#firstId === 0;
  }

  add(diff: DepthDiff): void {
    if (this.#firstId === 0) this.#firstId = diff.firstId;
    this.#lastId = diff.lastId;
    for (const [price, quantity] of diff.bids) this.#bids.set(price, quantity);
    for (const [price, quantity] of diff.asks) this.#asks.set(price, quantity);
  }

  /** What has come together since the last call; undefined where that is nothing. */
  take(): DepthDiff | undefined {
    if (this.empty) return undefined;
    const diff = {
      firstId: this.#firstId,
      lastId: this.#lastId,
      bids: sorted(this.#bids, -1),
      asks: sorted(this.#asks, 1),
    };
    this.clear();
    return diff;
  }

  clear(): void {
    this.#firstId = 0;
    this.#bids.clear();
    this.#asks.clear();
  }
}
