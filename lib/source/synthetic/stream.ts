/** What both venues' made-up streams have in common: a market, its logs, and a line of records out of it. */
import type { LogName } from '../../log/name.ts';
import type { LogTail, SourceRecord } from '../source.ts';

/** A snapshot stands in the book's log this often, so that a late reader, or we after a restart, need not go far back. */
export const SNAPSHOT_EVERY_US = 60_000_000;
export const SNAPSHOT_EVERY_RECORDS = 5_000;
/** How many records of a book's log are looked through for the last snapshot. */
export const LOOK_BACK = 100_000;

export type Tail = (log: LogName) => LogTail | undefined;

/** One instrument on one venue. `nowUs` rises strictly from call to call. */
export type Stream = {
  readonly logs: readonly LogName[];
  /** Goes on from what the logs hold, or begins; the book's snapshot comes first. */
  open(tail: Tail, nowUs: number, out: SourceRecord[]): void;
  /** Goes on until at least one record is out. */
  step(nowUs: number, out: SourceRecord[]): void;
};

/** The newest payload of a log. */
export function newest(tail: LogTail | undefined): string | undefined {
  if (!tail) return undefined;
  for (const payload of tail.backward()) return payload.toString('latin1');
  return undefined;
}
