/** The soak, for seconds: that it runs, hurts and checks. `npm run soak -- --minutes N` is the real one. */
import test from 'ava';
import { soak } from './soak.ts';

test('a mesh under load and random faults keeps its promises', async (t) => {
  t.timeout(180_000);
  const seed = Date.now() % 1_000_000;
  const summary = await soak({ seconds: 10, logs: 4, perSecond: 1_000, faultEveryMs: 800, seed });
  t.log(JSON.stringify(summary));
  t.true(summary.lines > 4 * 1_000, 'it went on all the time');
  t.true(Object.values(summary.faults).reduce((sum, count) => sum + count) >= 2);
});
