/**
 * The promise of the mesh in every state of a small world, and in simulated worlds of other seeds than those of
 * `sim.spec.ts`: two files, so that two cores share the work.
 */
import test from 'ava';
import { explore, small } from './sim/explore.ts';
import { simulate } from './sim/run.ts';
import { long } from './support/logs.ts';

test.serial(
  'every state of a small world can still reach the end, and no end is a wrong one',
  (t) => {
    const begin = performance.now();
    const result = explore({ ...small, writerCrashes: 1 });
    t.log(`${JSON.stringify(result)}, after ${Math.round(performance.now() - begin)} ms`);
    t.true(result.complete);
    t.is(result.traps, 0);
    t.true(result.states > 500_000);
  },
);

test.serial('the exploration sees seeded bugs: no echo check, no retry', (t) => {
  const error = t.throws(() => explore({ ...small, writerCrashes: 1 }, 'no echo check'));
  t.log(error.message);
  const trapped = explore({ ...small, writerCrashes: 1, lines: 2 }, 'no retry');
  t.log(JSON.stringify(trapped));
  t.true(trapped.traps > 0);
});

test.serial('whatever fails in as many other worlds, every reader ends with the log', async (t) => {
  t.timeout(600_000);
  const summary = await simulate(long ? 5_000_000 : 2_500_000, 1_000_001);
  t.log(JSON.stringify(summary));
  t.true(
    summary.kills > 0 && summary.hostCrashes > 0 && summary.rewound > 0,
    'the faults happened',
  );
});
