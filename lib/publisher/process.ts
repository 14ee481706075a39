/**
 * The event loop's part in a publisher: letting others run, waiting, and being woken at a time.
 */

/** Lets sockets and timers have their turn. */
export const letOthersRun = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Calls `action` when sockets and timers have had their turn. */
export function later(action: () => void): void {
  setImmediate(action);
}

/** Somebody waits, at most a while, until somebody rings. */
export class Bell {
  #waiting: (() => void) | undefined;

  ring(): void {
    this.#waiting?.();
  }

  /** Until the next ring, or `ms` later. One waiter at a time. */
  wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#waiting?.(), ms);
      this.#waiting = () => {
        clearTimeout(timer);
        this.#waiting = undefined;
        resolve();
      };
    });
  }
}

/** Calls `action` again and again, each time as many ms later as it says. Never more often than once a millisecond. */
export function repeat(action: () => number, firstMs: number): { stop(): void } {
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  const arm = (ms: number): void => {
    if (!stopped) timer = setTimeout(() => arm(action()), Math.max(1, Math.min(ms, 60_000)));
  };
  arm(firstMs);
  return {
    stop() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
