/**
 * The writing side of a copied log. It takes whole lines as the source's segments hold them and writes the same segments:
 * same names, same bytes. It never raises the epoch by itself; an entry in `epochs.jsonl` says from where on the source's
 * new epoch was agreed with. Its cursor is its own length: what a crash took or tore is simply asked for again.
 */
import { join } from 'node:path';
import type { Lines } from '../catchup/answer.ts';
import { Appender } from '../log/disk-appender.ts';
import { appendLineDurably, makeFolder, realFiles, unwritable } from '../log/disk-files.ts';
import { SlotWriter } from '../log/disk-head.ts';
import { LogReader } from '../log/disk-reader.ts';
import { recoverLog, type Recovered } from '../log/disk-recovery.ts';
import { mayHaveCrashed } from '../log/disk-writer.ts';
import { linesBackward } from '../log/disk-seek.ts';
import type { Epoch } from '../log/epochs.ts';
import type { Files } from '../log/files.ts';
import { lineMark, lineTimeUs } from '../log/line.ts';
import type { LogName } from '../log/name.ts';
import { segmentName, type Segment } from '../log/segment.ts';
import { lockLog, type Lock, type LockHolder } from '../log/socket-lock.ts';
import { kinds } from '../mesh/header.ts';
import { TickmeshError } from '../world/error.ts';
import { cutFiles } from './disk-cut.ts';
import { foreignError, stalledError } from './refused.ts';

export type ReplicaLogOptions = {
  readonly data: string;
  readonly log: LogName;
  /** Name of the replica's node. */
  readonly node: string;
  /** Where the replica announces. */
  readonly feed?: string | readonly string[];
  /** Whether a segment and its successor's name are forced to the platter as they are made. Default true. */
  readonly durable?: boolean;
  /** Whether all that `sync()` has not reached yet is forced to the platter when a segment ends. Default false. */
  readonly syncSegments?: boolean;
  readonly clock: { wallUs(): number };
  /** The file system and the lock; the real ones unless a simulation brings its own. */
  readonly files?: Files;
  /** When the host came up, Unix microseconds; asked of the system by default. */
  readonly bootedUs?: number;
  readonly lock?: (folder: string, holder: LockHolder) => Promise<Lock>;
};

export class ReplicaLog implements AsyncDisposable {
  readonly log: LogName;
  readonly folder: string;
  /** What opening found. */
  readonly recovered: Recovered;
  readonly #options: ReplicaLogOptions;
  readonly #files: Files;
  readonly #lock: Lock;
  readonly #appender: Appender;
  readonly #head: SlotWriter;
  #epoch: number;
  #position: number;
  #lines: number;
  #marks: number;
  #lastTimeUs: number;
  #oldest: number;
  /** Announced before a crash and lost in it: the head stays until we are there again. */
  #owed: number;
  #announced = -1;

  private constructor(options: ReplicaLogOptions, folder: string, lock: Lock, found: Recovered) {
    const { position, lines, marks, lastTimeUs, segments, epochs, announced } = found;
    this.#options = options;
    this.#files = options.files ?? realFiles;
    this.log = options.log;
    this.recovered = found;
    this.folder = folder;
    this.#lock = lock;
    this.#position = position;
    this.#lines = lines;
    this.#marks = marks;
    this.#lastTimeUs = lastTimeUs;
    this.#oldest = segments[0]?.base ?? 0;
    // The table says what was agreed with; without one, the bytes are at least of the epoch that their segment names.
    this.#epoch = epochs.at(-1)?.epoch ?? segments.at(-1)?.epoch ?? 0;
    this.#owed = announced && announced.epoch >= this.#epoch ? announced.position : 0;
    this.#appender = new Appender(folder, this.#files);
    const last = segments.at(-1);
    if (last) this.#appender.resume(last, position - last.base);
    this.#head = new SlotWriter(join(folder, 'head'), kinds.SLOT, this.#files);
    // Same epoch, new process: readers find where it announces now.
    if (this.#epoch > 0) {
      this.#writeEpoch(this.#epoch);
      this.announce();
    }
  }

  /** Opens the copy for writing. Throws LOG_LOCKED, LOG_CORRUPT, LOG_UNWRITABLE. */
  static async open(options: ReplicaLogOptions): Promise<ReplicaLog> {
    const folder = join(options.data, options.log);
    const files = options.files ?? realFiles;
    makeFolder(files, folder);
    const lock = await (options.lock ?? lockLog)(folder, {
      node: options.node,
      pid: process.pid,
      sinceUs: options.clock.wallUs(),
    });
    try {
      return new ReplicaLog(
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

  /** Epoch whose lineage the copy agrees with; 0: none yet. */
  get epoch(): number {
    return this.#epoch;
  }
  get position(): number {
    return this.#position;
  }
  get lines(): number {
    return this.#lines;
  }
  /** Receive time of the last line, Unix microseconds; 0 when there is none. */
  get lastTimeUs(): number {
    return this.#lastTimeUs;
  }
  get oldest(): number {
    return this.#oldest;
  }
  /** True while nothing was ever copied: the copy may then begin anywhere. */
  get empty(): boolean {
    return this.#position === this.#oldest;
  }

  /** The source's `epoch` was reconciled with: all that is here stands in it. Durable before its first byte. Throws LOG_STALLED. */
  enter(epoch: number): void {
    if (epoch <= this.#epoch) return;
    this.#guard(() => this.#writeEpoch(epoch));
    this.#epoch = epoch;
    this.#owed = 0;
  }

  #writeEpoch(epoch: number): void {
    const { node, feed, clock } = this.#options;
    const entry: Epoch = {
      epoch,
      startPosition: this.#position,
      startLine: this.#lines,
      node,
      pid: process.pid,
      openedUs: clock.wallUs(),
      ...(feed === undefined ? {} : { feed }),
    };
    appendLineDurably(this.#files, this.folder, 'epochs.jsonl', `${JSON.stringify(entry)}\n`);
  }

  /** Appends lines that go on exactly here. Throws LOG_STALLED (nothing was written), LOG_CORRUPT when they do not fit. */
  append({ position, bytes, ends, segment }: Lines): void {
    const first = lineTimeUs(bytes);
    const last = lineTimeUs(bytes, ends.at(-2) ?? 0);
    const current = this.#appender.segment;
    const same = current?.base === segment.base && current.epoch === segment.epoch;
    const next = segment.base === position && segment.epoch >= (current?.epoch ?? 0);
    if (position !== this.#position || first <= this.#lastTimeUs || !(same || next)) {
      throw foreignError(this.folder, this.#position, position);
    }
    if (!same) {
      if (current && this.#appender.size === 0) this.#drop(current);
      // A turn's sync reaches the last segment only: what the turn has brought before must be there too.
      else if (this.#options.syncSegments) this.#appender.sync();
      this.#appender.start(segment, this.#options.durable ?? true);
    }
    this.#appender.append(bytes, bytes.length);
    this.#position += bytes.length;
    this.#lines += ends.length;
    this.#lastTimeUs = last;
    let at = 0;
    for (const end of ends) {
      if (bytes[at + 50] === 110 && lineMark(bytes, at, end) !== undefined) this.#marks++;
      at = end;
    }
  }

  /** An empty segment of an epoch that brought nothing. Throws LOG_STALLED. */
  #drop(segment: Segment): void {
    this.#guard(() => this.#files.remove(join(this.folder, segmentName(segment))));
    // Should its successor be refused, it must not be dropped again.
    this.#appender.forget();
  }

  /**
   * Takes back all behind `position`, a line's start: the source lost it. Durable when it returns; kept in `*.torn`.
   * Throws LOG_STALLED (nothing was cut).
   */
  cut(position: number): void {
    if (position >= this.#position) return;
    const { last, ...lost } = this.#guard(() =>
      cutFiles(this.folder, this.#files, this.#reader(), position, this.#position),
    );
    if (last) this.#appender.resume(last, position - last.base);
    else this.#appender.forget();
    this.#position = position;
    this.#lines -= lost.lines;
    this.#marks -= lost.marks;
    this.#lastTimeUs = lost.beforeUs;
    this.#owed = 0;
    if (!last) this.#oldest = position;
  }

  /** The last line that ends at or before `position`; undefined when there is none. */
  lineBefore(position: number): { position: number; line: Buffer } | undefined {
    using reader = this.#reader();
    const [last] = linesBackward(reader, Math.min(position, this.#position));
    return last;
  }

  #reader(): LogReader {
    return new LogReader(this.#options.data, this.log, this.#files);
  }

  /** Begins at `position`: the source has nothing older any more. Only for an empty copy. */
  beginAt(position: number): void {
    if (!this.empty) throw new TypeError(`${this.log} is not empty`);
    const left = this.#appender.segment;
    if (left) this.#drop(left);
    this.#position = position;
    this.#oldest = position;
  }

  /** The source has told how many lines there are up to here (we may have begun in the middle). True when that is news. */
  count(lines: number): boolean {
    const news = lines !== this.#lines;
    this.#lines = lines;
    return news;
  }

  /** Writes the head slot: all that is here may now be read. Throws LOG_STALLED. */
  announce(): void {
    if (this.#position < this.#owed) return;
    const slot = {
      kind: kinds.SLOT,
      epoch: this.#epoch,
      lines: this.#lines,
      position: this.#position,
      count: this.#marks,
      aux: this.#lastTimeUs,
      tag: this.#oldest,
    };
    this.#guard(() => this.#head.write(slot));
    // Of two slots with one position neither is newer: a corrected number of lines must stand in both.
    if (this.#position === this.#announced) this.#guard(() => this.#head.write(slot));
    this.#announced = this.#position;
    this.#owed = 0;
  }

  #guard<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw stalledError(this.folder, cause);
    }
  }

  /** Forces what is written to the platter. Throws LOG_STALLED. */
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
