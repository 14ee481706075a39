/**
 * Whether something costs, on a machine that others use too: many short windows with it, each between two without it. A
 * window's figure is divided by the mean of its neighbours', so what lasts longer than a window falls out; the median of
 * the ratios and its interval of confidence (by order, so no form of the noise is assumed) say the rest. Pure.
 */
export type Ratio = {
  readonly median: number;
  /** Smaller (larger) than these the true median is with a chance of at most 0.5 %. */
  readonly low: number;
  readonly high: number;
  readonly ratios: readonly number[];
};

const CHANCE = 0.005;

/** How many of the outermost of `count` values the interval leaves out at each end; -1 when there are too few values. */
function leftOut(count: number): number {
  let [ways, sum] = [1, 0];
  for (let k = 0; ; k++) {
    sum += ways / 2 ** count;
    if (sum > CHANCE) return k - 1;
    ways = (ways * (count - k)) / (k + 1);
  }
}

/** `without` has one value more than `beside`: the windows before and behind each. Throws TypeError for too few (8). */
export function ratioOf(without: readonly number[], beside: readonly number[]): Ratio {
  const ratios = beside.map((value, i) => value / Math.sqrt(without[i]! * without[i + 1]!));
  const sorted = ratios.toSorted((a, b) => a - b);
  const out = leftOut(sorted.length);
  if (out < 0) throw new TypeError(`${sorted.length} windows are too few`);
  const half = sorted.length >> 1;
  const median = (sorted[half]! + sorted.at(-1 - half)!) / 2;
  return { median, low: sorted[out]!, high: sorted.at(-1 - out)!, ratios };
}
