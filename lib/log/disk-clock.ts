/** A fetcher's clock on disk: `<data>/.clocks/<node>`, up to which receive time all its logs are announced. */
import { join } from 'node:path';
import { kinds } from '../mesh/header.ts';
import { makeFolder, realFiles } from './disk-files.ts';
import type { Files } from './files.ts';
import { SlotReader, SlotWriter } from './disk-head.ts';
import { readClockSlot } from './head.ts';

const folderOf = (data: string): string => join(data, '.clocks');

export class ClockWriter {
  readonly #slots: SlotWriter;
  /** What was written last, Unix microseconds; 0 before. */
  timeUs = 0;
  constructor(data: string, node: string, files: Files = realFiles) {
    makeFolder(files, folderOf(data));
    this.#slots = new SlotWriter(join(folderOf(data), node), kinds.CLOCK, files);
  }
  /** Call after the heads of all logs say so. */
  write(timeUs: number): void {
    this.#slots.write({ aux: timeUs });
    this.timeUs = timeUs;
  }
  close(): void {
    this.#slots.close();
  }
}

export class ClockReader {
  readonly #slots: SlotReader;
  constructor(data: string, node: string, files: Files = realFiles) {
    this.#slots = new SlotReader(join(folderOf(data), node), files);
  }
  /** Unix microseconds; 0 while the fetcher never wrote one. */
  read(): number {
    const bytes = this.#slots.read();
    return (bytes && readClockSlot(bytes)) ?? 0;
  }
  close(): void {
    this.#slots.close();
  }
}
