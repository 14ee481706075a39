/** What a feed keeps of each of its logs. */
import type { DiskLog } from './disk-log.ts';
import type { Writer } from './disk-writers.ts';
import type { FeedEvent } from './record.ts';

export type Entry = {
  readonly log: DiskLog;
  writer: Writer | undefined;
  epoch: number;
  /** A notice of it came; its head was seen to move. */
  rung: boolean;
  stirred: boolean;
};

/** What was told, and what the logs tell: each once. */
export function takeEvents(told: FeedEvent[], entries: readonly Entry[]): FeedEvent[] {
  const events = told.splice(0);
  for (const { log } of entries) if (log.events.length > 0) events.push(...log.events.splice(0));
  return events;
}

/** When the first of them is to be looked at though nobody rings, monotonic ms. */
export function earliestDueMs(entries: readonly Entry[]): number {
  let dueMs = Infinity;
  for (const { log } of entries) dueMs = Math.min(dueMs, log.dueMs);
  return dueMs;
}

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
