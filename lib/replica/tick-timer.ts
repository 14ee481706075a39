/** One timer for many followers: wakes when the first of them is due, and tells how late it came. */
export class TickTimer {
  readonly #nowMs: () => number;
  readonly #fire: (lateMs: number) => void;
  #timer: NodeJS.Timeout | undefined;
  #dueMs = Infinity;
  #stopped = false;

  constructor(nowMs: () => number, fire: (lateMs: number) => void) {
    this.#nowMs = nowMs;
    this.#fire = fire;
  }

  /** Wakes at `dueMs` at the latest. */
  by(dueMs: number): void {
    if (this.#stopped || dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    const waitMs = Math.min(Math.max(1, dueMs - this.#nowMs()), 60_000);
    this.#timer = setTimeout(() => {
      const lateMs = this.#nowMs() - this.#dueMs;
      this.#dueMs = Infinity;
      this.#fire(lateMs);
    }, waitMs);
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }
}
