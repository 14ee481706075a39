/**
 * The end of a log on disk: the open segment, and how far it is written. Shared by a log's writer and by a replica.
 * What the disk refuses half-way is taken back, so that the file always ends where `position` says.
 */
import { join } from 'node:path';
import { TickmeshError } from '../world/error.ts';
import { errnoOf, flags, realFiles, writeAll } from './disk-files.ts';
import type { Files } from './files.ts';
import { segmentName, type Segment } from './segment.ts';

export const stalled = (folder: string, cause: unknown): TickmeshError =>
  new TickmeshError(
    'LOG_STALLED',
    `cannot append to ${folder}: ${errnoOf(cause) ?? String(cause)}`,
    {
      cause,
      facts: { folder, errno: errnoOf(cause) },
      remedy:
        'free space on that disk or mend it; writing goes on by itself, nothing announced is lost',
    },
  );

export class Appender {
  readonly folder: string;
  readonly #files: Files;
  #fd = -1;
  #segment: Segment | undefined;
  #size = 0;

  constructor(folder: string, files: Files = realFiles) {
    this.#files = files;
    this.folder = folder;
  }

  get segment(): Segment | undefined {
    return this.#segment;
  }
  /** Bytes in the open segment. */
  get size(): number {
    return this.#size;
  }

  /**
   * Creates the next segment; it must not exist. The one before is complete: it goes to the platter in the background,
   * so that a power failure can only hurt the newest ones. `durable` makes the new entry durable at once.
   */
  start(segment: Segment, durable: boolean): void {
    const fd = this.#guard(() => {
      const path = join(this.folder, segmentName(segment));
      const opened = this.#files.open(path, flags.createNew);
      try {
        if (durable) this.#files.syncFolder(this.folder);
      } catch (error) {
        // Begun anew when it is tried again: it would be in its own way.
        this.#files.close(opened);
        this.#files.remove(path);
        throw error;
      }
      return opened;
    });
    if (this.#fd >= 0) this.#files.syncAndClose(this.#fd);
    this.#fd = fd;
    this.#segment = segment;
    this.#size = 0;
  }

  /** Opens an existing segment of `size` bytes to go on at its end. */
  resume(segment: Segment, size: number): void {
    this.close();
    this.#fd = this.#files.open(join(this.folder, segmentName(segment)), flags.readWrite);
    this.#segment = segment;
    this.#size = size;
  }

  /** Appends `length` bytes, all or (on LOG_STALLED) none. */
  append(bytes: Buffer, length: number): void {
    this.#guard(() => {
      try {
        writeAll(this.#files, this.#fd, bytes, length, this.#size);
      } catch (error) {
        this.#files.truncate(this.#fd, this.#size);
        throw error;
      }
    });
    this.#size += length;
  }

  /** Takes back the last `length` bytes: they were written, but not as durably as was promised. */
  takeBack(length: number): void {
    this.#size -= length;
    this.#guard(() => this.#files.truncate(this.#fd, this.#size));
  }

  sync(): void {
    if (this.#fd >= 0) this.#guard(() => this.#files.sync(this.#fd));
  }

  close(): void {
    if (this.#fd >= 0) this.#files.close(this.#fd);
    this.#fd = -1;
  }

  /** Closes, and has no segment any more: the next one must be started. */
  forget(): void {
    this.close();
    this.#segment = undefined;
    this.#size = 0;
  }

  #guard<T>(act: () => T): T {
    try {
      return act();
    } catch (cause) {
      throw stalled(this.folder, cause);
    }
  }
}
