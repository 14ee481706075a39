/** From values to places in a picture, and the marks of an axis. Pure. */
export type Scale = (value: number) => number;

export const logScale = (low: number, high: number, from: number, to: number): Scale => {
  const span = Math.log10(high) - Math.log10(low) || 1;
  return (value) =>
    from + ((Math.log10(Math.max(value, low)) - Math.log10(low)) / span) * (to - from);
};

export const linearScale = (low: number, high: number, from: number, to: number): Scale => {
  const span = high - low || 1;
  return (value) => from + ((value - low) / span) * (to - from);
};

/** Powers of ten around the values, and those between. */
export function decades(values: readonly number[]): number[] {
  const positive = values.filter((value) => value > 0 && Number.isFinite(value));
  if (positive.length === 0) return [1, 10];
  const low = Math.floor(Math.log10(Math.min(...positive)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...positive))));
  return Array.from({ length: high - low + 1 }, (_, at) => 10 ** (low + at));
}

/** Places of labels moved apart to at least `gap`, kept in their order and within [from, to] as far as they fit. */
export function apart(places: readonly number[], gap: number, from: number, to: number): number[] {
  const order = places.map((_, at) => at).sort((a, b) => places[a]! - places[b]!);
  const moved = [...places];
  let least = from;
  for (const at of order) {
    moved[at] = Math.max(moved[at]!, least);
    least = moved[at]! + gap;
  }
  let most = to;
  for (const at of order.toReversed()) {
    moved[at] = Math.min(moved[at]!, most);
    most = moved[at]! - gap;
  }
  return moved;
}

/** "10 us", "1 ms", "1 s". */
export function timeLabel(us: number): string {
  if (us < 1_000) return `${Number(us.toPrecision(3))} us`;
  if (us < 1e6) return `${Number((us / 1_000).toPrecision(3))} ms`;
  return `${Number((us / 1e6).toPrecision(3))} s`;
}
