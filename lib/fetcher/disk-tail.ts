/** What a log held before this fetcher opened it, for a source that goes on where it stopped. */
import { LogReader } from '../log/disk-reader.ts';
import { linesBackward } from '../log/disk-seek.ts';
import type { LogWriter } from '../log/disk-writer.ts';
import { CLOSING, PAYLOAD_AT, lineMark } from '../log/line.ts';
import type { LogTail } from '../source/source.ts';

/** Undefined for a log that holds nothing yet. */
export function tailOf(data: string, writer: LogWriter | undefined): LogTail | undefined {
  if (!writer || writer.lines === 0) return undefined;
  return {
    lines: writer.lines,
    marks: writer.marks,
    lastTimeUs: writer.lastTimeUs,
    *backward() {
      using reader = new LogReader(data, writer.log);
      for (const { line } of linesBackward(reader, writer.position)) {
        if (lineMark(line, 0, line.length) === undefined) {
          yield line.subarray(PAYLOAD_AT, line.length - CLOSING);
        }
      }
    },
  };
}
