/** How long a node that died waits before it is started again. */

/** Wait before the restart that follows failure number `failures` (from 1): doubles each time up to `mostMs`. */
export const backoffMs = (failures: number, firstMs: number, mostMs: number): number =>
  Math.min(mostMs, firstMs * 2 ** Math.min(30, failures - 1));

/** Those of `timesMs` that are not older than the window. */
export const withinWindow = (
  timesMs: readonly number[],
  nowMs: number,
  windowMs: number,
): number[] => timesMs.filter((timeMs) => nowMs - timeMs < windowMs);
