/** What a feed waits on: somebody rings, or a time comes. Rings that come while nobody waits are kept (one is enough). */

/** Longest wait of a timer. */
const TIMER_MAX_MS = 0x7fffffff;

export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;
  /** Kept over many waits: most end by a ring, and a timer made and unmade for each would cost more than all else here. */
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Infinity;
  #untilMs = Infinity;

  get rung(): boolean {
    return this.#rung;
  }

  ring(): void {
    this.#rung = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  /** Resolves when rung, or at `untilMs`: true when it really waited. One waiter at a time. */
  async wait(untilMs: number, nowMs: number): Promise<boolean> {
    const waits = !this.#rung && untilMs > nowMs;
    if (waits) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        this.#untilMs = untilMs;
        if (untilMs < this.#timerMs) this.#setAlarm(nowMs);
      });
    }
    this.#rung = false;
    return waits;
  }

  /** A timer that is due earlier will look again then. */
  #setAlarm(nowMs: number): void {
    clearTimeout(this.#timer);
    this.#timerMs = Math.min(this.#untilMs, nowMs + TIMER_MAX_MS);
    this.#timer = setTimeout(() => this.#alarm(), this.#timerMs - nowMs);
  }

  #alarm(): void {
    const nowMs = this.#timerMs;
    this.#timerMs = Infinity;
    if (!this.#wake) return;
    if (this.#untilMs > nowMs) this.#setAlarm(nowMs);
    else this.#wakeUp();
  }

  /** Nobody will wait any more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timerMs = Infinity;
    this.ring();
  }
}
