/**
 * A batch without an object a record: which lines of which chunks follow each other. A run is what one log brings before
 * another one has its turn. For consumers that go through hundreds of thousands of records a second and keep none.
 */
import { lineTimeUs } from '../log/line.ts';
import type { LogName } from '../log/name.ts';

/** Lines of one log: line i ends at `ends[i]`, where line i + 1 begins. */
export type Lines = {
  readonly log: LogName;
  /** Position of the first byte in the log. */
  readonly position: number;
  readonly bytes: Buffer;
  readonly ends: readonly number[];
};

export class Runs {
  readonly #lines: Lines[] = [];
  readonly #from: number[] = [];
  readonly #to: number[] = [];
  /** Runs, and records in them. */
  count = 0;
  records = 0;

  /** Lines `[from, to)` come next. */
  add(lines: Lines, from: number, to: number): void {
    const at = this.count++;
    this.#lines[at] = lines;
    this.#from[at] = from;
    this.#to[at] = to;
    this.records += to - from;
  }

  /** Forgets all. */
  clear(): void {
    this.count = this.records = 0;
  }

  lines(run: number): Lines {
    return this.#lines[run]!;
  }
  /** Index of a run's first line, and behind its last. */
  from(run: number): number {
    return this.#from[run]!;
  }
  to(run: number): number {
    return this.#to[run]!;
  }

  /** Receive time of the first record, and of the last. Only where there are records. */
  get firstUs(): number {
    return this.#timeUs(0, this.from(0));
  }
  get lastUs(): number {
    return this.#timeUs(this.count - 1, this.to(this.count - 1) - 1);
  }
  #timeUs(run: number, line: number): number {
    const { bytes, ends } = this.lines(run);
    return lineTimeUs(bytes, line === 0 ? 0 : ends[line - 1]!);
  }
}
