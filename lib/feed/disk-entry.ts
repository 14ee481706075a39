/** What a feed keeps of each of its logs. */
import type { DiskLog } from './disk-log.ts';
import type { Writer } from './disk-writers.ts';

export type Entry = {
  readonly log: DiskLog;
  writer: Writer | undefined;
  epoch: number;
  /** A notice of it came; its head was seen to move. */
  rung: boolean;
  stirred: boolean;
};

/** Up to when an empty queue's log can bring nothing any more. `ends`: what is written after its end was reached does not count. */
export function completeUs({ log, writer }: Entry, ends: boolean): number {
  if (!log.queue.empty || !log.exists || (ends && log.caughtUp)) return Infinity;
  return log.atEnd ? (writer?.timeUs ?? 0) : 0;
}
