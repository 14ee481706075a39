/** What a feed waits on: somebody rings, or a time comes. Rings that come while nobody waits are kept (one is enough). */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;
  #timer: NodeJS.Timeout | undefined;

  get rung(): boolean {
    return this.#rung;
  }

  ring(): void {
    this.#rung = true;
    const wake = this.#wake;
    if (wake) {
      this.#wake = undefined;
      wake();
    }
  }

  /** Resolves when rung, or after `ms`: true when it really waited. One waiter at a time. */
  async wait(ms: number): Promise<boolean> {
    const waits = !this.#rung && ms > 0;
    if (waits) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        if (ms !== Infinity) this.#timer = setTimeout(resolve, Math.min(ms, 0x7fffffff));
      });
      clearTimeout(this.#timer);
      this.#wake = undefined;
    }
    this.#rung = false;
    return waits;
  }
}
