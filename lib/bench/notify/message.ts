/**
 * What the runner and its two processes say to each other, over the channels that `fork` opens. Silent while records flow.
 *
 *   reader -> runner  ready | heard (a probe came) | all (every record came) | done { account, usage }
 *   writer -> runner  ready | sent | done { usage }
 *   runner -> writer  probe | begin | rest | finish                     runner -> reader  rest | finish
 *
 * A reader forked by the writer speaks through it: those messages carry `by: 'reader'`.
 */
import type { Account } from '../arrivals.ts';
import type { Usage } from '../usage-process.ts';

export type Told = {
  readonly bench: 'ready' | 'heard' | 'all' | 'sent' | 'done' | 'failed';
  readonly by: 'reader' | 'writer';
  readonly usage?: Usage;
  readonly account?: Account;
  readonly why?: string;
};

export type Order = {
  readonly bench: 'probe' | 'begin' | 'rest' | 'finish';
  readonly to: 'reader' | 'writer';
};

export const isTold = (message: unknown): message is Told => hasBench(message) && 'by' in message;
export const isOrder = (message: unknown): message is Order => hasBench(message) && 'to' in message;

/** From the order to rest to where rest is measured: what follows the last record is over by then. */
export const SETTLE_MS = 1_500;

const hasBench = (message: unknown): message is object =>
  typeof message === 'object' && message !== null && 'bench' in message;

/** Mishaps on purpose, so that specs can see that the bench sees them. */
export type Faults = {
  /** The reader stands still for so long when it has this record in hand. */
  readonly stall?: { readonly number: number; readonly ms: number };
  /** The reader never counts this record. */
  readonly drop?: number;
  /** The writer stands still before it sends this record. */
  readonly late?: { readonly number: number; readonly ms: number };
};

/** What both processes are told at their start. */
export type Job = {
  readonly transport: string;
  readonly folder: string;
  readonly size: number;
  readonly servers: Readonly<Record<string, string>>;
  readonly baseNs: string;
  /** Records in all, and how many of the first are warm-up. */
  readonly count: number;
  readonly warm: number;
  readonly faults: Faults;
  /** Script of the reader, for a writer that forks it. */
  readonly readerScript: string;
};
