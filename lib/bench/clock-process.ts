/** The bench's clock: CLOCK_MONOTONIC, the same in all processes of a host, as nanoseconds since the runner's start. */
export type BenchClock = () => number;

/** `baseNs`: `process.hrtime.bigint()` of the runner in decimal. A double keeps whole nanoseconds for 104 days. */
export function benchClock(baseNs: string): BenchClock {
  const base = BigInt(baseNs);
  return () => Number(process.hrtime.bigint() - base);
}

export const newBase = (): string => (process.hrtime.bigint() - 1_000_000_000n).toString();
