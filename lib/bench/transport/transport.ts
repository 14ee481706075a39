/**
 * One way of getting word of an append from a writing process to a reading one: a row of the bench. It brings both ends;
 * processes, pacing, stamping and counting are the bench's.
 */
import type { ChildProcess } from 'node:child_process';
import type { Arrivals } from '../arrivals.ts';
import type { BenchClock } from '../clock-process.ts';

/** What both ends know. */
export type Place = {
  /** A folder of this run's own. */
  readonly folder: string;
  /** Bytes of a line. */
  readonly size: number;
  /** Addresses of the servers that were started. */
  readonly servers: Readonly<Partial<Record<ServerName, string>>>;
};

export type ServerName = 'redis' | 'rabbitmq';

/** The writer's stamps by number, nanoseconds on the bench's clock; 0 = not stamped. */
export type Stamps = {
  readonly begunNs: Float64Array;
  readonly writtenNs: Float64Array;
  readonly toldNs: Float64Array;
};

export type Writing = AsyncDisposable & {
  /** Sends records `[from, to)`: appends them and tells. A probe has number PROBE and is not stamped. */
  send(from: number, to: number): Promise<void> | void;
};

export type WriteContext = Place & {
  readonly now: BenchClock;
  readonly stamps: Stamps;
  /** The reader, where this process is its parent. */
  readonly reader?: ChildProcess;
};

export type ReadContext = Place & {
  readonly now: BenchClock;
  readonly arrivals: Arrivals;
  /** Messages of the parent process that are not the bench's own. */
  onParent(take: (message: unknown) => void): void;
};

export type Transport = {
  readonly name: string;
  /** As tables and reports say it. */
  readonly title: string;
  /** Ours, or somebody we are measured against. */
  readonly side: 'peer' | 'ours';
  /** False where only the notification is sent and nothing is written or read. */
  readonly reads: boolean;
  readonly needs?: ServerName;
  /**
   * Who forks the reader: the runner (default), which may pass messages on too, or relay notices as `tickmesh up` does;
   * or the writer, where the way leads from parent to child.
   */
  readonly parent?: 'runner' | 'relay' | 'supervisor' | 'writer';
  /** Nobody listens: only the writer runs. */
  readonly silent?: boolean;
  /** Longest it may take by design, ms: a poll's interval. */
  readonly slowMs?: number;
  /** Rates above this are left out unless asked for by name. */
  readonly rateMax?: number;
  /** Added to the writer's niceness once it is open, as `tickmesh up` does it with fetchers. */
  readonly writerNice?: number;
  readonly write: (context: WriteContext) => Promise<Writing>;
  readonly read: (context: ReadContext) => Promise<AsyncDisposable>;
};
