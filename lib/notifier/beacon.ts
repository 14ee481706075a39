/**
 * Heartbeats repeat a log's end so that a lost last notice is noticed: soon after the last append, then ever more rarely,
 * and once a second whatever happens. One `Beacon` a log; pure.
 */
const delaysMs = [20, 50, 100, 200, 400];
export const BEACON_MS = 1_000;

export class Beacon {
  #appendedMs: number;
  #lastMs: number;
  #sent = 0;

  constructor(nowMs: number) {
    this.#appendedMs = nowMs;
    this.#lastMs = nowMs;
  }

  /** When the next heartbeat is due, monotonic ms. */
  get dueMs(): number {
    const delayMs = delaysMs[this.#sent];
    const steadyMs = this.#lastMs + BEACON_MS;
    return delayMs === undefined ? steadyMs : Math.min(this.#appendedMs + delayMs, steadyMs);
  }

  /** The log grew and a notice went out. */
  appended(nowMs: number): void {
    this.#appendedMs = nowMs;
    this.#sent = 0;
  }

  /** A heartbeat went out. */
  sent(nowMs: number): void {
    this.#lastMs = nowMs;
    this.#sent++;
  }
}
