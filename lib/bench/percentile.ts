/** Which percentiles so many samples carry: one is told only when at least ten samples lie beyond it. Pure. */
const asked = [50, 90, 99, 99.9, 99.99, 99.999] as const;
const BEYOND = 10;

/** The percentiles that `samples` carry. */
export const carried = (samples: number): readonly number[] =>
  asked.filter((percentile) => carries(samples, percentile));

/** True when at least ten of `samples` lie beyond `percentile`. */
export const carries = (samples: number, percentile: number): boolean =>
  // The sum in whole hundred-thousandths: 1 - 0.999 is not a thousandth in a double.
  Math.floor((samples * Math.round((100 - percentile) * 1_000)) / 100_000) >= BEYOND;

/** Percentiles between which the true one lies with 95 %, by the binomial distribution of ranks. */
export function interval95(samples: number, percentile: number): readonly [number, number] {
  const share = percentile / 100;
  const ranks = 1.96 * Math.sqrt(samples * share * (1 - share));
  const at = (rank: number): number => Math.min(100, Math.max(0, (rank / samples) * 100));
  return [at(samples * share - ranks), at(samples * share + ranks)];
}

/** Median of a few figures; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? sorted[middle]!
    : sorted.length === 0
      ? NaN
      : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
