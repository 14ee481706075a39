/**
 * Our own logs: lines with their envelope (see log/line.ts). The name of the log is in the path of its folder; times,
 * event times and marks are taken over, and a restart of the former fetcher becomes a gap.
 */
import {
  CLOSING,
  PAYLOAD_AT,
  isLine,
  lineEventTimeUs,
  lineMark,
  lineTimeUs,
} from '../../log/line.ts';
import { type LogName, isNamePart, logName } from '../../log/name.ts';
import type { Layout } from './decoder.ts';
import { invalid } from './sink.ts';

const LINE_FEED = 10;
const copied = new Set(['disconnect', 'connect', 'gap', 'loop'] as const);
type Copied = typeof copied extends Set<infer T> ? T : never;

/** The log whose folder holds `path`: its last three folders. Undefined where those are no log's name. */
export function logOfPath(path: string): LogName | undefined {
  const parts = path.split(/[\\/]/).slice(-4, -1);
  return parts.length === 3 && parts.every(isNamePart) ? logName(parts.join('/')) : undefined;
}

export const ownLog: Layout = {
  matches: (head) => /^\{"t":\d{16},"e":\d{16},"data":/.test(head),
  decoder(sink) {
    const { path } = sink.facts;
    const log = logOfPath(path);
    if (!log) {
      throw invalid(
        path,
        0,
        'the folders of the path are not a log’s name',
        'keep the segment in its folders: <exchange>/<instrument>/<channel>/<segment>.jsonl',
      );
    }
    const empty = Buffer.alloc(0);
    return {
      push(bytes) {
        let from = 0;
        for (;;) {
          const end = bytes.indexOf(LINE_FEED, from) + 1;
          // A torn last line is not a line: the writer cuts it off when it comes back.
          if (end === 0) return from;
          sink.line++;
          if (!isLine(bytes, from, end)) {
            sink.fail('not a line of a log', 'restore the segment from a replica, or cut it here');
          }
          const timeUs = lineTimeUs(bytes, from);
          const mark = lineMark(bytes, from, end);
          if (mark === undefined) {
            const payload = bytes.subarray(from + PAYLOAD_AT, end - CLOSING);
            sink.put(log, payload, timeUs, lineEventTimeUs(bytes, from));
          } else if (mark !== 'end') {
            const kept = copied.has(mark as Copied) ? (mark as Copied) : 'gap';
            sink.records.push({ log, payload: empty, timeUs, mark: kept });
          }
          from = end;
        }
      },
    };
  },
};
