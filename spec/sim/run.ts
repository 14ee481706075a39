/** `npm run sim -- --steps N --seed S [--bug NAME]`: simulates until so many steps are done; prints the seed that fails. */
import { parseArgs } from 'node:util';
import { Simulation } from './world.ts';
import type { Bug } from './readers.ts';

export type Summary = {
  steps: number;
  runs: number;
  lines: number;
  kills: number;
  hostCrashes: number;
  rewound: number;
  seconds: number;
};

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
    seconds: 0,
  };
  for (let next = seed; total.steps < steps; next++) {
    const world = new Simulation(next, bug);
    try {
      await world.run(500 + (next % 4) * 500);
    } catch (cause) {
      throw new Error(
        `seed ${next}, step ${total.steps + world.result.steps}: ${(cause as Error).message}`,
        { cause },
      );
    }
    const { result } = world;
    total.runs++;
    for (const key of ['steps', 'lines', 'kills', 'hostCrashes', 'rewound'] as const)
      total[key] += result[key];
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
