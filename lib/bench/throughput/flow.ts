/** One way of getting many records from a writing process to a reading one, as fast as it goes: a row of the bench. */
import type { BenchClock } from '../clock-process.ts';

export type FlowPlace = {
  readonly folder: string;
  /** Bytes of a line. */
  readonly size: number;
  readonly count: number;
  readonly now: BenchClock;
};

export type Flow = {
  readonly name: string;
  readonly title: string;
  readonly side: 'peer' | 'ours';
  /** Records of a run: enough to take about a second. */
  readonly count: number;
  /** Opens the writing end; what it returns writes all records and resolves when the last one has left. */
  readonly write: (place: FlowPlace) => Promise<() => Promise<void>>;
  /** Opens the reading end; what it returns resolves, when all records have been taken, with how many came. */
  readonly read: (place: FlowPlace) => Promise<() => Promise<number>>;
};
