/**
 * Is the client still there? It must answer one of our pings, with the ping's own payload, before the deadline: pongs
 * that nobody asked for do not count, other traffic does not either. Pure: `now` is an argument.
 */
export type PingTimes = {
  /** Interval of pings, ms; 0 or Infinity: none. */
  readonly everyMs: number;
  /** The longest a ping may stay unanswered, ms. */
  readonly deadlineMs: number;
};

export class Pings {
  readonly #times: PingTimes;
  #nextMs: number;
  /** Pings not answered yet, oldest first. */
  readonly #open: { readonly payload: string; readonly atMs: number }[] = [];

  constructor(times: PingTimes, nowMs: number) {
    this.#times = times;
    this.#nextMs = times.everyMs > 0 ? nowMs + times.everyMs : Infinity;
  }

  /** What is to be done now. */
  due(nowMs: number): 'ping' | 'cut' | undefined {
    const oldest = this.#open[0];
    if (oldest !== undefined && nowMs - oldest.atMs >= this.#times.deadlineMs) return 'cut';
    return nowMs >= this.#nextMs ? 'ping' : undefined;
  }

  sent(payload: string, nowMs: number): void {
    this.#open.push({ payload, atMs: nowMs });
    this.#nextMs = nowMs + this.#times.everyMs;
  }

  /** An answer settles its ping and those before it. */
  pong(payload: string): void {
    const at = this.#open.findLastIndex((ping) => ping.payload === payload);
    if (at >= 0) this.#open.splice(0, at + 1);
  }
}

/** How often to look at all clients' pings, ms. */
export const sweepMs = (times: PingTimes): number =>
  times.everyMs > 0 ? Math.max(5, Math.min(1000, times.everyMs / 4, times.deadlineMs / 4)) : 1000;
