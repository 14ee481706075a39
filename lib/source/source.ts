/**
 * Where a fetcher's records come from: a seeded market, a recorded file, later a live exchange.
 * A source yields batches; the fetcher stamps, appends and announces each batch as one write a log and one notice a log.
 */
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
};

export type Source = {
  /** Every log this source will write, known before the first record. */
  readonly logs: readonly LogName[];
  /** Batches in receive order until the source ends or the signal aborts. At most about 1,000 records or 1 MiB a batch. */
  open(context: SourceContext): AsyncIterable<readonly SourceRecord[]>;
};

/** One line of the registry: name -> how to make it from the (already parsed) settings of topology.yaml. */
export type SourceFactory = {
  /** Zod schema of the settings, lazily built by the caller of `make`. */
  make(settings: unknown): Promise<Source> | Source;
};
