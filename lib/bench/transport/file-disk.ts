/** A plain file as the peers use it: one `writeSync` a record, and a reader that reads on to its end. */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Arrivals } from '../arrivals.ts';
import { linePayload, newLine, PROBE, readNumber, writeNumber } from '../record.ts';
import type { Place, WriteContext, Writing } from './transport.ts';

export const fileOf = ({ folder }: Place): string => join(folder, 'records.jsonl');

/** Appends a record and calls `tell` with the end of the file, one by one. */
export function appending(
  context: WriteContext,
  tell: (end: number, number: number) => void,
  close: () => Promise<void> | void = () => undefined,
): Writing {
  const { now, stamps } = context;
  const fd = openSync(fileOf(context), 'a');
  const line = newLine(context.size, 1_700_000_000_000_000);
  let end = 0;
  return {
    send(from, to) {
      for (let number = from; number < to; number++) {
        const measured = number !== PROBE;
        if (measured) stamps.begunNs[number] = now();
        writeNumber(line, linePayload.at, number);
        writeSync(fd, line);
        end += line.length;
        if (measured) stamps.writtenNs[number] = now();
        tell(end, number);
        if (measured) stamps.toldNs[number] = now();
      }
    },
    async [Symbol.asyncDispose]() {
      await close();
      closeSync(fd);
    },
  };
}

/** Reads a growing file on, line by line, into the arrivals. */
export class Tail implements Disposable {
  readonly #fd: number;
  readonly #arrivals: Arrivals;
  readonly #buffer = Buffer.allocUnsafe(256 << 10);
  #position = 0;

  constructor(place: Place, arrivals: Arrivals) {
    // The writer may not have come yet.
    this.#fd = openSync(fileOf(place), 'a+');
    this.#arrivals = arrivals;
  }

  get position(): number {
    return this.#position;
  }

  /** Takes all whole lines that are there now. */
  readOn(): void {
    const buffer = this.#buffer;
    for (;;) {
      const got = readSync(this.#fd, buffer, 0, buffer.length, this.#position);
      let at = 0;
      for (let feed = buffer.indexOf(10); feed >= 0 && feed < got; feed = buffer.indexOf(10, at)) {
        this.#arrivals.take(readNumber(buffer, at + linePayload.at));
        at = feed + 1;
      }
      this.#position += at;
      if (got < buffer.length) return;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}
