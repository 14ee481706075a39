/**
 * Finding a place in a log. Receive times rise through it, so a time is found by binary search in the files themselves
 * (some thirty small reads at any length): an index in place, with nothing to build, to keep true or to distrust.
 */
import { lineTimeUs } from './line.ts';
import type { LogReader } from './disk-reader.ts';

const BLOCK = 64 << 10;
/** Enough for the envelope of the line behind the next line feed, in all but the longest lines. */
const PROBE = 4 << 10;

/** First line start behind `position`, and its time; undefined when none is below `limit`. */
function lineBehind(
  reader: LogReader,
  position: number,
  limit: number,
): { start: number; timeUs: number } | undefined {
  for (let length = PROBE; ; length *= 4) {
    const bytes = reader.raw(position, length, limit);
    const feed = bytes.indexOf(10);
    if (feed >= 0 && feed + 32 <= bytes.length) {
      return { start: position + feed + 1, timeUs: lineTimeUs(bytes, feed + 1) };
    }
    if (bytes.length < length) return undefined;
  }
}

/** Position of the first line received at or after `timeUs` (Unix microseconds); `limit` when there is none. */
export function seekTime(reader: LogReader, timeUs: number, limit: number): number {
  const segments = reader.segments.filter((segment) => segment.base < limit);
  const timeOf = (base: number): number => {
    const bytes = reader.raw(base, 32, limit);
    return bytes.length < 32 ? Infinity : lineTimeUs(bytes);
  };
  let first = 0;
  let last = segments.length;
  while (first < last) {
    const middle = (first + last) >> 1;
    if (timeOf(segments[middle]!.base) < timeUs) first = middle + 1;
    else last = middle;
  }
  // Segments from `first` on begin at or after the time: the answer is their start, or inside the one before.
  let high = segments[first]?.base ?? limit;
  if (first === 0) return segments[0]?.base ?? limit;
  let low = segments[first - 1]!.base;
  while (high - low > BLOCK) {
    const line = lineBehind(reader, low + Math.floor((high - low) / 2), high);
    if (!line || line.start >= high) break;
    if (line.timeUs < timeUs) low = line.start;
    else high = line.start;
  }
  while (low < high) {
    const chunk = reader.read(low, high, BLOCK);
    if (!chunk) return high;
    let start = 0;
    for (const end of chunk.ends) {
      if (lineTimeUs(chunk.bytes, start) >= timeUs) return low + start;
      start = end;
    }
    low += chunk.bytes.length;
  }
  return high;
}

/** Lines from the newest before `limit` back to the oldest kept, each with its position. */
export function* linesBackward(
  reader: LogReader,
  limit: number,
): Generator<{ position: number; line: Buffer }, void, undefined> {
  const oldest = reader.oldest();
  const segments = reader.segments;
  let index = segments.length - 1;
  let end = limit;
  while (end > oldest && index >= 0) {
    const base = segments[index]!.base;
    if (base >= end) {
      index--;
      continue;
    }
    for (let size = BLOCK; ; size *= 4) {
      const from = Math.max(base, end - size);
      const bytes = reader.raw(from, end - from, end);
      // The first line of a block that does not begin at the segment's start may be cut: leave it to the next block.
      const start = from === base ? 0 : bytes.indexOf(10) + 1;
      if (from !== base && (start === 0 || start >= bytes.length)) continue;
      let behind = bytes.length;
      while (behind > start) {
        const feed = bytes.lastIndexOf(10, behind - 2);
        const at = feed < start ? start : feed + 1;
        yield { position: from + at, line: bytes.subarray(at, behind) };
        behind = at;
      }
      end = from + start;
      break;
    }
  }
}

/** Position of the `count`-th line before `limit`; the oldest kept when there are fewer. */
export function seekBack(reader: LogReader, count: number, limit: number): number {
  let position = limit;
  let left = count;
  if (left <= 0) return limit;
  for (const { position: at } of linesBackward(reader, limit)) {
    position = at;
    if (--left === 0) break;
  }
  return position;
}
