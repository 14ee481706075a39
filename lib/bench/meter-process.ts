/** What a process uses between two moments: CPU of itself alone, and resident memory. */
import type { Resident } from './publish-message.ts';

const SAMPLE_MS = 100;

export type Used = {
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly wallSeconds: number;
  readonly resident: Resident;
};

export class Meter {
  #cpu = process.cpuUsage();
  #startedMs = performance.now();
  #timer: NodeJS.Timeout | undefined;
  readonly #resident: number[] = [];

  start(): void {
    this.#cpu = process.cpuUsage();
    this.#startedMs = performance.now();
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  #sample(): void {
    this.#resident.push(process.memoryUsage.rss());
  }

  /** `records` went through since `start`. */
  stop(records: number): Used {
    const { user, system } = process.cpuUsage(this.#cpu);
    clearInterval(this.#timer);
    this.#sample();
    const samples = this.#resident;
    const tenth = Math.ceil(samples.length / 10);
    const highest = (from: number, to?: number): number => Math.max(0, ...samples.slice(from, to));
    return {
      userSeconds: user / 1e6,
      systemSeconds: system / 1e6,
      wallSeconds: (performance.now() - this.#startedMs) / 1000,
      resident: {
        start: samples[0] ?? 0,
        slopePerMillion:
          (slope(samples.slice(tenth)) * samples.length * 1e6) / Math.max(1, records),
        peak: highest(0),
        early: highest(Math.min(tenth, samples.length - 1), 2 * tenth),
        late: highest(-tenth),
      },
    };
  }
}

/** Of the straight line that lies closest to `values`: how much it rises from one to the next. */
function slope(values: readonly number[]): number {
  const middle = (values.length - 1) / 2;
  let sum = 0;
  let squares = 0;
  for (const [i, value] of values.entries()) {
    sum += (i - middle) * value;
    squares += (i - middle) ** 2;
  }
  return squares === 0 ? 0 : sum / squares;
}
