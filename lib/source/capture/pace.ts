/**
 * When a recorded message is due: an absolute deadline from the first one on, so that a late timer is made up for and
 * errors never add up. Only differences of recorded times count; recorders' clocks are wrong.
 */
export class Pace {
  readonly #factor: number;
  #firstUs: number | undefined;
  #startMs = 0;

  /** `factor`: market seconds a second; Infinity = unpaced. */
  constructor(factor: number) {
    this.#factor = factor;
  }
  get paced(): boolean {
    return this.#factor !== Infinity;
  }
  /** Monotonic ms at which a message recorded at `timeUs` is due. The first message asked for is due at once. */
  dueMs(timeUs: number, nowMs: number): number {
    if (!this.paced) return nowMs;
    if (this.#firstUs === undefined) {
      this.#firstUs = timeUs;
      this.#startMs = nowMs;
    }
    return this.#startMs + (timeUs - this.#firstUs) / 1000 / this.#factor;
  }
}
