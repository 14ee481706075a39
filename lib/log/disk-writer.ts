/**
 * The one writer of a log. Lines are staged in memory, written as one append a turn, then announced by the head file;
 * whoever listens is told after that. Opening recovers, raises the epoch and begins a new segment.
 */
import { uptime } from 'node:os';
import { join } from 'node:path';
import { kinds } from '../mesh/header.ts';
import { TickmeshError } from '../world/error.ts';
import { Appender, stalled } from './disk-appender.ts';
import { appendLineDurably, makeFolder, readText, realFiles, unwritable } from './disk-files.ts';
import type { Files } from './files.ts';
import { SlotWriter } from './disk-head.ts';
import { recoverLog, type Recovered } from './disk-recovery.ts';
import { parseEpochs, type Epoch } from './epochs.ts';
import {
  ENVELOPE,
  LINE_MAX,
  isLineTime,
  markPayload,
  refusalOf,
  viewOf,
  writeLine,
  type MarkName,
  type Refusal,
} from './line.ts';
import { logName, type LogName } from './name.ts';
import { rolls, type RollRule } from './segment.ts';
import { lockLog, type Lock } from './socket-lock.ts';

/** When bytes reach the platter: never (the kernel's choice), before each announcement, or on the caller's `sync()`. */
export type SyncPolicy = 'never' | 'each' | 'interval';

export type LogWriterOptions = {
  /** Data folder; the log's own folder is made below it. */
  readonly data: string;
  readonly log: LogName;
  /** Name of the writing node, for `epochs.jsonl` and for whoever is refused. */
  readonly node: string;
  readonly roll?: RollRule;
  readonly sync?: SyncPolicy;
  /** Where the node's notices can be heard: endpoints of notifiers. */
  readonly feed?: string | readonly string[];
  readonly clock: { wallUs(): number; monoMs(): number };
  /** The file system and the lock; the real ones unless a simulation brings its own. */
  readonly files?: Files;
  /** When the host came up, Unix microseconds; asked of the system by default. */
  readonly bootedUs?: number;
  readonly lock?: typeof lockLog;
};

/** What one `write()` put on disk: bytes, and lines. */
export type Written = { readonly length: number; readonly count: number };

export const defaultRoll: RollRule = { bytes: 64 << 20, ageMs: 24 * 3_600_000 };

/** True when the host came up after the log was last opened: then more than the last segment is looked through. */
export function mayHaveCrashed(
  folder: string,
  options: { readonly clock: { wallUs(): number }; readonly bootedUs?: number },
  files: Files,
): boolean {
  const last = parseEpochs(readText(files, join(folder, 'epochs.jsonl'))).at(-1);
  const bootedUs = options.bootedUs ?? options.clock.wallUs() - uptime() * 1e6;
  return last === undefined || last.openedUs < bootedUs + 60e6;
}

export class LogWriter implements AsyncDisposable {
  readonly log: LogName;
  /** What opening found. */
  readonly recovered: Recovered;
  readonly epoch: number;
  readonly #options: LogWriterOptions;
  readonly #roll: RollRule;
  readonly #lock: Lock;
  readonly #appender: Appender;
  readonly #head: SlotWriter;
  readonly #oldest: number;
  #position: number;
  #announced = 0;
  #lines: number;
  #marks: number;
  #lastTimeUs: number;
  #openedMs: number;
  #staged = Buffer.allocUnsafe(64 << 10);
  #view = viewOf(this.#staged);
  #stagedBytes = 0;
  #stagedLines = 0;
  #stagedMarks = 0;
  #stagedTimeUs = 0;

  private constructor(options: LogWriterOptions, folder: string, lock: Lock, recovered: Recovered) {
    this.#options = options;
    this.log = options.log;
    this.#roll = options.roll ?? defaultRoll;
    this.#lock = lock;
    this.recovered = recovered;
    this.epoch = recovered.epoch + 1;
    this.#position = recovered.position;
    this.#lines = recovered.lines;
    this.#marks = recovered.marks;
    this.#lastTimeUs = recovered.lastTimeUs;
    this.#oldest = recovered.segments[0]?.base ?? 0;
    const files = options.files ?? realFiles;
    this.#appender = new Appender(folder, files);
    this.#openedMs = options.clock.monoMs();
    const entry: Epoch = {
      epoch: this.epoch,
      startPosition: this.#position,
      startLine: this.#lines,
      node: options.node,
      pid: process.pid,
      openedUs: options.clock.wallUs(),
      ...(options.feed === undefined ? {} : { feed: options.feed }),
    };
    appendLineDurably(files, folder, 'epochs.jsonl', `${JSON.stringify(entry)}\n`);
    this.#appender.start({ base: this.#position, epoch: this.epoch }, true);
    this.#head = new SlotWriter(join(folder, 'head'), kinds.SLOT, files);
    this.announce();
  }

  /** Opens a log for writing. Throws NAME_INVALID, LOG_LOCKED, LOG_CORRUPT, LOG_UNWRITABLE. */
  static async open(options: LogWriterOptions): Promise<LogWriter> {
    const folder = join(options.data, logName(options.log));
    const files = options.files ?? realFiles;
    makeFolder(files, folder);
    const self = { node: options.node, pid: process.pid, sinceUs: options.clock.wallUs() };
    const lock = await (options.lock ?? lockLog)(folder, self, () => {
      const last = parseEpochs(readText(files, join(folder, 'epochs.jsonl'))).at(-1);
      return last && { node: last.node, pid: last.pid, sinceUs: last.openedUs };
    });
    try {
      return new LogWriter(
        options,
        folder,
        lock,
        recoverLog(folder, files, mayHaveCrashed(folder, options, files)),
      );
    } catch (error) {
      await lock.release();
      if (error instanceof TickmeshError) throw error;
      throw unwritable(folder, error);
    }
  }

  /** End of what is written. */
  get position(): number {
    return this.#position;
  }
  /** End of what is announced. */
  get announced(): number {
    return this.#announced;
  }
  /** Lines written, and how many of them are marks. */
  get lines(): number {
    return this.#lines;
  }
  get marks(): number {
    return this.#marks;
  }
  get oldest(): number {
    return this.#oldest;
  }
  /** Receive time of the last line, Unix microseconds; 0 when there is none. */
  get lastTimeUs(): number {
    return this.#lastTimeUs;
  }
  /** Bytes staged and not yet written. */
  get stagedBytes(): number {
    return this.#stagedBytes;
  }

  /** Stages a line, as `offer` does. Throws LOG_LIMIT for a payload too long; TypeError for one it cannot carry. */
  stage(timeUs: number, eventTimeUs: number, payload: Buffer): void {
    const refusal = this.offer(timeUs, eventTimeUs, payload);
    if (refusal === undefined) return;
    const what = `a record of ${payload.length} bytes for ${this.log} is refused: ${refusal}`;
    if (refusal !== 'too long') throw new TypeError(what);
    const remedy = `the longest payload is ${LINE_MAX - ENVELOPE} bytes`;
    throw new TickmeshError('LOG_LIMIT', what, { remedy });
  }

  /**
   * Stages a line, or says why its payload can be none: then nothing has changed. `timeUs` must rise from line to line
   * (else TypeError); an `eventTimeUs` that no line can carry becomes `timeUs`.
   */
  offer(timeUs: number, eventTimeUs: number, payload: Buffer): Refusal | undefined {
    if (!isLineTime(timeUs) || timeUs <= (this.#stagedTimeUs || this.#lastTimeUs)) {
      throw new TypeError(`a receive time of ${this.log} must rise: ${timeUs}`);
    }
    const refusal = refusalOf(payload);
    if (refusal !== undefined) return refusal;
    const length = payload.length + ENVELOPE;
    if (this.#stagedBytes + length > this.#staged.length) this.#grow(length);
    const eventUs = eventTimeUs === timeUs || !isLineTime(eventTimeUs) ? timeUs : eventTimeUs;
    const at = this.#stagedBytes;
    this.#stagedBytes = writeLine(this.#staged, at, timeUs, eventUs, payload, this.#view);
    this.#stagedLines++;
    this.#stagedTimeUs = timeUs;
    return undefined;
  }

  /** Stages a mark: what happened where no record is. */
  stageMark(timeUs: number, mark: MarkName, note?: Record<string, unknown>): void {
    this.stage(timeUs, timeUs, Buffer.from(markPayload(mark, note)));
    this.#stagedMarks++;
  }

  #grow(length: number): void {
    const grown = Buffer.allocUnsafe(Math.max(this.#staged.length * 2, this.#stagedBytes + length));
    this.#staged.copy(grown, 0, 0, this.#stagedBytes);
    this.#staged = grown;
    this.#view = viewOf(grown);
  }

  /**
   * Writes what is staged as one append. The bytes are in the file, not yet announced. Undefined when nothing was
   * staged. Throws LOG_STALLED when the disk refuses: all stays staged, the file ends where it did; try again later.
   */
  write(): Written | undefined {
    const length = this.#stagedBytes;
    if (length === 0) return undefined;
    const nowMs = this.#options.clock.monoMs();
    if (rolls(this.#roll, this.#appender.size, nowMs - this.#openedMs, length)) {
      this.#appender.start(
        { base: this.#position, epoch: this.epoch },
        this.#options.sync !== 'never',
      );
      this.#openedMs = nowMs;
    }
    this.#appender.append(this.#staged, length);
    if (this.#options.sync === 'each') this.#syncBatch(length);
    const written = { length, count: this.#stagedLines };
    this.#position += length;
    this.#lines += this.#stagedLines;
    this.#marks += this.#stagedMarks;
    this.#lastTimeUs = this.#stagedTimeUs;
    this.#stagedBytes = this.#stagedLines = this.#stagedMarks = 0;
    return written;
  }

  /** What the last `write()` put on disk, until the next line is staged. */
  lastBytes({ length }: Written): Buffer {
    return this.#staged.subarray(0, length);
  }

  #syncBatch(length: number): void {
    try {
      this.#appender.sync();
    } catch (error) {
      this.#appender.takeBack(length);
      throw error;
    }
  }

  /** Base of the segment that the last write went to. */
  get segmentBase(): number {
    return this.#appender.segment!.base;
  }

  /**
   * Writes the head slot: all that is written may now be read. Throws LOG_STALLED when the disk refuses: nothing is
   * announced, call it again later.
   */
  announce(): void {
    try {
      this.#head.write({
        kind: kinds.SLOT,
        epoch: this.epoch,
        lines: this.#lines,
        position: this.#position,
        count: this.#marks,
        aux: this.#lastTimeUs,
        tag: this.#oldest,
      });
    } catch (cause) {
      throw stalled(this.#appender.folder, cause);
    }
    this.#announced = this.#position;
  }

  /** Forces what is written to the platter. */
  sync(): void {
    this.#appender.sync();
  }

  async close(): Promise<void> {
    this.#appender.close();
    this.#head.close();
    await this.#lock.release();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
