/**
 * Sends what is due when it is due. A thread that sleeps in a timed wait here wakes some 60 us late, so the pacer wakes
 * early by what it has learned and spins the rest; the event loop gets a turn after every send. What has become due
 * meanwhile goes out in one call, as it would in a fetcher.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { BenchClock } from './clock-process.ts';

/** Longer waits leave the event loop to others. */
const TIMER_NS = 4e6;
const TIMER_EARLY_NS = 2.5e6;
/** Shorter ones are spun away. */
const SPIN_NS = 5e3;
const TURN_MAX = 1_000;

/** Sends records `[from, to)`, which are all due. May return a promise: the next are sent when it resolves. */
export type Send = (from: number, to: number) => Promise<void> | void;

/** Resolves when all have been sent. `dueNs` are offsets from `startNs` on the clock `now`. */
export async function pace(
  dueNs: Float64Array,
  startNs: number,
  now: BenchClock,
  send: Send,
): Promise<void> {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  let lateNs = 60e3;
  let next = 0;
  while (next < dueNs.length) {
    const wantedNs = startNs + dueNs[next]!;
    let nowNs = now();
    if (wantedNs - nowNs > TIMER_NS) {
      await sleep((wantedNs - nowNs - TIMER_EARLY_NS) / 1e6);
      continue;
    }
    const restNs = wantedNs - nowNs - lateNs;
    if (restNs > SPIN_NS) {
      Atomics.wait(cell, 0, 0, restNs / 1e6);
      const overNs = now() - nowNs - restNs;
      // Quick to learn of lateness, slow to forget it; a single hiccup of the machine teaches little.
      lateNs += (Math.min(overNs, 300e3) - lateNs) * (overNs > lateNs ? 0.2 : 0.02);
    }
    do nowNs = now();
    while (nowNs < wantedNs);
    let to = next + 1;
    while (to < dueNs.length && to - next < TURN_MAX && startNs + dueNs[to]! <= nowNs) to++;
    const sending = send(next, to);
    if (sending) await sending;
    next = to;
    await nextTurn();
  }
}
