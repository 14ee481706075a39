/** The middle of a few runs and how far they lie apart. Pure. */
import { median } from './percentile.ts';

export type Spread = { readonly median: number; readonly min: number; readonly max: number };

/** NaN and infinities of nothing. */
export const spread = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});
