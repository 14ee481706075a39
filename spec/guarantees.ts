/**
 * The promise of the mesh, in the words that etcd made familiar, each as one function. Simulation, kill tests and soak
 * all hand what a reader sees to a `Journal`, which asks all five after every step and throws what was broken.
 *
 *   ordered        records of a log come in the order in which they were received
 *   unique         no byte is handed out twice
 *   reliable       no byte is left out, or it is told which; what is handed out is what was written, and stays
 *   resumable      a reader that goes on from a stored cursor goes on exactly there
 *   bookmarkable   whatever a cursor (or "that is all") says was delivered, was
 */

/** What a reader holds of one log. Plain data of constant size: it can be stored with a cursor. */
export type Held = {
  /** Behind the last line: the next byte wanted. */
  position: number;
  /** Lines before `position`; -1 where that is not known (begun in the middle, or behind a gap). */
  lines: number;
  /** Receive time of the last line, Unix microseconds; 0 before the first. */
  timeUs: number;
  /** Number that the last record carries; -1 before the first. */
  number: number;
};

export type Seen =
  | {
      readonly is: 'line';
      readonly position: number;
      readonly end: number;
      readonly timeUs: number;
      /** The record's own number; NaN: not the bytes that were written; absent: a mark, or records without numbers. */
      readonly number?: number | undefined;
      /** Highest end announced so far, where that is known. */
      readonly announced?: number;
    }
  | { readonly is: 'gap'; readonly from: number; readonly to: number }
  | { readonly is: 'rewound'; readonly from: number; readonly to: number; readonly lines: number }
  /** A new reader begins at a stored cursor. */
  | { readonly is: 'resumed'; readonly position: number; readonly lines: number }
  /** A cursor was handed out. */
  | { readonly is: 'bookmark'; readonly position: number; readonly lines: number }
  /** The faults are over and the reader has had its time: this is what the log holds. */
  | { readonly is: 'end'; readonly position: number; readonly lines: number };

/** What is wrong, or undefined. `held` is what the reader held before; `lost`: lines it held at or behind a position. */
type Check = (
  held: Readonly<Held>,
  seen: Seen,
  lost: (from: number) => number,
) => string | undefined;

export const ordered: Check = (held, seen) =>
  seen.is === 'line' && seen.timeUs <= held.timeUs
    ? `a line of ${seen.timeUs} came after one of ${held.timeUs}`
    : undefined;

export const unique: Check = (held, seen) =>
  seen.is === 'line' && seen.position < held.position
    ? `the line at ${seen.position} came again: all up to ${held.position} had come`
    : undefined;

export const reliable: Check = (held, seen, lost) => {
  switch (seen.is) {
    case 'line':
      if (seen.position > held.position)
        return `nothing was said of ${held.position} to ${seen.position}`;
      if (Number.isNaN(seen.number)) return `the line at ${seen.position} is not what was written`;
      if (seen.number !== undefined && held.number >= -1 && seen.number !== held.number + 1)
        return `record ${seen.number} came after ${held.number}`;
      if (seen.announced !== undefined && seen.end > seen.announced)
        return `${seen.end} is beyond what was announced, ${seen.announced}`;
      return undefined;
    case 'gap':
      return seen.from === held.position && seen.to > seen.from
        ? undefined
        : `told of a gap from ${seen.from} to ${seen.to} at ${held.position}`;
    case 'rewound': {
      const lines = lost(seen.from);
      return seen.from < held.position && seen.to === held.position && lines === seen.lines
        ? undefined
        : `told of ${seen.lines} lines from ${seen.from} to ${seen.to} taken back; held ${lines}, up to ${held.position}`;
    }
    case 'end':
      return seen.position === held.position && sameCount(seen.lines, held.lines)
        ? undefined
        : `the log ends at ${seen.position} (${seen.lines} lines), the reader at ${held.position} (${held.lines})`;
    case 'resumed':
    case 'bookmark':
      return undefined;
  }
};

export const resumable: Check = (held, seen) =>
  seen.is === 'resumed' && (seen.position !== held.position || !sameCount(seen.lines, held.lines))
    ? `goes on at ${seen.position} (${seen.lines} lines), its output ends at ${held.position} (${held.lines})`
    : undefined;

export const bookmarkable: Check = (held, seen) =>
  seen.is === 'bookmark' && (seen.position !== held.position || !sameCount(seen.lines, held.lines))
    ? `the cursor says ${seen.position} (${seen.lines} lines), delivered is ${held.position} (${held.lines})`
    : undefined;

const sameCount = (told: number, held: number): boolean => held < 0 || told === held;

export const guarantees = { ordered, unique, reliable, resumable, bookmarkable } as const;
export type Guarantee = keyof typeof guarantees;
const checks = Object.entries(guarantees) as [Guarantee, Check][];

/** A promise that was not kept. */
export class Broken extends Error {
  readonly guarantee: Guarantee;
  constructor(who: string, guarantee: Guarantee, what: string) {
    super(`${who}: not ${guarantee}: ${what}`);
    this.guarantee = guarantee;
  }
}

/** Nothing yet. */
export const nothingHeld = (): Held => ({ position: 0, lines: 0, timeUs: 0, number: -1 });

type Step = { readonly position: number; readonly timeUs: number; readonly number: number };

/** What one reader of one log was handed, checked as it comes. */
export class Journal {
  readonly #who: string;
  #held: Held;
  /** Each line's state before it, where lines may be taken back (a host's crash); else none is remembered. */
  readonly #before: Step[] | undefined;

  constructor(who: string, held: Held = nothingHeld(), mayRewind = false) {
    this.#who = who;
    this.#held = { ...held };
    this.#before = mayRewind ? [] : undefined;
  }

  get held(): Readonly<Held> {
    return this.#held;
  }

  /** Throws `Broken`. */
  take(seen: Seen): void {
    for (const [guarantee, check] of checks) {
      const wrong = check(this.#held, seen, (from) => this.#linesFrom(from));
      if (wrong !== undefined) throw new Broken(this.#who, guarantee, wrong);
    }
    if (seen.is === 'line') this.#line(seen);
    else if (seen.is === 'gap')
      this.#held = { ...this.#held, position: seen.to, lines: -1, number: -2 };
    else if (seen.is === 'rewound') this.#rewind(seen.from);
  }

  #line(seen: Extract<Seen, { is: 'line' }>): void {
    const held = this.#held;
    const { position, timeUs, number } = held;
    this.#before?.push({ position, timeUs, number });
    held.position = seen.end;
    held.timeUs = seen.timeUs;
    if (held.lines >= 0) held.lines++;
    if (seen.number !== undefined) held.number = seen.number;
  }

  /** Without memory of them: none may be taken back. */
  #linesFrom(position: number): number {
    const before = this.#before ?? [];
    let count = 0;
    while (count < before.length && before.at(-1 - count)!.position >= position) count++;
    return before.at(-count)?.position === position && count > 0 ? count : NaN;
  }

  #rewind(to: number): void {
    const count = this.#linesFrom(to);
    const [first] = this.#before!.splice(-count);
    this.#held = { ...first!, lines: this.#held.lines < 0 ? -1 : this.#held.lines - count };
  }
}
