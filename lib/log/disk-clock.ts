/** A fetcher's clock on disk: `<data>/.clocks/<node>`, up to which receive time all its logs are announced. */
import { join } from 'node:path';
import { kinds } from '../mesh/header.ts';
import { TickmeshError } from '../world/error.ts';
import { stalled } from './disk-appender.ts';
import { makeFolder, realFiles, unwritable } from './disk-files.ts';
import type { Files } from './files.ts';
import { SlotReader, SlotWriter } from './disk-head.ts';
import { readClockSlot } from './head.ts';
import { isNamePart } from './name.ts';

const folderOf = (data: string): string => join(data, '.clocks');
/** The clock of a node: a fetcher makes it once all its logs are open. */
export const clockPath = (data: string, node: string): string => join(folderOf(data), node);

export class ClockWriter {
  readonly #slots: SlotWriter;
  /** What was written last, by this writer or one before it, Unix microseconds; 0 before. */
  timeUs: number;
  readonly #folder: string;

  /** Throws NAME_INVALID for a node's name that is no file name, LOG_UNWRITABLE. */
  constructor(data: string, node: string, files: Files = realFiles) {
    if (!isNamePart(node)) {
      throw new TickmeshError('NAME_INVALID', `not a node's name: ${JSON.stringify(node)}`, {
        remedy: 'letters, digits, "-", "_" and "."; at most 64',
      });
    }
    this.#folder = folderOf(data);
    makeFolder(files, this.#folder);
    const path = clockPath(data, node);
    try {
      const before = new ClockReader(data, node, files);
      this.timeUs = before.read();
      before.close();
      this.#slots = new SlotWriter(path, kinds.CLOCK, files);
    } catch (cause) {
      throw unwritable(path, cause);
    }
  }
  /** Call after the heads of all logs say so. Throws LOG_STALLED when the disk refuses. */
  write(timeUs: number): void {
    try {
      this.#slots.write({ kind: kinds.CLOCK, aux: timeUs });
    } catch (cause) {
      throw stalled(this.#folder, cause);
    }
    this.timeUs = timeUs;
  }
  close(): void {
    this.#slots.close();
  }
}

export class ClockReader {
  readonly #slots: SlotReader;
  constructor(data: string, node: string, files: Files = realFiles) {
    this.#slots = new SlotReader(clockPath(data, node), files);
  }
  /** Unix microseconds; 0 while the fetcher never wrote one. */
  read(): number {
    const bytes = this.#slots.read();
    return (bytes && readClockSlot(bytes)) ?? 0;
  }
  /** True when the clock has changed since `read`: one read, nothing decoded. */
  stirred(): boolean {
    return this.#slots.stirred();
  }
  close(): void {
    this.#slots.close();
  }
}
