/** Opens what a crash left: finds the true end of a log, cuts a torn tail (kept in `*.torn`), counts what is there. */
import { basename, dirname, join } from 'node:path';
import { TickmeshError } from '../world/error.ts';
import {
  appendDurably,
  cutFile,
  flags,
  listSegments,
  readText,
  readUpTo,
  realFiles,
} from './disk-files.ts';
import type { Files } from './files.ts';
import { SlotReader } from './disk-head.ts';
import { linesAtStart, parseEpochs, type Epoch } from './epochs.ts';
import { readSlot, type Slot } from './head.ts';
import { LINE_MAX } from './line.ts';
import { findLine, scanTail } from './recovery.ts';
import { segmentName, type Segment } from './segment.ts';

export type Recovered = {
  readonly segments: readonly Segment[];
  readonly epochs: readonly Epoch[];
  /** Highest epoch seen anywhere; 0 in a new log. */
  readonly epoch: number;
  readonly position: number;
  readonly lines: number;
  readonly marks: number;
  readonly lastTimeUs: number;
  /** What the head file announced before; undefined in a new log. */
  readonly announced: Slot | undefined;
  /** Bytes that were cut off and kept aside. */
  readonly tornBytes: number;
};

type Walk = {
  size: number;
  end: number;
  lines: number;
  marks: number;
  lastTimeUs: number;
  goodAfter: number;
};
const WINDOW = 8 << 20;

/** Walks a segment's lines from `from` to its end (or `upTo`) or the first damage, in windows of constant memory. */
function walk(files: Files, fd: number, from: number, upTo = Infinity): Walk {
  const size = Math.min(upTo, files.size(fd));
  const buffer = Buffer.allocUnsafe(Math.min(WINDOW, Math.max(1, size - from)));
  const total: Walk = { size, end: from, lines: 0, marks: 0, lastTimeUs: 0, goodAfter: -1 };
  while (total.end < size) {
    const got = readUpTo(files, fd, buffer, Math.min(buffer.length, size - total.end), total.end);
    const scan = scanTail(buffer.subarray(0, got), total.lastTimeUs);
    total.lines += scan.lines;
    total.marks += scan.marks;
    total.lastTimeUs = scan.lastTimeUs;
    const start = total.end;
    total.end += scan.end;
    // A line cut by the window's edge is no damage: read again from its start, unless no window could hold it.
    const cutByWindow = start + got < size && got - scan.end <= LINE_MAX && scan.goodAfter < 0;
    if (scan.torn === 0 || (cutByWindow && scan.end > 0)) continue;
    total.goodAfter =
      scan.goodAfter < 0 ? lineBehind(files, fd, buffer, total) : start + scan.goodAfter;
    break;
  }
  return total;
}

/** Offset of a whole line behind the damage at `end`, however wide that is; -1 when there is none. */
function lineBehind(files: Files, fd: number, buffer: Buffer, { end, size }: Walk): number {
  // A line that begins in one window may end in the next: they overlap by the longest one.
  for (let at = end + 1; at < size; at += buffer.length - LINE_MAX) {
    const got = readUpTo(files, fd, buffer, Math.min(buffer.length, size - at), at);
    const found = findLine(buffer.subarray(0, got), 0);
    if (found >= 0) return at + found;
    if (at + got >= size) break;
  }
  return -1;
}

/**
 * Recovers a log's folder. `deep` when the host itself may have crashed since: then newer bytes may have reached the
 * platter before older ones, and the log ends at the first hole. Throws LOG_CORRUPT for damage that is not a tail.
 */
export function recoverLog(folder: string, files: Files = realFiles, deep = true): Recovered {
  const headFile = new SlotReader(join(folder, 'head'), files);
  const headBytes = headFile.read();
  const announced = headBytes && readSlot(headBytes);
  headFile.close();
  const epochs = parseEpochs(readText(files, join(folder, 'epochs.jsonl')));
  const segments = listSegments(files, folder);
  const seen = [announced?.epoch ?? 0, epochs.at(-1)?.epoch ?? 0, ...segments.map((s) => s.epoch)];
  const common = { segments, epochs, epoch: Math.max(...seen), announced };
  let tornBytes = cutAtHole(files, folder, segments, deep);
  syncNewest(files, folder, segments);
  while (segments.length > 0) {
    const last = segments.at(-1)!;
    const path = join(folder, segmentName(last));
    const fd = files.open(path, flags.readWrite);
    try {
      // A crash between creating a segment and its first byte leaves it empty: it says nothing, drop it.
      if (files.size(fd) > 0) {
        const tail = recoverSegment(files, fd, folder, last, segments, announced, epochs);
        tornBytes += cutTail(files, fd, path, tail.walk);
        const { end, marks, lines, lastTimeUs } = tail.walk;
        if (end > 0) {
          return {
            ...common,
            tornBytes,
            position: last.base + end,
            lines: tail.linesBefore + lines,
            marks: tail.marksBefore + marks,
            lastTimeUs,
          };
        }
      }
    } finally {
      files.close(fd);
    }
    // Nothing of it was whole: the log ends in the segment before.
    files.remove(path);
    segments.pop();
  }
  return { ...common, tornBytes, position: 0, lines: 0, marks: 0, lastTimeUs: 0 };
}

/** Segments that a power failure can have hurt: the newest one, and the one that was going to the platter. */
const DEEP = 2;

/** Finds the first closed segment that is shorter than its successor says; what is behind it is kept aside as `*.torn`. */
function cutAtHole(files: Files, folder: string, segments: Segment[], deep: boolean): number {
  for (let i = 0; i + 1 < segments.length; i++) {
    const segment = segments[i]!;
    const expected = segments[i + 1]!.base - segment.base;
    const fd = files.open(join(folder, segmentName(segment)), flags.read);
    let whole: boolean;
    try {
      whole = files.size(fd) >= expected;
      if (whole && deep && i >= segments.length - 1 - DEEP) {
        const found = walk(files, fd, 0);
        if (found.goodAfter >= 0) throw corrupt(folder, segment, found.end);
        whole = found.end >= expected;
      }
    } finally {
      files.close(fd);
    }
    if (whole) continue;
    // Without a crash of the host no segment loses its end: somebody cut that file.
    if (!deep) throw corrupt(folder, segment, sizeOf(files, join(folder, segmentName(segment))));
    let aside = 0;
    for (const later of segments.splice(i + 1)) {
      const path = join(folder, segmentName(later));
      aside += sizeOf(files, path);
      files.rename(path, `${path}.torn`);
    }
    files.syncFolder(folder);
    return aside;
  }
  return 0;
}

/** A killed writer's last segments may still be on their way to the platter: from here on they are there. */
function syncNewest(files: Files, folder: string, segments: readonly Segment[]): void {
  for (const segment of segments.slice(-DEEP)) {
    const fd = files.open(join(folder, segmentName(segment)), flags.readWrite);
    try {
      files.sync(fd);
    } finally {
      files.close(fd);
    }
  }
}

function sizeOf(files: Files, path: string): number {
  const fd = files.open(path, flags.read);
  try {
    return files.size(fd);
  } finally {
    files.close(fd);
  }
}

const corrupt = (folder: string, segment: Segment, offset: number): TickmeshError =>
  new TickmeshError(
    'LOG_CORRUPT',
    `${join(folder, segmentName(segment))} is damaged at byte ${offset} (position ${segment.base + offset}), and more of the log follows`,
    {
      facts: { folder, position: segment.base + offset, offset },
      remedy: 'restore that file from a replica; nothing was changed',
    },
  );

/**
 * A torn line and garbage behind it that happens to end in `}` and a line feed have a line's form. So the last line must
 * be JSON, unless the head vouches for it: only the last one can be such a line, what follows it would be damage.
 */
function withoutHalfLine(
  files: Files,
  fd: number,
  found: Walk,
  announcedTo: number | undefined,
  base: number,
): Walk {
  const { end, size } = found;
  if (end === 0 || (end === size && announcedTo === base + end)) return found;
  const bytes = Buffer.allocUnsafe(Math.min(end, LINE_MAX));
  readUpTo(files, fd, bytes, bytes.length, end - bytes.length);
  const at = bytes.lastIndexOf(10, bytes.length - 2) + 1;
  try {
    JSON.parse(bytes.toString('utf8', at));
    return found;
  } catch {
    const { goodAfter } = found;
    return { ...walk(files, fd, 0, end - bytes.length + at), size, goodAfter };
  }
}

type Tail = { walk: Walk; linesBefore: number; marksBefore: number };

function recoverSegment(
  files: Files,
  fd: number,
  folder: string,
  last: Segment,
  segments: readonly Segment[],
  announced: Slot | undefined,
  epochs: readonly Epoch[],
): Tail {
  const whole = withoutHalfLine(files, fd, walk(files, fd, 0), announced?.position, last.base);
  if (whole.goodAfter >= 0) throw corrupt(folder, last, whole.end);
  if (last.base === 0) return { walk: whole, linesBefore: 0, marksBefore: 0 };
  // Lines before this segment: the head counts them all, minus those that it counts in here.
  // A slot older than the segment may speak of bytes that were taken back since.
  if (
    announced &&
    announced.epoch >= last.epoch &&
    announced.position >= last.base &&
    announced.position <= last.base + whole.end
  ) {
    const after = walk(files, fd, announced.position - last.base);
    return {
      walk: whole,
      linesBefore: announced.lines - (whole.lines - after.lines),
      marksBefore: announced.marks - (whole.marks - after.marks),
    };
  }
  // No help from the head (lost, or ahead of the data after a power failure): count.
  const counted = countBefore(files, folder, segments.slice(0, -1));
  return {
    walk: whole,
    linesBefore: linesAtStart(epochs, last.base) ?? counted.lines,
    marksBefore: counted.marks,
  };
}

function countBefore(
  files: Files,
  folder: string,
  segments: readonly Segment[],
): { lines: number; marks: number } {
  let lines = 0;
  let marks = 0;
  for (const segment of segments) {
    const fd = files.open(join(folder, segmentName(segment)), flags.read);
    try {
      const counted = walk(files, fd, 0);
      lines += counted.lines;
      marks += counted.marks;
    } finally {
      files.close(fd);
    }
  }
  return { lines, marks };
}

function cutTail(files: Files, fd: number, path: string, { size, end }: Walk): number {
  if (size === end) return 0;
  for (let at = end; at < size; at += WINDOW) {
    const part = Buffer.allocUnsafe(Math.min(WINDOW, size - at));
    appendDurably(
      files,
      dirname(path),
      `${basename(path)}.torn`,
      part.subarray(0, readUpTo(files, fd, part, part.length, at)),
    );
  }
  cutFile(files, fd, end);
  return size - end;
}
