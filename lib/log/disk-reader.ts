/**
 * Reads a log at any position, up to what its head announces. Never locks, never writes: any number of readers, in any
 * number of processes, beside one writer. Walks positions, not files: which segment holds them is looked up.
 */
import { join } from 'node:path';
import { errnoOf, flags, listSegments, readText, readUpTo, realFiles } from './disk-files.ts';
import type { Files } from './files.ts';
import { SlotReader } from './disk-head.ts';
import { parseEpochs, type Epoch } from './epochs.ts';
import { readSlot, type Slot } from './head.ts';
import { LINE_MAX, isLine } from './line.ts';
import type { LogName } from './name.ts';
import { segmentAt, segmentName, type Segment } from './segment.ts';

/** Whole lines from `position` on, all of one segment. `ends[i]` is the offset behind line i. */
export type Chunk = {
  readonly position: number;
  readonly bytes: Buffer;
  readonly ends: readonly number[];
  readonly segment: Segment;
};

/** A few lines are looked through here: a call into the runtime, seldom made, takes longer than all of them. */
const SHORT = 1024;
const far = (bytes: Buffer, from: number): number => bytes.indexOf(10, from);
function near(bytes: Buffer, from: number): number {
  for (let at = from; at < bytes.length; at++) if (bytes[at] === 10) return at;
  return -1;
}

/**
 * Offsets behind the line feed of each whole line, up to the first that is none: a torn last line, or what a power failure
 * left in the place of bytes (NULs, another file's block). Looks at both ends of a line, not through it.
 */
export function lineEnds(bytes: Buffer): number[] {
  const ends: number[] = [];
  let at = 0;
  const feedAfter = bytes.length > SHORT ? far : near;
  while (at < bytes.length) {
    const feed = feedAfter(bytes, at);
    if (feed < 0 || bytes[at] !== 123 || bytes[feed - 1] !== 125) break;
    at = feed + 1;
    ends.push(at);
  }
  return ends;
}

export class LogReader implements Disposable {
  readonly log: LogName;
  readonly folder: string;
  readonly #files: Files;
  readonly #take: (bytes: number) => Buffer;
  readonly #head: SlotReader;
  #segments: Segment[] = [];
  #epoch = -1;
  #fd = -1;
  #open: Segment | undefined;
  #epochs: readonly Epoch[] = [];
  #epochsOf = -1;

  /** `take`: where memory for chunks comes from. */
  constructor(
    data: string,
    log: LogName,
    files: Files = realFiles,
    take: (bytes: number) => Buffer = (bytes) => Buffer.allocUnsafe(bytes),
  ) {
    this.log = log;
    this.#files = files;
    this.#take = take;
    this.folder = join(data, log);
    this.#head = new SlotReader(join(this.folder, 'head'), files);
  }

  /**
   * How far the log is announced now; undefined while there is no log, or no whole slot at this moment. `seen`: what
   * `stirred` has just read will do.
   */
  head(seen = false): Slot | undefined {
    const bytes = this.#head.read(seen);
    const slot = bytes && readSlot(bytes);
    if (slot && slot.epoch !== this.#epoch) {
      // A new writer may have cut, set aside or replaced segments: what is known of them is void.
      this.#epoch = slot.epoch;
      this.#forget();
    }
    return slot;
  }

  /** True when the head has changed since `head()`: one read, nothing decoded. */
  stirred(): boolean {
    return this.#head.stirred();
  }

  /** The epoch table as of `epoch` (read again only when that rises). */
  epochs(epoch: number): readonly Epoch[] {
    if (epoch !== this.#epochsOf) {
      this.#epochs = parseEpochs(readText(this.#files, join(this.folder, 'epochs.jsonl')));
      this.#epochsOf = epoch;
    }
    return this.#epochs;
  }

  /** Oldest position kept, looked up now; 0 in an empty log. */
  oldest(): number {
    this.#segments = listSegments(this.#files, this.folder);
    return this.#segments[0]?.base ?? 0;
  }

  get segments(): readonly Segment[] {
    if (this.#segments.length === 0) this.#segments = listSegments(this.#files, this.folder);
    return this.#segments;
  }

  /**
   * Whole lines of `[position, limit)`, at most about `maxBytes` and of one segment. `limit` is an announced end.
   * Undefined when no whole line is there: not yet or not any more, or a power failure took what was announced and the
   * writer has not recovered yet.
   */
  read(position: number, limit: number, maxBytes: number): Chunk | undefined {
    const chunk = this.readOn(position, limit, maxBytes);
    return chunk && isLine(chunk.bytes, 0, chunk.ends[0]!)
      ? chunk
      : this.#search(position, limit, maxBytes);
  }

  /**
   * All of `[position, limit)`, in the usual case, a reader at the log's end: it stands in the last segment, which is
   * open. Undefined where it does not, or is less than that: `read` looks the segments up then. That a line begins at
   * `position` is the caller's word.
   */
  readOn(position: number, limit: number, maxBytes: number): Chunk | undefined {
    const segment = this.#open;
    const length = limit - position;
    if (!segment || segment !== this.#segments.at(-1) || position < segment.base) return undefined;
    if (length > maxBytes) return undefined;
    const bytes = Buffer.allocUnsafe(length);
    const got = readUpTo(this.#files, this.#fd, bytes, length, position - segment.base);
    if (got < length) return undefined;
    const ends = lineEnds(bytes);
    return ends.at(-1) === length ? { position, bytes, ends, segment } : undefined;
  }

  #search(position: number, limit: number, maxBytes: number): Chunk | undefined {
    const found = this.#find(position, limit);
    if (!found) return undefined;
    const { segment, end } = found;
    const whole = end - position;
    let length = Math.min(whole, maxBytes);
    for (;;) {
      const bytes = this.#take(length);
      const got = readUpTo(this.#files, this.#fd, bytes, length, position - segment.base);
      const ends = lineEnds(got === length ? bytes : bytes.subarray(0, got));
      const last = ends.at(-1);
      // A position inside a line (a cursor of another log, or made up) can look like the start of one.
      if (last !== undefined && !isLine(bytes, 0, ends[0]!)) return undefined;
      if (last !== undefined)
        return {
          position,
          bytes: last === length ? bytes : bytes.subarray(0, last),
          ends,
          segment,
        };
      // One line longer than the chunk: take it whole.
      if (got < length || length >= whole || length >= LINE_MAX) return undefined;
      length = Math.min(whole, LINE_MAX);
    }
  }

  /** The segment that holds `position`, opened, and where its bytes end at the latest. */
  #find(position: number, limit: number): { segment: Segment; end: number } | undefined {
    for (let fresh = false; ; fresh = true) {
      if (fresh || this.#segments.length === 0)
        this.#segments = listSegments(this.#files, this.folder);
      const index = segmentAt(this.#segments, position);
      const segment = this.#segments[index];
      if (!segment) {
        if (fresh) return undefined;
        continue;
      }
      const next = this.#segments[index + 1];
      if (!this.#use(segment)) {
        if (fresh) return undefined;
        continue;
      }
      // Its successor's name says where it ends; for the last one we know its size does. Where the file does not reach
      // the position, what we know is old: other segments have begun since.
      const end = Math.min(next?.base ?? Infinity, segment.base + this.#size());
      if (end > position) return { segment, end: Math.min(limit, end) };
      if (fresh) return undefined;
    }
  }

  #size(): number {
    return this.#files.size(this.#fd);
  }

  #use(segment: Segment): boolean {
    if (this.#open?.base === segment.base && this.#open.epoch === segment.epoch) return true;
    if (this.#fd >= 0) this.#files.close(this.#fd);
    this.#fd = -1;
    this.#open = undefined;
    try {
      this.#fd = this.#files.open(join(this.folder, segmentName(segment)), flags.read);
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return false;
      throw error;
    }
    this.#open = segment;
    return true;
  }

  /** Raw bytes from `position` on, wherever lines begin; fewer at the end of the segment or at `limit`. */
  raw(position: number, length: number, limit: number): Buffer {
    const found = this.#find(position, limit);
    if (!found) return Buffer.alloc(0);
    const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, found.end - position)));
    const got = readUpTo(this.#files, this.#fd, bytes, bytes.length, position - found.segment.base);
    return bytes.subarray(0, got);
  }

  [Symbol.dispose](): void {
    this.close();
  }
  close(): void {
    this.#forget();
    this.#head.close();
  }

  #forget(): void {
    if (this.#fd >= 0) this.#files.close(this.#fd);
    this.#fd = -1;
    this.#open = undefined;
    this.#segments = [];
  }
}
