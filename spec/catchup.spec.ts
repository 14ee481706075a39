/** Catch-up and replicas: a copy that shares nothing with its source but sockets, and equals it byte for byte. */
import test from 'ava';
import {
  copyBy,
  feedBy,
  inFolders,
  segmentsOf,
  serving,
  trades,
  until,
  wires,
} from './support/copies.ts';

test('a replica equals its source, byte for byte and file by file', async (t) => {
  await inFolders(2, async (here, there) => {
    const by = wires();
    const fed = await feedBy({ data: here!, ...serving(by), roll: { bytes: 100_000, ageMs: 1e9 } });
    fed.source.push(trades, 5_000, 100);
    const { replica } = await copyBy(by, { data: there! });
    const writer = fed.fetcher.writers.get(trades)!;
    await until(
      'all is copied',
      () => writer.lines === 5_000 && replica.positions.get(trades) === writer.position,
    );
    // And what is written from now on comes by itself.
    fed.source.push(trades, 5_000, 100);
    await until(
      'the rest is copied',
      () => writer.lines === 10_000 && replica.positions.get(trades) === writer.position,
    );
    t.true(Object.keys(segmentsOf(here!, trades)).length > 10);
    t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
    await replica[Symbol.asyncDispose]();
    await fed.stop();
  });
});
