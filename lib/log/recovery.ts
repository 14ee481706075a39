/**
 * What to do with the tail of a log that is opened for writing. A crash leaves whole lines that were never announced
 * (kept: they are part of the log), a torn last line, NULs where the file system had promised bytes, or garbage.
 * All that is cut, and kept aside. Damage that whole lines follow is no tail: it is refused, never silently cut.
 */
import { LINE_MAX, isLine, lineMark, lineTimeUs, viewOf } from './line.ts';

export type Scan = {
  /** Offset behind the last good line, good lines up to there, marks among them, time of the last one. */
  readonly end: number;
  readonly lines: number;
  readonly marks: number;
  readonly lastTimeUs: number;
  /** Bytes behind `end` that are no line. */
  readonly torn: number;
  /** Offset of a good line behind the damage, -1 when there is none: the damage is in the middle. */
  readonly goodAfter: number;
};

/**
 * Walks `bytes` (a segment, or its part from a line's start) line by line up to the first that is none.
 * `lastTimeUs` is the time of the line before; times must rise.
 */
export function scanTail(bytes: Buffer, lastTimeUs: number): Scan {
  let at = 0;
  let lines = 0;
  let marks = 0;
  let last = lastTimeUs;
  const view = viewOf(bytes);
  for (;;) {
    const feed = bytes.indexOf(10, at);
    if (feed < 0 || !isLine(bytes, at, feed + 1, view)) break;
    const timeUs = lineTimeUs(bytes, at);
    if (timeUs <= last) break;
    last = timeUs;
    if (bytes[at + 50] === 110 && lineMark(bytes, at, feed + 1) !== undefined) marks++;
    lines++;
    at = feed + 1;
  }
  return {
    end: at,
    lines,
    marks,
    lastTimeUs: last,
    torn: bytes.length - at,
    goodAfter: findLine(bytes, at + 1),
  };
}

/** Offset of the first whole line at or behind `from`; -1 when there is none. */
export function findLine(bytes: Buffer, from: number): number {
  let at = bytes.indexOf('{"t":', from, 'latin1');
  let feed = -1;
  while (at >= 0) {
    if (feed < at) feed = bytes.indexOf(10, at);
    if (feed < 0) return -1;
    if (isLine(bytes, at, feed + 1)) return at;
    at = bytes.indexOf('{"t":', Math.max(at + 1, feed + 1 - LINE_MAX), 'latin1');
  }
  return -1;
}
