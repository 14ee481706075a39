/**
 * A log is cut into segments: files named by the position of their first byte and the epoch that wrote them. A new one
 * begins at a size, at an age, and at every epoch, so bytes of two writers never share a file, and the length of a
 * segment is what its successor's name says.
 *
 *   segment-name = 20DIGIT "-" 10DIGIT ".jsonl"      ; base position, epoch
 */
export type Segment = { readonly base: number; readonly epoch: number };

const NAME_LENGTH = 37;

/** The digits `[from, to)` as a number; NaN when one of them is none. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

export const segmentName = ({ base, epoch }: Segment): string =>
  `${String(base).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.jsonl`;

/** The segment a file name stands for; undefined for any other file. */
export function parseSegment(name: string): Segment | undefined {
  if (name.length !== NAME_LENGTH || name[20] !== '-' || !name.endsWith('.jsonl')) return undefined;
  const base = digits(name, 0, 20);
  const epoch = digits(name, 21, 31);
  return Number.isSafeInteger(base) && epoch >= 0 ? { base, epoch } : undefined;
}

/** Oldest first; of two with one base the later epoch is last (the earlier one is empty). */
export const bySegment = (a: Segment, b: Segment): number => a.base - b.base || a.epoch - b.epoch;

/** Index of the segment that holds `position`: the last whose base is not behind it; -1 when all are. */
export function segmentAt(segments: readonly Segment[], position: number): number {
  let low = 0;
  let high = segments.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (segments[middle]!.base <= position) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

export type RollRule = { readonly bytes: number; readonly ageMs: number };

/** Whether a batch of `next` bytes begins a new segment: never in an empty one. */
export const rolls = (rule: RollRule, size: number, ageMs: number, next: number): boolean =>
  size > 0 && (size + next > rule.bytes || ageMs >= rule.ageMs);
