/**
 * Going on where a killed fetcher stopped: each log says how many records it holds, and so many of its records are
 * passed over. A log that got less than others before the crash gets just what it lacks.
 */
import type { LogName } from '../../log/name.ts';
import type { LogTail } from '../source.ts';

export class Resume {
  readonly #left = new Map<LogName, number>();

  constructor(logs: readonly LogName[], tail: (log: LogName) => LogTail | undefined) {
    for (const log of logs) {
      const held = tail(log);
      if (held && held.lines > held.marks) this.#left.set(log, held.lines - held.marks);
    }
  }

  /** True while some log holds records that have not come by yet. */
  get pending(): boolean {
    return this.#left.size > 0;
  }

  /** True when the next record (or, with `count` 0, mark) of a log is there already. */
  has(log: LogName, count: 0 | 1): boolean {
    const left = this.#left.get(log);
    if (left === undefined) return false;
    if (left - count <= 0 && count > 0) this.#left.delete(log);
    else this.#left.set(log, left - count);
    return true;
  }

  /** How many further passes of `counts` records a log are there as a whole; they count as passed over. */
  passes(counts: ReadonlyMap<LogName, number>): number {
    let passes = Infinity;
    for (const [log, count] of counts) {
      passes = Math.min(passes, Math.floor((this.#left.get(log) ?? 0) / count));
    }
    if (passes === Infinity || passes === 0) return 0;
    for (const [log, count] of counts) {
      const left = this.#left.get(log)! - passes * count;
      if (left > 0) this.#left.set(log, left);
      else this.#left.delete(log);
    }
    return passes;
  }
}
