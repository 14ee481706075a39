/** The bench: what it measures is what happened, and what it cannot know it does not say. */
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { Arrivals, sound } from '../lib/bench/arrivals.ts';
import {
  count,
  decode,
  encode,
  newHistogram,
  percentileUs,
  pooled,
  summarize,
} from '../lib/bench/histogram.ts';
import { plan } from '../lib/bench/notify/plan.ts';
import { runOnce } from '../lib/bench/notify/run-process.ts';
import { join, judge, type Columns, type Run } from '../lib/bench/notify/run.ts';
import { line, ratio } from '../lib/bench/notify/summary.ts';
import { carried, interval95, median } from '../lib/bench/percentile.ts';
import {
  LINE_MIN,
  linePayload,
  newLine,
  PROBE,
  readNumber,
  writeNumber,
} from '../lib/bench/record.ts';
import { schedule } from '../lib/bench/schedule.ts';
import { transportNamed } from '../lib/bench/transport/registry.ts';
import type { Faults } from '../lib/bench/notify/message.ts';

const script = (name: string): string =>
  fileURLToPath(new URL(`../nodes/bench/${name}.js`, import.meta.url));

const measure = (transport: string, faults: Faults): Promise<Run> =>
  runOnce({
    transport: transportNamed(transport),
    rate: 1_000,
    size: 158,
    shape: { kind: 'constant' },
    warmMs: 200,
    durationMs: 1_500,
    round: 0,
    scripts: { writer: script('writer'), reader: script('reader') },
    servers: {},
    faults,
  });

test('a constant schedule keeps its rate to the nanosecond', (t) => {
  const due = schedule({ kind: 'constant' }, 3, 4);
  t.deepEqual([...due], [0, 333_333_333, 666_666_667, 1_000_000_000]);
});

test('a Poisson schedule has the rate, the scatter of one, and is the same for the same seed', (t) => {
  const due = schedule({ kind: 'poisson', seed: 'a' }, 1_000, 20_000);
  t.deepEqual(due, schedule({ kind: 'poisson', seed: 'a' }, 1_000, 20_000));
  t.notDeepEqual(due, schedule({ kind: 'poisson', seed: 'b' }, 1_000, 20_000));
  const gaps = [...due].slice(1).map((at, k) => at - due[k]!);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  t.true(Math.abs(mean - 1e6) < 0.03e6, `mean gap ${mean}`);
  t.true(Math.abs(deviation / mean - 1) < 0.05, `deviation ${deviation}`);
});

test('a burst schedule repeats the recorded gaps, at the rate asked for', (t) => {
  const due = schedule({ kind: 'burst', timesUs: [100, 101, 102, 400] }, 1_000, 7);
  // Three gaps of 1, 1 and 298 us become three milliseconds in the same proportions.
  t.deepEqual([...due], [0, 10_000, 20_000, 3_000_000, 3_010_000, 3_020_000, 6_000_000]);
  t.throws(() => schedule({ kind: 'burst', timesUs: [5, 5] }, 1_000, 3), {
    instanceOf: TypeError,
  });
});

test('a percentile is told only when ten samples lie beyond it', (t) => {
  t.deepEqual(carried(19), []);
  t.deepEqual(carried(20), [50]);
  t.deepEqual(carried(999), [50, 90]);
  t.deepEqual(carried(1_000), [50, 90, 99]);
  t.deepEqual(carried(9_999), [50, 90, 99]);
  t.deepEqual(carried(10_000), [50, 90, 99, 99.9]);
  t.deepEqual(carried(100_000), [50, 90, 99, 99.9, 99.99]);
  const few = newHistogram();
  for (let k = 0; k < 150; k++) count(few, k * 1_000);
  t.is(percentileUs(summarize(few), 99), undefined);
  t.not(percentileUs(summarize(few), 90), undefined);
});

test('an interval around a percentile narrows with more samples', (t) => {
  const [low, high] = interval95(10_000, 50);
  t.true(low > 48.9 && low < 50 && high > 50 && high < 51.1);
  const [wider] = interval95(100, 50);
  t.true(wider < low);
});

test('merged histograms say what one histogram of all samples says', (t) => {
  const all = newHistogram();
  const parts = [newHistogram(), newHistogram(), newHistogram()];
  for (let k = 0; k < 30_000; k++) {
    const ns = (k * 7_919) % 5_000_000;
    count(all, ns);
    count(parts[k % 3]!, ns);
  }
  const travelled = parts.map((part) => decode(encode(part)));
  // Encoded, the largest value is known to its three digits only.
  t.deepEqual(summarize(pooled(travelled)), summarize(decode(encode(all))));
});

test('a record carries its number where no search is needed, whatever its size', (t) => {
  for (const size of [LINE_MIN, 158, 1_000]) {
    const bytes = newLine(size, 1_700_000_000_000_000);
    t.is(bytes.length, size);
    for (const number of [0, 7, 123_456_789, PROBE]) {
      writeNumber(bytes, linePayload.at, number);
      t.is(readNumber(bytes, linePayload.at), number);
      t.is((JSON.parse(bytes.toString()) as { data: { t: number } }).data.t, 1e9 + number);
    }
  }
});

test('what is lost, doubled or out of order is counted', (t) => {
  let nowNs = 0;
  let all = 0;
  const arrivals = new Arrivals(
    5,
    () => ++nowNs,
    () => undefined,
    () => all++,
  );
  for (const number of [0, 2, 1, 2, PROBE, 4]) arrivals.take(number);
  t.deepEqual(arrivals.account(), { sent: 5, lost: 1, doubled: 1, reordered: 1 });
  t.false(sound(arrivals.account()));
  t.is(all, 0);
  arrivals.take(3);
  t.is(all, 1);
});

const columns = (
  count: number,
  set: (k: number) => Partial<Record<keyof Columns, number>>,
): Columns => {
  const made = Object.fromEntries(
    ['due', 'begun', 'written', 'told', 'noticed', 'read'].map((name) => [
      name,
      new Float64Array(count),
    ]),
  ) as unknown as Columns;
  for (let k = 0; k < count; k++)
    for (const [name, value] of Object.entries(set(k))) made[name as keyof Columns][k] = value;
  return made;
};

test('latency counts from when a record was due, and a late sender makes the run invalid', (t) => {
  const late = columns(1_000, (k) => {
    const due = 1e9 + k * 1e6;
    // One in fifty goes out 5 ms late, and takes 100 us from there.
    const begun = due + (k % 50 === 49 ? 5e6 : 1e3);
    return {
      due,
      begun,
      written: begun + 5e3,
      told: begun + 9e3,
      noticed: begun + 80e3,
      read: begun + 100e3,
    };
  });
  const joined = join(late, 0);
  t.is(Math.round(percentileUs(summarize(joined.fromBegun), 99)!), 100);
  t.true(percentileUs(summarize(joined.fromDue), 99)! > 5_000);
  t.is(joined.lateness.share, 0.02);
  t.is(joined.lateness.maxUs, 5_000);
  const account = { sent: 1_000, lost: 0, doubled: 0, reordered: 0 };
  t.is(judge(account, joined.lateness).verdict, 'invalid');
  t.is(judge(account, { share: 0.01, maxUs: 5_000 }).verdict, 'ok');
  t.is(judge({ ...account, lost: 1 }, joined.lateness).verdict, 'FAIL');
  t.is(judge(account, { share: 0, maxUs: 0 }, 0.2).verdict, 'invalid');
});

test('the warm-up is left out, and stages add up to the whole', (t) => {
  const made = columns(100, (k) => {
    const due = 1e9 + k * 1e6;
    const slow = k < 50 ? 10e6 : 0;
    return {
      due,
      begun: due + 1e3,
      written: due + 6e3,
      told: due + 8e3,
      noticed: due + 50e3 + slow,
      read: due + 60e3 + slow,
    };
  });
  const joined = join(made, 50);
  t.is(joined.fromDue.totalCount, 50);
  t.true(joined.fromDue.maxValue < 61e3);
  const mean = (stage: 'pace' | 'write' | 'travel' | 'fetch'): number => joined.stages[stage]!.mean;
  const sum = mean('pace') + mean('write') + mean('travel') + mean('fetch');
  t.true(Math.abs(sum - joined.fromDue.mean) < 100, `${sum} of ${joined.fromDue.mean}`);
});

test('rounds are interleaved: every transport once before any twice', (t) => {
  const transports = ['zeromq', 'fs-watch'].map(transportNamed);
  const order = plan({ transports, rates: [1_000], sizes: [158], rounds: 3 });
  t.is(
    order.map((each) => `${each.transport.name}${each.round}`).join(' '),
    'zeromq0 fs-watch0 zeromq1 fs-watch1 zeromq2 fs-watch2',
  );
});

const fakeRun = (
  transport: string,
  round: number,
  p50Us: number,
  verdict: Run['verdict'],
): Run => ({
  transport,
  rate: 1_000,
  size: 158,
  round,
  joined: join(
    columns(100, (k) => ({
      due: 1e9 + k * 1e6,
      begun: 1e9 + k * 1e6,
      read: 1e9 + k * 1e6 + p50Us * 1e3,
    })),
    0,
  ),
  account: { sent: 100, lost: verdict === 'FAIL' ? 1 : 0, doubled: 0, reordered: 0 },
  usage: {},
  steal: 0,
  busy: 0,
  verdict,
  why: verdict === 'ok' ? '' : 'said so',
});

test('a ratio is taken round by round and leaves out rounds that do not count', (t) => {
  const named = { title: 'x', side: 'peer', reads: true } as const;
  const own = line(
    [50, 80, 60].map((us, round) => fakeRun('a', round, us, round === 1 ? 'invalid' : 'ok')),
    named,
  );
  const peer = line(
    [100, 100, 200].map((us, round) => fakeRun('b', round, us, 'ok')),
    named,
  );
  const found = ratio(own, peer)!;
  t.true(Math.abs(found.min - 0.3) < 0.01 && Math.abs(found.max - 0.5) < 0.01);
  t.is(own.verdict, 'ok');
  t.is(own.fromDue.samples, 200);
  t.is(line([fakeRun('a', 0, 50, 'FAIL'), fakeRun('a', 1, 50, 'ok')], named).verdict, 'FAIL');
  t.is(line([fakeRun('a', 0, 50, 'invalid')], named).verdict, 'invalid');
  t.is(median([]), NaN);
});

for (const transport of ['zeromq', 'tickmesh-zeromq']) {
  test.serial(
    `${transport}: a stall of 200 ms in the reader shows in the 99th percentile`,
    async (t) => {
      const run = await measure(transport, { stall: { number: 900, ms: 200 } });
      t.deepEqual(run.account, { sent: 1_700, lost: 0, doubled: 0, reordered: 0 });
      t.true(percentileUs(summarize(run.joined.fromDue), 99)! >= 150_000);
      t.true(Math.max(...run.joined.timeline.map((moment) => moment.maxUs)) >= 150_000);
      t.true(run.usage.reader!.cpuMs > 100, 'the stall is processor time of the reader');
    },
  );
}

test.serial('one record dropped on the way makes the result FAIL', async (t) => {
  const run = await measure('fs-watch', { drop: 1_000 });
  t.is(run.verdict, 'FAIL');
  t.is(run.account.lost, 1);
  t.regex(run.why, /1 lost/);
});

test.serial('a sender that stood still is found late by the same run that it spoils', async (t) => {
  const run = await measure('fs-watch', { late: { number: 600, ms: 150 } });
  t.is(run.verdict, 'invalid');
  t.true(run.joined.lateness.maxUs > 140_000);
  t.true(percentileUs(summarize(run.joined.fromDue), 99)! > 100_000);
});
