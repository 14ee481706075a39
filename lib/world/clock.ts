/**
 * Time comes from outside: everything that decides takes `now`, everything that waits takes a `Clock`,
 * so that a simulated world can stand in for the real one.
 */
export type Clock = {
  /** Wall time, Unix microseconds. Data only: never used for a timeout. */
  wallUs(): number;
  /** Monotonic milliseconds with a fraction, the same in all processes of a host. For every timer and every silence. */
  monoMs(): number;
};

/** Further off than this, the wall clock was stepped; within it, it is being slewed. */
const STEP_US = 2_000;
/** How often the wall clock is looked at: each look takes a microsecond where it is seldom taken. */
const LOOK_US = 10_000;

/**
 * Wall time with the monotonic clock's microseconds: that goes on evenly from where the wall clock was, and is set anew,
 * within 10 ms, where the wall clock has been stepped.
 */
export function wallClock(
  monoUs: () => number,
  wallMs: () => number,
  startUs = wallMs() * 1e3,
): () => number {
  let originUs = startUs - monoUs();
  let lookedUs = -Infinity;
  return () => {
    const nowUs = monoUs();
    if (nowUs - lookedUs >= LOOK_US) {
      lookedUs = nowUs;
      const offUs = wallMs() * 1e3 - (originUs + nowUs);
      if (Math.abs(offUs) >= STEP_US) originUs += offUs;
    }
    return originUs + nowUs;
  };
}

/** Not `performance.now()`: called once a millisecond, that takes a microsecond more. */
function monoUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1e3);
}

export const realClock: Clock = {
  wallUs: wallClock(
    monoUs,
    Date.now,
    Math.round((performance.timeOrigin + performance.now()) * 1e3),
  ),
  monoMs() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
};
