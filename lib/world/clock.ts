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

/** The monotonic clock, microseconds. Not `performance.now()`: called once a millisecond, that takes some microseconds. */
function monoUs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e6 + Math.floor(nanoseconds / 1e3);
}
const originUs = Math.round((performance.timeOrigin + performance.now()) * 1e3) - monoUs();

export const realClock: Clock = {
  // The monotonic clock from where the wall clock was has microseconds but drifts when that is stepped; Date.now() follows
  // the steps. So: the wall's millisecond, the monotonic clock's fraction of it.
  wallUs() {
    const fineUs = originUs + monoUs();
    const wallUs = Date.now() * 1000;
    return Math.abs(fineUs - wallUs) < 2_000 ? fineUs : wallUs + (fineUs % 1000);
  },
  monoMs() {
    const [seconds, nanoseconds] = process.hrtime();
    return seconds * 1e3 + nanoseconds / 1e6;
  },
};
