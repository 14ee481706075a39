/**
 * The promise of the mesh, in a simulated world and in every state of a small one; and the proof that these can see:
 * each seeded bug removes one rule and must be caught. `npm run sim -- --steps N --seed S` replays and goes on.
 */
import test from 'ava';
import { explore, small } from './sim/explore.ts';
import { simulate } from './sim/run.ts';
import type { Bug } from './sim/readers.ts';

const long = process.env['TICKMESH_LONG'] !== undefined;

test.serial(
  'whatever fails, every reader ends with the log: ordered, unique, reliable, resumable',
  async (t) => {
    const summary = await simulate(long ? 5_000_000 : 1_000_000, 1);
    t.log(JSON.stringify(summary));
    t.true(
      summary.kills > 0 && summary.hostCrashes > 0 && summary.rewound > 0,
      'the faults happened',
    );
  },
);

test.serial(
  'every state of a small world can still reach the end, and no end is a wrong one',
  (t) => {
    const result = explore(
      long ? { ...small, writerCrashes: 1 } : { ...small, writerCrashes: 1, lines: 2 },
    );
    t.log(JSON.stringify(result));
    t.true(result.complete);
    t.is(result.traps, 0);
    t.true(result.states > (long ? 500_000 : 50_000));
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
];
for (const bug of simulated) {
  test.serial(`the simulation sees a seeded bug: ${bug}`, async (t) => {
    const begin = performance.now();
    const error = await t.throwsAsync(simulate(3_000_000, 1, bug));
    t.log(`${error.message}, after ${Math.round(performance.now() - begin)} ms`);
  });
}

test.serial('the exploration sees seeded bugs: no echo check, no retry', (t) => {
  const error = t.throws(() => explore({ ...small, writerCrashes: 1 }, 'no echo check'));
  t.log(error.message);
  const trapped = explore({ ...small, writerCrashes: 1, lines: 2 }, 'no retry');
  t.log(JSON.stringify(trapped));
  t.true(trapped.traps > 0);
});
