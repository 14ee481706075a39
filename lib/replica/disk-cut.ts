/** Takes back the end of a copy. What goes is kept aside as `*.torn`, as recovery does: the copy may be the last there is. */
import { join } from 'node:path';
import { appendDurably, cutFile, flags, listSegments } from '../log/disk-files.ts';
import type { LogReader } from '../log/disk-reader.ts';
import { linesBackward } from '../log/disk-seek.ts';
import type { Files } from '../log/files.ts';
import { lineMark, lineTimeUs } from '../log/line.ts';
import { segmentName, type Segment } from '../log/segment.ts';

const COPY = 1 << 20;

export type Cut = {
  /** What went, marks among it, and the receive time of the line before it. */
  readonly lines: number;
  readonly marks: number;
  readonly beforeUs: number;
  /** The segment that is the last now; undefined when all are gone. */
  readonly last: Segment | undefined;
};

/**
 * Cuts the log in `folder` from `end` back to `position`, a line's start. `reader` reads that log, and is closed. What a
 * full disk may refuse (keeping the end aside) comes first: then nothing is cut, and it can be tried again.
 */
export function cutFiles(
  folder: string,
  files: Files,
  reader: LogReader,
  position: number,
  end: number,
): Cut {
  const lost = count(reader, position, end);
  const segments = listSegments(files, folder);
  const last = segments.findLast(({ base }) => base < position);
  if (last) keepAside(folder, files, segmentName(last), position - last.base);
  // From the end, so that a crash in between leaves a log without a hole.
  while (segments.length > 0 && segments.at(-1)!.base >= position) {
    const path = join(folder, segmentName(segments.pop()!));
    files.rename(path, `${path}.torn`);
  }
  if (last) {
    const fd = files.open(join(folder, segmentName(last)), flags.readWrite);
    try {
      cutFile(files, fd, position - last.base);
    } finally {
      files.close(fd);
    }
  }
  files.syncFolder(folder);
  return { ...lost, last };
}

/** Copies a segment's bytes from `from` on to its `*.torn`. */
function keepAside(folder: string, files: Files, name: string, from: number): void {
  const fd = files.open(join(folder, name), flags.read);
  try {
    for (let at = from, left = files.size(fd) - at; left > 0;) {
      const bytes = Buffer.allocUnsafe(Math.min(COPY, left));
      const got = files.read(fd, bytes, 0, bytes.length, at);
      if (got === 0) break;
      appendDurably(files, folder, `${name}.torn`, bytes.subarray(0, got));
      at += got;
      left -= got;
    }
  } finally {
    files.close(fd);
  }
}

function count(log: LogReader, position: number, end: number): Omit<Cut, 'last'> {
  using reader = log;
  let lines = 0;
  let marks = 0;
  for (const { position: at, line } of linesBackward(reader, end)) {
    if (at < position) return { lines, marks, beforeUs: lineTimeUs(line) };
    lines++;
    if (lineMark(line, 0, line.length) !== undefined) marks++;
  }
  return { lines, marks, beforeUs: 0 };
}
