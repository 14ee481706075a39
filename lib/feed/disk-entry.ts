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

/** How long a silent writer may hold back other logs' records: its own node's, and other nodes'. */
const HOLD_OWN_MS = 1_000;
const HOLD_OTHER_MS = 100;

/** Until when a log that has nothing to hand out may hold back another's front, monotonic ms; Infinity: it has more to read. */
export function holdsUntilMs(front: Entry, holder: Entry): number {
  if (!holder.log.caughtUp) return Infinity;
  const holdMs = front.writer === holder.writer ? HOLD_OWN_MS : HOLD_OTHER_MS;
  return (holder.writer?.movedMs ?? -Infinity) + holdMs;
}
