/** The soak, for seconds: that it runs, hurts and checks. `npm run soak -- --minutes N` is the real one. */
import test from 'ava';
import { soak } from './soak.ts';
import { complaint, Vitals, type Vital, type Watched } from './vitals.ts';

test('a mesh under load and random faults keeps its promises', async (t) => {
  t.timeout(180_000);
  const seed = Date.now() % 1_000_000;
  const summary = await soak({ seconds: 10, logs: 4, perSecond: 1_000, faultEveryMs: 800, seed });
  t.log(JSON.stringify(summary));
  t.true(summary.lines > 4 * 1_000, 'it went on all the time');
  t.true(Object.values(summary.faults).reduce((sum, count) => sum + count) >= 2);
});

/** A reader's vitals after it has said what it held, MiB, every two seconds of a life. */
function lived(heldMiB: readonly number[]): Vital {
  const node = (): Watched => ({ starts: 1, onSaid: () => undefined });
  const nodes = { writer: node(), reader: node(), replica: node(), far: node() };
  let nowMs = 0;
  const vitals = new Vitals(nodes, undefined, () => nowMs);
  const { reader } = nodes;
  reader.onSaid({ event: 'ready' });
  nowMs += 20_000;
  for (const held of heldMiB) {
    nowMs += 2_000;
    const memory = { rss: 100 * 2 ** 20, held: held * 2 ** 20 };
    reader.onSaid({ event: 'at', memory, fds: 50 });
  }
  return vitals.summary()['reader']!;
}

test('a leak is seen, chunks on their way are not', (t) => {
  const looks = Array.from({ length: 40 }, (_, look) => look);
  t.regex(complaint(lived(looks.map((look) => 10 + look / 2))) ?? '', /holds more and more: 10, /);
  // Every other look meets a reader that is catching up, most of all at the end.
  const busy = looks.map((look) => (look % 2 === 0 ? 10 : 12 + look / 2));
  t.is(complaint(lived(busy)), undefined);
  t.is(complaint(lived([11.4, 18.6, 15.7, 14.1, 23.5])), undefined, 'a look each says nothing');
});
