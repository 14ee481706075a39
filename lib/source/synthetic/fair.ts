/**
 * What an asset is worth, as a multiple of its start price: a random walk that is drawn back to 1. All markets of one
 * asset share it, so BTC-USDT and BTC-USD move together. It only biases who trades and who quotes; prices are ticks.
 */
import type { Random } from './random.ts';

/** Deviation after one second, and the pull back to 1 a second: stays within about ±2 %. */
const DEVIATION = 6.5e-5;
const PULL = 2e-5;

export class FairValue {
  value = 1;
  readonly #deviation: number;
  readonly #pull: number;

  /** `stepsPerSecond`: how often `step` is called in a second of market time. */
  constructor(stepsPerSecond: number) {
    this.#deviation = DEVIATION / Math.sqrt(stepsPerSecond);
    this.#pull = PULL / stepsPerSecond;
  }

  step(random: Random): number {
    this.value += (1 - this.value) * this.#pull + random.normal() * this.#deviation;
    return this.value;
  }
}
