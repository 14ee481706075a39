/**
 * The promise of the mesh in a simulated world, and the proof that this can see: each seeded bug removes one rule and must
 * be caught. Half of the worlds; `explore.spec.ts` has the others. `npm run sim -- --steps N --seed S` replays and goes on.
 */
import test from 'ava';
import { simulate } from './sim/run.ts';
import type { Bug } from './sim/readers.ts';
import { long } from './support/logs.ts';

test.serial(
  'whatever fails, every reader ends with the log: ordered, unique, reliable, resumable',
  async (t) => {
    t.timeout(600_000);
    const summary = await simulate(long ? 5_000_000 : 2_500_000, 1);
    t.log(JSON.stringify(summary));
    t.true(
      summary.kills > 0 && summary.hostCrashes > 0 && summary.rewound > 0,
      'the faults happened',
    );
    t.true(
      summary.replicaKills > 0 && summary.replicaHostCrashes > 0 && summary.replicaCuts > 0,
      'and those of replicas',
    );
  },
);

const simulated: Bug[] = [
  'no heartbeat',
  'no epoch',
  'start-only reconcile',
  'no echo check',
  'no retry',
  'no repair',
  'prefix topic',
  'announce before write',
  'cursor before delivery',
  'strict nonce',
  'copy announced early',
  'copy not cut',
];
for (const bug of simulated) {
  test.serial(`the simulation sees a seeded bug: ${bug}`, async (t) => {
    const begin = performance.now();
    const error = await t.throwsAsync(simulate(3_000_000, 1, bug));
    t.log(`${error.message}, after ${Math.round(performance.now() - begin)} ms`);
  });
}
