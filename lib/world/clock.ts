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

const originUs = Math.round(performance.timeOrigin * 1000);

export const realClock: Clock = {
  // `performance.timeOrigin + now()` has microseconds but drifts from the wall clock when that is stepped;
  // Date.now() follows the steps. So: the wall's millisecond, the monotonic clock's fraction of it.
  wallUs() {
    const monoUs = originUs + Math.floor(performance.now() * 1000);
    const wallUs = Date.now() * 1000;
    return Math.abs(monoUs - wallUs) < 2_000 ? monoUs : wallUs + (monoUs % 1000);
  },
  monoMs() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
};
