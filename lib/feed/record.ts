/**
 * What a feed hands out: records that parse nothing until a field is read, in batches; and what happened between them.
 * A record is a window on the batch's bytes: keep it (or its `payload`) as long as you like, it is never overwritten,
 * unless the feed was opened with `reuse`.
 */
import { CLOSING, PAYLOAD_AT, lineEventTimeUs, lineMark, lineTimeUs } from '../log/line.ts';
import type { LogName } from '../log/name.ts';
import type { NotifierState } from '../notifier/notifier.ts';

export class FeedRecord {
  readonly log: LogName;
  /** Absolute position of the line's first byte in its log. */
  readonly position: number;
  readonly #bytes: Buffer;
  readonly #at: number;
  readonly #end: number;

  constructor(log: LogName, position: number, bytes: Buffer, at: number, end: number) {
    this.log = log;
    this.position = position;
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** Receive time, Unix microseconds. */
  get timeUs(): number {
    return lineTimeUs(this.#bytes, this.#at);
  }
  /** Event time, Unix microseconds. */
  get eventTimeUs(): number {
    return lineEventTimeUs(this.#bytes, this.#at);
  }
  /** The exchange's text, verbatim. For a mark: the rest of the line behind `"data":`. */
  get payload(): Buffer {
    return this.#bytes.subarray(this.#at + PAYLOAD_AT, this.#end - CLOSING);
  }
  /** The bytes that it is a window on, and where the payload lies in them. */
  get bytes(): Buffer {
    return this.#bytes;
  }
  get payloadStart(): number {
    return this.#at + PAYLOAD_AT;
  }
  get payloadEnd(): number {
    return this.#end - CLOSING;
  }
  /** "restart", "disconnect" … when the line is a mark, else undefined. */
  get mark(): string | undefined {
    return lineMark(this.#bytes, this.#at, this.#end);
  }
  /** The whole line with its line feed. */
  get line(): Buffer {
    return this.#bytes.subarray(this.#at, this.#end);
  }
  /** The payload parsed. Numbers lose trailing zeros: for digits that matter read `payload`. */
  json(): unknown {
    return JSON.parse(this.payload.toString('utf8'));
  }
}

/** Where a reader goes on: the one resume token. `position` is the next byte it wants. */
export type Cursor = {
  readonly log: LogName;
  readonly epoch: number;
  readonly position: number;
  /** Lines before `position`. */
  readonly lines: number;
};

/** Where a feed begins. `last`: so many records before the end. Times are Unix microseconds. */
export type From =
  | 'start'
  | 'end'
  | { readonly timeUs: number }
  | { readonly last: number }
  | { readonly beforeEndUs: number }
  | { readonly cursors: readonly Cursor[] };

/** What a feed tells between records. `log` is absent where it speaks of all. */
export type FeedEvent =
  | { readonly state: 'behind' | 'caughtUp' | 'live' | 'degraded'; readonly log?: LogName }
  /** A way of being told stopped working, or is back; `log` is absent: it speaks of all. */
  | {
      readonly state: 'notifier';
      readonly log?: undefined;
      readonly notifier: string;
      readonly endpoint: string;
      readonly is: NotifierState;
      readonly why?: string;
    }
  /** Announced bytes cannot be read: a power failure took them; the writer's next start, or a replica, mends it. */
  | { readonly state: 'damaged'; readonly log: LogName; readonly position: number }
  | { readonly state: 'gap'; readonly log: LogName; readonly from: number; readonly to: number }
  | {
      readonly state: 'rewound';
      readonly log: LogName;
      readonly from: number;
      readonly to: number;
      readonly lines: number;
    };

/** One turn of a feed: records in order (by time over all logs), then what changed. */
export type FeedBatch = {
  readonly records: readonly FeedRecord[];
  /** True when these records were written after the feed had caught up. */
  readonly live: boolean;
  readonly events: readonly FeedEvent[];
  /** Cursors behind the last record of this batch, one a log. */
  cursors(): readonly Cursor[];
};
