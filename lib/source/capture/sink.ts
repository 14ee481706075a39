/** Where a decoder puts what it reads, and how it says that it cannot. */
import { ENVELOPE, LINE_MAX } from '../../log/line.ts';
import { type LogName, logName } from '../../log/name.ts';
import { TickmeshError } from '../../world/error.ts';
import type { SourceRecord } from '../source.ts';

/** A record with the time at which it was recorded, Unix microseconds. */
export type Captured = SourceRecord & { readonly timeUs: number };

/** What is known of a file from outside: its name, and what the settings say. */
export type FileFacts = {
  /** As in messages. */
  readonly path: string;
  /** Without folders and ".gz". */
  readonly name: string;
  readonly instrument: string | undefined;
  readonly interval: string | undefined;
};

/** An error about a recorded file: where, what, and what to do. `line` counts from 1; 0 = the file as a whole. */
export const invalid = (
  path: string,
  line: number,
  what: string,
  remedy: string,
  cause?: unknown,
): TickmeshError =>
  new TickmeshError('SOURCE_INVALID', `${path}${line > 0 ? `:${line}` : ''}: ${what}`, {
    remedy,
    cause,
    facts: { file: path, ...(line > 0 && { line }) },
  });

export class Sink {
  readonly facts: FileFacts;
  records: Captured[] = [];
  /** Line (or frame, in a layout of frames) being read, from 1. */
  line = 0;
  readonly #names = new Map<string, LogName>();

  constructor(facts: FileFacts) {
    this.facts = facts;
  }

  fail(what: string, remedy: string): never {
    throw invalid(this.facts.path, this.line, what, remedy);
  }

  /** A log's checked name, made once. */
  log(exchange: string, instrument: string, channel: string): LogName {
    const text = `${exchange}/${instrument}/${channel}`;
    let name = this.#names.get(text);
    if (!name) this.#names.set(text, (name = logName(text)));
    return name;
  }

  put(log: LogName, payload: Buffer, timeUs: number, eventTimeUs?: number): void {
    if (payload.length + ENVELOPE > LINE_MAX) {
      this.fail(
        `a message of ${payload.length} bytes; a line of a log holds ${LINE_MAX - ENVELOPE}`,
        'leave this message out of the file',
      );
    }
    this.records.push(
      eventTimeUs === undefined ? { log, payload, timeUs } : { log, payload, timeUs, eventTimeUs },
    );
  }

  /** Tells that the recorder's connection broke. */
  mark(mark: 'disconnect' | 'connect' | 'gap', timeUs: number): void {
    for (const log of this.#names.values()) {
      this.records.push({ log, payload: Buffer.alloc(0), timeUs, mark });
    }
  }

  /** What has come in since the last time. */
  take(): Captured[] {
    const { records } = this;
    this.records = [];
    return records;
  }
}
