/**
 * Where a fetcher's records come from: a seeded market, a recorded file, later a live exchange.
 * A source yields batches; the fetcher stamps, appends and announces each batch as one write a log and one notice a log.
 */
import type { z } from 'zod';
import type { LogName } from '../log/name.ts';

export type SourceRecord = {
  readonly log: LogName;
  /** The payload exactly as the exchange sent (or would send) it: one JSON text, no line feed. */
  readonly payload: Buffer;
  /** When it was received, Unix microseconds; absent = now. The fetcher makes it strictly increasing. */
  readonly timeUs?: number;
  /** The exchange's event time, Unix microseconds; absent = asked of the exchange's codec. */
  readonly eventTimeUs?: number;
  /** Set for a mark instead of a message ("disconnect" …); the payload is then ignored. */
  readonly mark?: 'disconnect' | 'connect' | 'gap' | 'end' | 'loop';
};

/** What a log already holds when a fetcher opens it again: enough to go on without a gap or a repeat. */
export type LogTail = {
  /** Lines in the log, marks included; and how many of them are marks. */
  readonly lines: number;
  readonly marks: number;
  /** Receive time of the last line, Unix microseconds; 0 in an empty log. */
  readonly lastTimeUs: number;
  /** Payloads from the newest to the oldest, marks left out; read lazily from disk. */
  backward(): IterableIterator<Buffer>;
};

export type SourceContext = {
  readonly signal: AbortSignal;
  /** Wall time, Unix microseconds, and monotonic ms. */
  readonly clock: { wallUs(): number; monoMs(): number };
  /** What the log holds from before; undefined for a new log. */
  tail(log: LogName): LogTail | undefined;
  /**
   * Lets `ms` pass (0: one turn of the event loop), or returns at once when the signal aborts.
   * Absent = a real timer (`timer.ts`); a simulated world moves its clock instead.
   */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
};

export type Source = {
  /** Every log this source will write, known before the first record. */
  readonly logs: readonly LogName[];
  /** Batches in receive order until the source ends or the signal aborts. At most about 1,000 records or 1 MiB a batch. */
  open(context: SourceContext): AsyncIterable<readonly SourceRecord[]>;
};

/** What a module of the registry exports as `source`. */
export type SourceFactory = {
  /** The settings as topology.yaml gives them; strict, every key described. */
  readonly settings: z.ZodType;
  /**
   * Makes the source from settings that pass the schema (defaults are filled in here). `dir` is where relative paths
   * start; absent = the working directory. Throws what the schema throws, and SOURCE_INVALID.
   */
  make(settings: unknown, dir?: string): Promise<Source> | Source;
};

/** Most records and most payload bytes of one batch. */
export const BATCH_RECORDS = 1000;
export const BATCH_BYTES = 1 << 20;
