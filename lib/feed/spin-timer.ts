/**
 * A reader that does not sleep at once: it goes on looking at the heads, giving the event loop a turn each time, so that
 * sockets and timers are served as ever. For how long after the last record is the consumer's choice.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Idle } from './options.ts';

export type Spun = {
  now(): number;
  /** True when there is something else to do: somebody rang, or a time has come. */
  over(nowMs: number): boolean;
  /** True when a head has moved. */
  moved(): boolean;
};

export class Spinner {
  readonly #forMs: number;
  #untilMs = -Infinity;

  constructor(idle: Idle = 'park') {
    this.#forMs = idle === 'park' ? 0 : idle === 'spin' ? Infinity : idle.spinUs / 1_000;
    if (this.#forMs === Infinity) this.#untilMs = Infinity;
  }

  get spins(): boolean {
    return this.#forMs > 0;
  }

  /** Records came: more may follow. */
  fed(nowMs: number): void {
    this.#untilMs = nowMs + this.#forMs;
  }

  /** Spins until one of the two, or time to sleep. */
  async spin(world: Spun): Promise<'moved' | 'over' | 'park'> {
    for (;;) {
      const nowMs = world.now();
      if (world.over(nowMs)) return 'over';
      if (nowMs >= this.#untilMs) return 'park';
      if (world.moved()) return 'moved';
      await nextTurn();
    }
  }
}
