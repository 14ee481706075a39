/** The bench: what it measures is what happened, and what it cannot know it does not say. */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test from 'ava';
import { HistogramLogReader } from 'hdr-histogram-js';
import { Arrivals, sound } from '../lib/bench/arrivals.ts';
import { bars } from '../lib/bench/bars.ts';
import { baselineOf, changes } from '../lib/bench/baseline.ts';
import { writeHistograms } from '../lib/bench/files-disk.ts';
import { html } from '../lib/bench/html/page.ts';
import { apart } from '../lib/bench/html/scale.ts';
import { markdown } from '../lib/bench/markdown.ts';
import { table1 } from '../lib/bench/table1.ts';
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
import { join, judge, type Run } from '../lib/bench/notify/run.ts';
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
import { BRISK_RECORDS, schedule, warmedUp } from '../lib/bench/schedule.ts';
import { transportNamed } from '../lib/bench/transport/registry.ts';
import { runScript } from './support/processes.ts';
import type { Faults } from '../lib/bench/notify/message.ts';
import { columns, inventedReport, inventedRun } from './support/bench-report.ts';

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

test('a slow schedule begins briskly, so that compiled code is measured, and then keeps its own gaps', (t) => {
  const { dueNs, warm } = warmedUp(schedule({ kind: 'constant' }, 1_000, 3), 1_000);
  t.is(warm, BRISK_RECORDS);
  t.is(dueNs.length, BRISK_RECORDS + 3);
  t.is(dueNs[1]! - dueNs[0]!, 200_000);
  t.deepEqual(Array.from(dueNs.slice(warm)), [1_200_000_000, 1_201_000_000, 1_202_000_000]);
  const quick = schedule({ kind: 'constant' }, 10_000, 3);
  t.deepEqual(warmedUp(quick, 10_000), { dueNs: quick, warm: 0 });
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

test('a ratio is taken round by round and leaves out rounds that do not count', (t) => {
  const named = { title: 'x', side: 'peer', reads: true } as const;
  const own = line(
    [50, 80, 60].map((us, round) =>
      inventedRun('a', 1_000, round, us, round === 1 ? 'invalid' : 'ok'),
    ),
    named,
  );
  const peer = line(
    [100, 100, 200].map((us, round) => inventedRun('b', 1_000, round, us)),
    named,
  );
  const found = ratio(own, peer)!;
  t.true(Math.abs(found.min - 0.3) < 0.02 && Math.abs(found.max - 0.5) < 0.02);
  t.is(own.verdict, 'ok');
  t.is(own.fromDue.samples, 2_400);
  t.is(
    line([inventedRun('a', 1_000, 0, 50, 'FAIL'), inventedRun('a', 1_000, 1, 50)], named).verdict,
    'FAIL',
  );
  t.is(line([inventedRun('a', 1_000, 0, 50, 'invalid')], named).verdict, 'invalid');
  t.is(median([]), NaN);
});

for (const transport of ['zeromq', 'tickmesh-zeromq']) {
  test.serial(
    `${transport}: a stall of 200 ms in the reader shows in the 99th percentile`,
    async (t) => {
      const run = await measure(transport, { stall: { number: BRISK_RECORDS + 900, ms: 200 } });
      t.deepEqual(run.account, { sent: BRISK_RECORDS + 1_700, lost: 0, doubled: 0, reordered: 0 });
      t.true(percentileUs(summarize(run.joined.fromDue), 99)! >= 150_000);
      t.true(Math.max(...run.joined.timeline.map((moment) => moment.maxUs)) >= 150_000);
      t.true(run.usage.reader!.cpuMs > 100, 'the stall is processor time of the reader');
    },
  );
}

test.serial('one record dropped on the way makes the result FAIL', async (t) => {
  const run = await measure('fs-watch', { drop: BRISK_RECORDS + 1_000 });
  t.is(run.verdict, 'FAIL');
  t.is(run.account.lost, 1);
  t.regex(run.why, /1 lost/);
});

test.serial('a sender that stood still is found late by the same run that it spoils', async (t) => {
  const run = await measure('fs-watch', { late: { number: BRISK_RECORDS + 600, ms: 150 } });
  t.is(run.verdict, 'invalid');
  t.true(run.joined.lateness.maxUs > 140_000);
  t.true(percentileUs(summarize(run.joined.fromDue), 99)! > 100_000);
});

test('a publisher is judged by its late first messages and by its largest memory, and says where it was not measured', (t) => {
  const report = inventedReport();
  const verdicts = (of: Parameters<typeof bars>[0]): unknown[] =>
    bars(of)
      .filter(({ what }) => /first message|resident|growth/.test(what))
      .map(({ met, reached }) => [met, reached]);
  t.deepEqual(verdicts(report), [
    [true, '2.9 ms'],
    [false, '40.0 ms'],
    [true, '88.0 MB'],
    [true, '1.0 MB'],
  ]);
  const { serving, ...old } = report;
  t.deepEqual(verdicts(old), Array(4).fill([undefined, 'not measured']));
  const grown = { ...serving!.resident!, late: 95 * 2 ** 20, peak: 95 * 2 ** 20 };
  t.deepEqual(verdicts({ ...old, serving: { ...serving!, resident: grown } }).slice(2), [
    [false, '95.0 MB'],
    [false, '9.0 MB'],
  ]);
  const short = { ...serving!.resident!, records: 200_000 };
  t.deepEqual(
    verdicts({ ...old, serving: { ...serving!, resident: short } }).slice(2),
    Array(2).fill([undefined, 'not measured']),
    'a short replay says nothing about a long one',
  );
  t.true(markdown(report).includes('| by SUBSCRIBE'));
  t.true(markdown(report).includes('0.1 MB a million'));
});

test('bars hang on medians of ratios taken within rounds, and say what was not measured', (t) => {
  const report = inventedReport();
  const found = new Map(bars(report).map((bar) => [bar.what, bar]));
  t.true(found.get('same-host default, p50 at 1,000/s : bare zeromq.js notification')!.met);
  t.false(
    found.get('ZeroMQ only, p50 at 1,000/s : bare zeromq.js notification')!.met === undefined,
  );
  const slow = {
    ...report,
    notify: report.notify.map((line) =>
      line.transport === 'tickmesh' ? { ...line, p50Us: line.p50Us.map((us) => us! * 3) } : line,
    ),
  };
  t.deepEqual(
    bars(slow)
      .filter(({ what, met }) => what.startsWith('same-host') && met)
      .map(({ what }) => what),
    [],
  );
  t.true(
    bars({ ...report, notify: [] })
      .slice(0, 9)
      .every(({ met, reached }) => met === undefined && reached === 'not measured'),
  );
});

test("the founding document's claims are judged by what was measured", (t) => {
  const [latency] = table1(inventedReport());
  t.deepEqual(
    latency!.cells.map(({ verdict }) => verdict),
    ['confirmed', 'refuted', 'partly'],
  );
  t.regex(latency!.cells[1].found, /Redis 0\.2\d ms/);
});

test('figures are held against kept ones of the same machine only', (t) => {
  const report = inventedReport();
  const before = baselineOf(report);
  t.true(changes(before, before)!.every(({ worse }) => !worse));
  const [figure, value] = Object.entries(before.figures).find(([name]) =>
    name.startsWith('tickmesh 1000/s'),
  )!;
  const slower = { ...before, figures: { ...before.figures, [figure]: value * 1.3 } };
  t.deepEqual(
    changes(before, slower)!
      .filter(({ worse }) => worse)
      .map((each) => each.figure),
    [figure],
  );
  const fewer = {
    ...before,
    figures: { ...before.figures, 'replay records/s': before.figures['replay records/s']! * 0.8 },
  };
  t.deepEqual(
    changes(before, fewer)!
      .filter(({ worse }) => worse)
      .map((each) => each.figure),
    ['replay records/s'],
  );
  t.is(changes({ ...before, machine: 'another' }, before), undefined);
});

test('histograms are left in formats that other tools of HDR read', (t) => {
  const folder = mkdtempSync(resolve(tmpdir(), 'bench-spec-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const report = inventedReport();
  const left = writeHistograms(resolve(folder, 'report.json'), report);
  t.is(readdirSync(left).filter((name) => name.endsWith('.hgrm')).length, report.notify.length);
  t.regex(
    readFileSync(resolve(left, 'zeromq-1000-158.hgrm'), 'utf8'),
    /Value +Percentile +TotalCount/,
  );
  const reader = new HistogramLogReader(readFileSync(resolve(left, 'runs.hlog'), 'utf8'));
  let runs = 0;
  for (let each = reader.nextIntervalHistogram(); each; each = reader.nextIntervalHistogram()) {
    t.is(each.totalCount, 1_200);
    runs++;
  }
  t.is(runs, report.notify.length * 3);
});

test('the Markdown names method, machine, every bar and what was left out', (t) => {
  const text = markdown(inventedReport());
  for (const part of ['## Method', 'Imaginary', '## Bars', 'Table 1', 'rabbitmq: not installed'])
    t.true(text.includes(part), part);
  t.false(
    /NaN|undefined|Infinity/.test(text),
    /.*(?:NaN|undefined|Infinity).*/.exec(text)?.[0] ?? '',
  );
});

test('the page needs nothing from anywhere, escapes what it shows, and shows no holes', (t) => {
  const page = html(inventedReport());
  t.false(/(?:src|href)=|url\(|@import|<script/.test(page));
  t.true(page.includes('Imaginary &lt;9000&gt; &amp; sons'));
  for (const shown of [
    'first message after SUBSCRIBE, p99',
    'resident memory of a publisher replaying 10,000,000 records',
    '<h3>first message after a client asked, log at 1,000 records/s</h3>',
    '<h3>resident memory of a publisher over a replay</h3>',
    '<td>88.0 MB</td>',
  ])
    t.true(page.includes(shown), shown);
  t.false(
    /NaN|undefined|Infinity/.test(page),
    /.{40}(?:NaN|undefined|Infinity).{40}/s.exec(page)?.[0] ?? '',
  );
});

test('labels beside a chart keep their order and their distance', (t) => {
  const moved = apart([50, 52, 51, 10], 10, 0, 60);
  const sorted = moved.toSorted((a, b) => a - b);
  for (const [at, place] of sorted.slice(1).entries()) t.true(place - sorted[at]! >= 10);
  t.true(moved[0]! < moved[2]! && moved[2]! < moved[1]!);
});

const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => existsSync(path),
);

/** What a browser makes of the page: measured by a script that only this copy carries. */
const probe = `<script>
const svgs = [...document.querySelectorAll('svg')];
const cut = svgs.flatMap((svg) => [...svg.querySelectorAll('text')].filter((text) => {
  const box = text.getBBox(); const view = svg.viewBox.baseVal;
  return box.x < -0.5 || box.y < -0.5 || box.x + box.width > view.width + 0.5 || box.y + box.height > view.height + 0.5;
}).map((text) => text.textContent));
const names = svgs.flatMap((svg) => { const boxes = [...svg.querySelectorAll('.curve .name')].map((text) => text.getBBox());
  return boxes.filter((a, i) => boxes.some((b, j) => j > i && a.y < b.y + b.height - 3 && b.y < a.y + a.height - 3)); });
const probe = { charts: svgs.length, curves: document.querySelectorAll('.curve polyline').length, cut, overlapping: names.length,
  wide: document.documentElement.scrollWidth - document.documentElement.clientWidth, rows: document.querySelectorAll('tr').length };
const out = document.createElement('pre'); out.id = 'probe'; out.textContent = JSON.stringify(probe); document.body.append(out);
</script>`;

test.serial(
  'in a browser the page shows every chart, no label cut off or over another',
  async (t) => {
    if (browser === undefined) {
      const why = 'no Chromium installed (Debian: chromium)';
      if (process.env['NO_SKIPPED_TESTS'] ?? process.env['TICKMESH_LONG']) t.fail(why);
      else t.pass();
      t.log(`skipped: ${why}`);
      return;
    }
    const folder = mkdtempSync(resolve(tmpdir(), 'bench-page-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    const path = resolve(folder, 'report.html');
    writeFileSync(path, html(inventedReport()).replace('</body>', `${probe}</body>`));
    const { stdout } = await promisify(execFile)(
      browser,
      [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--window-size=1280,900',
        `--user-data-dir=${folder}/profile`,
        '--dump-dom',
        `file://${path}`,
      ],
      { maxBuffer: 64 << 20, timeout: 120_000 },
    );
    const text = /<pre id="probe">([^<]*)<\/pre>/.exec(stdout)?.[1];
    t.truthy(text, 'the page came to its end');
    const seen = JSON.parse(text!) as {
      charts: number;
      curves: number;
      cut: string[];
      overlapping: number;
      wide: number;
      rows: number;
    };
    t.deepEqual(seen.cut, []);
    t.is(seen.overlapping, 0);
    t.is(seen.wide, 0, 'nothing is wider than the window');
    t.is(seen.charts, 8);
    t.true(seen.curves > 40);
    t.true(seen.rows > 80);
  },
);

test.serial(
  'the command measures, prints a table and keeps the figures; what it does not know it names',
  async (t) => {
    const folder = mkdtempSync(resolve(tmpdir(), 'bench-command-'));
    t.teardown(() => rmSync(folder, { recursive: true, force: true }));
    const command = fileURLToPath(new URL('../nodes/tickmesh.js', import.meta.url));
    const json = resolve(folder, 'report.json');
    const args = ['bench', 'throughput', '--runs', '1', '--records', '3000', '--json', json];
    const run = await runScript(command, args).ended;
    t.is(run.code, 0, run.err + run.out);
    t.regex(run.out, /tickmesh: Fetcher -> log -> openFeed/);
    const report = JSON.parse(readFileSync(json, 'utf8')) as { throughput: { runs: unknown[] }[] };
    t.deepEqual(
      report.throughput.map(({ runs }) => runs.filter(Boolean).length),
      [1, 1, 1],
    );
    const wrong = await runScript(command, ['bench', 'notify', '--transports', 'pigeon']).ended;
    t.is(wrong.code, 2);
    t.regex(wrong.err, /no such transport: pigeon[^]*zeromq[^]*tickmesh-spin/);
  },
);
