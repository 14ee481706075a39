/** The latency bench: all planned runs one after another, as lines. A run that comes to nothing is said and left out. */
import { TickmeshError } from '../../world/error.ts';
import type { Shape } from '../schedule.ts';
import { transports } from '../transport/registry.ts';
import type { Planned } from './plan.ts';
import { runOnce, type RunOptions } from './run-process.ts';
import type { Run } from './run.ts';
import { lines, type Line } from './summary.ts';

export type NotifyOptions = {
  readonly planned: readonly Planned[];
  readonly shape: Shape;
  readonly warmMs: number;
  readonly durationMs: number;
  readonly scripts: RunOptions['scripts'];
  readonly servers: RunOptions['servers'];
  readonly dir?: string;
  /** Try a run again that a busy machine spoilt. */
  readonly repeats: boolean;
  readonly signal: AbortSignal;
  /** Told before each run, and when one failed. */
  readonly progress: (text: string) => void;
};

export type NotifyResult = {
  readonly lines: readonly Line[];
  /** Largest shares of a run that other machines, and all processes here, took; 0..1. */
  readonly steal: number;
  readonly busy: number;
  readonly problems: readonly string[];
};

export async function notify(options: NotifyOptions): Promise<NotifyResult> {
  const runs: Run[] = [];
  const problems: string[] = [];
  const again = new Repeats(options.planned.length);
  for (const [at, { transport, rate, size, round }] of options.planned.entries()) {
    const name = `${transport.name} at ${rate}/s, run ${round + 1}`;
    options.progress(`${at + 1} of ${options.planned.length}: ${name}`);
    try {
      let run = await runOnce({ ...options, transport, rate, size, round });
      while (options.repeats && run.verdict === 'invalid' && again.allowed(name))
        run = await runOnce({ ...options, transport, rate, size, round });
      runs.push(run);
    } catch (error) {
      if (options.signal.aborted) break;
      if (!(error instanceof TickmeshError)) throw error;
      problems.push(`${name}: ${error.message}`);
    }
  }
  return {
    lines: lines(runs, transports),
    steal: Math.max(0, ...runs.map((run) => run.steal)),
    busy: Math.max(0, ...runs.map((run) => run.busy)),
    problems,
  };
}

/** A run that a busy machine spoilt is tried again: twice at the most, and for a quarter of all runs at the most. */
class Repeats {
  #left: number;
  readonly #used = new Map<string, number>();

  constructor(runs: number) {
    this.#left = Math.ceil(runs / 4);
  }

  allowed(name: string): boolean {
    const used = this.#used.get(name) ?? 0;
    if (used >= 2 || this.#left === 0) return false;
    this.#used.set(name, used + 1);
    this.#left--;
    return true;
  }
}
