/** `npm run sim -- --steps N --seed S [--bug NAME]`: simulates until so many steps are done; prints the seed that fails. */
import { parseArgs } from 'node:util';
import { Simulation, type Result } from './world.ts';
import type { Bug } from './readers.ts';

export type Summary = {
  steps: number;
  runs: number;
  lines: number;
  kills: number;
  hostCrashes: number;
  rewound: number;
  replicas: number;
  replicaKills: number;
  replicaHostCrashes: number;
  replicaCuts: number;
  seconds: number;
};

/** One world, without stack traces unless asked: a full disk throws all the time, and nobody reads where. */
async function runWorld(
  seed: number,
  bug: Bug | undefined,
  stackTraceLimit = 0,
): Promise<{ result: Result; failed?: unknown }> {
  const world = new Simulation(seed, bug);
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = stackTraceLimit;
  try {
    await world.run(500 + (seed % 4) * 500);
    return { result: world.result };
  } catch (failed) {
    return { result: world.result, failed };
  } finally {
    Error.stackTraceLimit = before;
  }
}

/** Runs worlds from `seed` on until `steps` are done. Throws with the seed that replays the failure. */
export async function simulate(steps: number, seed: number, bug?: Bug): Promise<Summary> {
  const begin = performance.now();
  const total: Summary = {
    steps: 0,
    runs: 0,
    lines: 0,
    kills: 0,
    hostCrashes: 0,
    rewound: 0,
    replicas: 0,
    replicaKills: 0,
    replicaHostCrashes: 0,
    replicaCuts: 0,
    seconds: 0,
  };
  for (let next = seed; total.steps < steps; next++) {
    const { result, failed } = await runWorld(next, bug);
    if (failed) {
      // The same seed again: the same failure, with where it was thrown.
      const { failed: cause } = await runWorld(next, bug, 50);
      throw new Error(
        `seed ${next}, step ${total.steps + result.steps}: ${(failed as Error).message}`,
        { cause },
      );
    }
    total.runs++;
    for (const [key, count] of Object.entries(result) as [keyof Result, number][])
      total[key] += count;
  }
  total.seconds = Math.round(performance.now() - begin) / 1000;
  return total;
}

if (process.argv[1]?.endsWith('sim/run.js')) {
  const { values } = parseArgs({
    options: {
      steps: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: '1' },
      bug: { type: 'string' },
    },
  });
  simulate(Number(values.steps), Number(values.seed), values.bug as Bug | undefined).then(
    (summary) => console.log(JSON.stringify(summary)),
    (error: unknown) => {
      console.error((error as Error).message, '\n', (error as Error).cause);
      process.exitCode = 1;
    },
  );
}
