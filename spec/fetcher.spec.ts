import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test from 'ava';
import fc from './support/property.ts';
import type { FetcherReport } from '../lib/fetcher/options.ts';
import { Fetcher } from '../lib/fetcher/fetcher.ts';
import { flush } from '../lib/fetcher/flush.ts';
import { ClockReader, ClockWriter } from '../lib/log/disk-clock.ts';
import { LogReader } from '../lib/log/disk-reader.ts';
import { LogWriter } from '../lib/log/disk-writer.ts';
import { fetcherCounts } from '../nodes/counts.ts';
import { tellIncidents } from '../nodes/incidents-timer.ts';
import {
  CLOSING,
  ENVELOPE,
  LINE_MAX,
  PAYLOAD_AT,
  lineEventTimeUs,
  lineMark,
  lineTimeUs,
} from '../lib/log/line.ts';
import { logName, type LogName } from '../lib/log/name.ts';
import { kinds, type HeaderFields } from '../lib/mesh/header.ts';
import { BEACON_MS, Beacon } from '../lib/notifier/beacon.ts';
import type { Announcer } from '../lib/notifier/notifier.ts';
import { TickmeshError } from '../lib/world/error.ts';
import { realClock, wallClock, type Clock } from '../lib/world/clock.ts';
import {
  START_US,
  errno,
  faultyFiles,
  logBytes,
  noLock,
  readAll,
  scratch,
  trades,
} from './support/logs.ts';
import { PushSource, eventually, record, runFetcher, someEndpoint } from './support/push-source.ts';

const run = promisify(execFile);
const logs = ['a', 'b', 'c'].map((name) => logName(`test/${name}/trade`));

type Line = { log: LogName; timeUs: number; mark: string | undefined; payload: string };

/** Every line of these logs, in order of time. */
function linesOf(data: string, of: readonly LogName[] = [trades]): Line[] {
  const found: Line[] = [];
  for (const log of of) {
    const bytes = readAll(data, log);
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf(10, at) + 1;
      const mark = lineMark(bytes, at, end);
      const payload = bytes.toString('utf8', at + PAYLOAD_AT, end - CLOSING);
      found.push({ log, timeUs: lineTimeUs(bytes, at), mark, payload });
      at = end;
    }
  }
  return found.sort((a, b) => a.timeUs - b.timeUs);
}

const announcedLines = (data: string, log: LogName = trades): number => {
  using reader = new LogReader(data, log);
  return reader.head()?.lines ?? 0;
};

/** A clock that a spec sets. */
const setClock = (): { wallUs: number; clock: Clock } => {
  const world = {
    wallUs: START_US,
    clock: { wallUs: () => world.wallUs, monoMs: () => realClock.monoMs() },
  };
  return world;
};

// --- stamps ---

test('wall time has microseconds, goes on evenly while the clock is slewed, and follows its steps', (t) => {
  let monoUs = 5_000_000;
  // A whole second's milliseconds lie behind those microseconds.
  let wallUs = START_US + 700;
  const now = wallClock(
    () => monoUs,
    () => Math.floor(wallUs / 1e3),
    wallUs,
  );
  const pass = (us: number, stepUs = 0): number => {
    monoUs += us;
    wallUs += us + stepUs;
    return now();
  };
  t.is(now(), START_US + 700);
  t.is(pass(1), START_US + 701);
  // Slewed by less than two milliseconds: nobody sees it.
  t.is(pass(20_000, -900), START_US + 20_701);
  t.is(pass(3_600_000_000, 60_000_000), Math.floor(wallUs / 1e3) * 1e3, 'forward');
  const before = now();
  t.is(pass(9_999, -30_000_000) - before, 9_999, 'not looked at yet');
  const after = pass(1);
  t.true(Math.abs(after - wallUs) <= 1_000, 'back');
  t.is(pass(7), after + 7);
});

test('receive times rise strictly over all logs, also when the wall clock stands or steps back', async (t) => {
  const data = scratch(t);
  const world = setClock();
  const { source, stop } = await runFetcher(t, data, {
    source: new PushSource(logs),
    clock: world.clock,
  });
  let pushed = 0;
  for (const stepUs of [0, 5, -1_000_000, 0, -3_600_000_000, 7_200_000_000, -1, 1]) {
    world.wallUs += stepUs;
    source.push(...logs.flatMap((log) => [0, 1].map(() => record(`{"n":${pushed++}}`, { log }))));
    await eventually(
      () => logs.reduce((n, log) => n + announcedLines(data, log), 0) === pushed,
      'all',
    );
  }
  await stop();
  const lines = linesOf(data, logs);
  t.is(new Set(lines.map((line) => line.timeUs)).size, pushed);
  // The order of arrival is the order of times.
  t.deepEqual(
    lines.map((line) => (JSON.parse(line.payload) as { n: number }).n),
    Array.from({ length: pushed }, (_, i) => i),
  );
});

test('recorded times are kept as they are, however long the source takes to begin', async (t) => {
  const data = scratch(t);
  let beats = 0;
  const { source, stop } = await runFetcher(t, data, {
    feed: someEndpoint(),
    through: (announcer) => ({
      endpoint: announcer.endpoint,
      announce(log, fields) {
        beats++;
        announcer.announce(log, fields);
      },
      wantsData: (log) => announcer.wantsData(log),
      sendData: (log, fields, lines) => announcer.sendData(log, fields, lines),
      [Symbol.asyncDispose]: () => announcer[Symbol.asyncDispose](),
    }),
  });
  // Heartbeats go on meanwhile: they must not move the clock to today.
  await eventually(() => beats >= 3, 'three heartbeats');
  const times = [START_US, START_US + 7, START_US + 7, START_US + 3, START_US + 100];
  source.push(...times.map((timeUs) => record('{}', { timeUs })));
  await eventually(() => announcedLines(data) === times.length, 'five lines');
  await stop();
  t.deepEqual(
    linesOf(data).map((line) => line.timeUs - START_US),
    [0, 7, 8, 9, 100],
  );
});

test('event times come from the record, else from the codec, else they are the receive time', async (t) => {
  const data = scratch(t);
  const { source, stop } = await runFetcher(t, data, {
    eventTimeUs: (exchange, channel, payload) =>
      exchange === 'test' && channel === 'trade' && payload.length > 2 ? START_US - 5 : undefined,
  });
  source.push(
    record('{}', { timeUs: START_US, eventTimeUs: START_US - 9 }),
    record('{ }', { timeUs: START_US + 1 }),
    record('{}', { timeUs: START_US + 2 }),
  );
  await eventually(() => announcedLines(data) === 3, 'three lines');
  await stop();
  const bytes = readAll(data);
  const times: number[] = [];
  for (let at = 0; at < bytes.length; at = bytes.indexOf(10, at) + 1)
    times.push(lineEventTimeUs(bytes, at) - START_US);
  t.deepEqual(times, [-9, -5, 2]);
});

test('a record that can be no line becomes a gap mark, is told and counted, and loses nothing else', async (t) => {
  const data = scratch(t);
  const reports: FetcherReport[] = [];
  const [log, other] = [logs[0]!, logs[1]!];
  const { fetcher, source, stop } = await runFetcher(t, data, {
    source: new PushSource(logs),
    report: (what) => reports.push(what),
  });
  const longest = LINE_MAX - ENVELOPE;
  source.push(
    record('{"n":0}', { log }),
    record('x'.repeat(longest + 1), { log }),
    record('{"n":1}', { log }),
    record('{"n":\n2}', { log }),
    record('{"n":2}', { log: other }),
    record('', { log }),
  );
  source.push(record(`"${'y'.repeat(longest - 2)}"`, { log }), record('{"n":3}', { log: other }));
  await eventually(() => announcedLines(data, log) === 6, 'six lines');
  await eventually(() => announcedLines(data, other) === 2, 'two lines');
  await stop();
  const note = (reason: string, bytes: number): string =>
    `null,"mark":"gap","note":{"reason":"a record was refused: ${reason}","bytes":${bytes}}`;
  t.deepEqual(
    linesOf(data, logs).map((line) =>
      line.payload.length < 200 ? line.payload : line.payload.length,
    ),
    [
      '{"n":0}',
      note('too long', longest + 1),
      '{"n":1}',
      note('holds a line feed', 8),
      '{"n":2}',
      note('empty', 0),
      longest,
      '{"n":3}',
    ],
  );
  t.deepEqual(reports, [
    { event: 'refused', log, reason: 'too long', bytes: longest + 1 },
    { event: 'refused', log, reason: 'holds a line feed', bytes: 8 },
    { event: 'refused', log, reason: 'empty', bytes: 0 },
  ]);
  t.is(fetcher.stats.refused, 3);
  // What the node says of it, at most once a second.
  const said: [object, string][] = [];
  const logger = { warn: (facts: object, text: string) => void said.push([facts, text]) };
  const node = logger as unknown as Parameters<typeof tellIncidents>[0];
  tellIncidents(node, () => fetcherCounts(fetcher))[Symbol.dispose]();
  t.is(said.length, 1);
  t.is(said[0]![1], 'turned away: 3 records that can be no line, a gap mark in their place');
});

// --- restarts ---

test('a restart is a line in every log that held something, and times go on rising behind the clock', async (t) => {
  const data = scratch(t);
  const world = setClock();
  const reports: FetcherReport[] = [];
  const options = { clock: world.clock, report: (what: FetcherReport) => reports.push(what) };
  {
    const { source, stop } = await runFetcher(t, data, {
      ...options,
      source: new PushSource(logs),
    });
    source.push(record('{"n":1}', { log: logs[0]! }), record('{"n":2}', { log: logs[1]! }));
    await eventually(() => announcedLines(data, logs[1]) === 1, 'two lines');
    // Idle, the clock goes on: readers are told that nothing came up to here.
    world.wallUs += 60_000_000;
    const clock = new ClockReader(data, 'fetcher');
    await eventually(() => clock.read() >= world.wallUs, 'the clock');
    clock.close();
    await stop();
  }
  const toldUs = world.wallUs;
  world.wallUs -= 30_000_000;
  const { stop } = await runFetcher(t, data, { ...options, source: new PushSource(logs) });
  await eventually(() => announcedLines(data, logs[1]) === 2, 'the marks');
  await stop();
  const lines = linesOf(data, logs);
  t.deepEqual(
    lines.map(({ log, mark }) => [log, mark]),
    [
      [logs[0], undefined],
      [logs[1], undefined],
      [logs[0], 'restart'],
      [logs[1], 'restart'],
    ],
  );
  t.true(lines[2]!.timeUs > toldUs, 'nothing is stamped behind what readers were told');
  t.is(announcedLines(data, logs[2]), 0);
  t.deepEqual(
    reports.map((report) => [report.event, report.event === 'recovered' && report.epoch]),
    [
      ['recovered', 2],
      ['recovered', 2],
    ],
  );
});

test('a fetcher that never got a record starts again as if nothing had been', async (t) => {
  const data = scratch(t);
  for (let i = 0; i < 3; i++) await (await runFetcher(t, data)).stop();
  const { source, stop } = await runFetcher(t, data);
  source.push(record('{"n":1}', { timeUs: START_US }));
  await eventually(() => announcedLines(data) === 1, 'a line');
  await stop();
  t.is(linesOf(data)[0]!.timeUs, START_US);
});

test('a source finds what its log already holds, newest first and without the marks', async (t) => {
  const data = scratch(t);
  {
    const { source, stop } = await runFetcher(t, data);
    source.push(...[1, 2, 3].map((n) => record(`{"n":${n}}`)));
    source.push(record('', { mark: 'disconnect' }), record('{"n":4}'));
    await eventually(() => announcedLines(data) === 5, 'five lines');
    await stop();
  }
  const { source, stop } = await runFetcher(t, data, {
    source: new PushSource([trades, logs[0]!]),
  });
  await eventually(() => source.context !== undefined, 'the source');
  const tail = source.context!.tail(trades)!;
  t.is(tail.lines, 6);
  t.is(tail.marks, 2);
  t.deepEqual(
    [...tail.backward()].map(String),
    [4, 3, 2, 1].map((n) => `{"n":${n}}`),
  );
  const [newest] = tail.backward();
  t.is(String(newest), '{"n":4}', 'reading may stop at any time');
  t.is(source.context!.tail(logs[0]!), undefined, 'a new log holds nothing');
  await stop();
});

// --- what may go wrong ---

test('a record of a log that was not named is a mistake of the source', async (t) => {
  const data = scratch(t);
  const source = new PushSource();
  await using fetcher = await Fetcher.open({
    node: 'fetcher',
    data,
    source,
    clock: realClock,
    eventTimeUs: () => undefined,
  });
  source.push(record('{}', { log: logs[0]! }));
  await t.throwsAsync(fetcher.run(new AbortController().signal), { instanceOf: TypeError });
});

test('a fetcher that cannot open one of its logs lets go of all of them', async (t) => {
  const data = scratch(t);
  const first = await runFetcher(t, data, { source: new PushSource([logs[1]!]) });
  const error = await t.throwsAsync(
    runFetcher(t, data, { source: new PushSource(logs), feed: someEndpoint(), node: 'other' }),
    { instanceOf: TickmeshError },
  );
  t.is(error?.code, 'LOG_LOCKED');
  t.true(error!.message.includes('"fetcher"'));
  const other = await runFetcher(t, data, { source: new PushSource([logs[0]!]), node: 'other' });
  await other.stop();
  await first.stop();
});

test('a clock that cannot be written is said clearly at the start', async (t) => {
  const data = scratch(t);
  writeFileSync(join(data, '.clocks'), '');
  const error = await t.throwsAsync(runFetcher(t, data), { instanceOf: TickmeshError });
  t.is(error?.code, 'LOG_UNWRITABLE');
  unlinkSync(join(data, '.clocks'));
  await (await runFetcher(t, data)).stop();
  const victim = join(data, 'victim');
  writeFileSync(victim, 'precious');
  unlinkSync(join(data, '.clocks', 'fetcher'));
  symlinkSync(victim, join(data, '.clocks', 'fetcher'));
  await t.throwsAsync(runFetcher(t, data), { instanceOf: TickmeshError, code: 'LOG_UNWRITABLE' });
  t.is(readFileSync(victim, 'utf8'), 'precious');
});

test('a full disk stalls the fetcher and says so; it goes on by itself, and nothing is missing', async (t) => {
  if (process.getuid?.() !== 0) return t.log('skipped: mounting a small disk needs root');
  const disk = scratch(t);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=400k', 'tmpfs', disk]);
  } catch (error) {
    return t.log(`skipped: cannot mount a tmpfs here: ${(error as Error).message.trim()}`);
  }
  t.teardown(() => run('umount', ['-l', disk]).then(() => undefined));
  const data = join(disk, 'data');
  const reports: FetcherReport[] = [];
  const { source, fetcher, stop } = await runFetcher(t, data, {
    report: (what) => reports.push(what),
  });
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(150 << 10));
  let pushed = 0;
  for (let i = 0; i < 45; i++)
    source.push(
      ...Array.from({ length: 50 }, () => record(`{"n":${pushed++},"x":"${'x'.repeat(90)}"}`)),
    );
  await eventually(() => reports.some(({ event }) => event === 'stalled'), 'a stall');
  const announced = announcedLines(data);
  t.true(announced < pushed);
  t.is(logBytes(data).at(-1), 10);
  const stalled = reports.find((report) => report.event === 'stalled')!;
  t.is(stalled.event === 'stalled' && stalled.error.facts['errno'], 'ENOSPC');
  unlinkSync(ballast);
  await eventually(() => announcedLines(data) === pushed, 'the rest');
  t.true(reports.some((report) => report.event === 'resumed' && report.stalledMs > 0));
  t.is(fetcher.stats.stalls, 1);
  await stop();
  t.deepEqual(
    linesOf(data).map((line) => (JSON.parse(line.payload) as { n: number }).n),
    Array.from({ length: pushed }, (_, i) => i),
  );
});

type Call = { log: string; fields: HeaderFields };

const hearing = (): { announcer: Announcer; calls: Call[]; data: string[] } => {
  const calls: Call[] = [];
  const data: string[] = [];
  return {
    calls,
    data,
    announcer: {
      endpoint: 'test',
      announce: (log, fields) => void calls.push({ log, fields }),
      wantsData: () => true,
      sendData: (log, _fields, lines) => void data.push(`${log} ${lines.length}`),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    },
  };
};

test('whatever fails in a turn, nothing is announced before it is written, and all of it in the end', async (t) => {
  const failures = fc.array(
    fc.record({
      call: fc.constantFrom('write', 'open', 'truncate'),
      file: fc.constantFrom('head', '.jsonl', '.clocks', 'a/trade', 'b/trade'),
      times: fc.integer({ min: 1, max: 3 }),
      records: fc.array(fc.constantFrom(...logs), { maxLength: 6 }),
    }),
    { maxLength: 8 },
  );
  await fc.assert(
    fc.asyncProperty(failures, async (turns) => {
      const data = scratch(t);
      const files = faultyFiles();
      const quiet = { ...files, sync: () => undefined, syncFolder: () => undefined };
      const writers = await Promise.all(
        logs.map((log) =>
          LogWriter.open({
            data,
            log,
            node: 'node',
            clock: realClock,
            files: quiet,
            lock: noLock,
            roll: { bytes: 300, ageMs: 1e9 },
          }),
        ),
      );
      const clock = new ClockWriter(data, 'node', quiet);
      const { announcer, calls } = hearing();
      let stampUs = START_US;
      const to = { clock, announcer, clockUs: () => stampUs, monoUs: () => 1 };
      let staged = 0;
      for (const turn of turns) {
        for (const log of turn.records) {
          const writer = writers.find((one) => one.log === log)!;
          writer.stage(++stampUs, stampUs, Buffer.from(`{"n":${staged++}}`));
        }
        let left = turn.times;
        files.before = (call, path, length) => {
          if (call !== turn.call || !path.includes(turn.file) || left === 0) return;
          left--;
          if (call === 'write' && length > 1 && left % 2 === 1) return length >> 1;
          throw errno('ENOSPC');
        };
        try {
          flush(writers, to);
        } catch (error) {
          t.true(error instanceof TickmeshError && error.code === 'LOG_STALLED', String(error));
        }
        files.before = () => undefined;
        // What was said is there, and what the clock covers is announced.
        for (const { log, fields } of calls.splice(0)) {
          using reader = new LogReader(data, log as LogName);
          t.true(reader.head()!.position >= fields.position!);
          t.true((fields.aux ?? 0) <= clock.timeUs);
        }
        const covered = new ClockReader(data, 'node').read();
        for (const writer of writers) {
          const bytes = readAll(data, writer.log);
          const last = bytes.lastIndexOf(10, bytes.length - 2) + 1;
          const lastUs = bytes.length > 0 ? lineTimeUs(bytes, last) : 0;
          const stagedFrom = writer.stagedBytes > 0 || writer.announced < writer.position;
          if (stagedFrom) t.true(covered < stampUs, 'the clock covers what is not announced');
          t.true(lastUs <= stampUs);
        }
      }
      flush(writers, to);
      t.is(linesOf(data, logs).length, staged);
      t.is(new ClockReader(data, 'node').read(), stampUs);
      for (const writer of writers) await writer.close();
    }),
    { numRuns: 60 },
  );
});

test('a turn writes all bytes, then the heads, then the clock, and only then speaks', async (t) => {
  const data = scratch(t);
  const files = faultyFiles();
  const order: string[] = [];
  files.before = (call, path) => {
    if (call === 'write') order.push(path.includes('.clocks') ? 'clock' : path.split('/').at(-1)!);
  };
  const writers = await Promise.all(
    logs.map((log) =>
      LogWriter.open({ data, log, node: 'node', clock: realClock, files, lock: noLock }),
    ),
  );
  const clock = new ClockWriter(data, 'node', files);
  const { announcer, calls, data: inline } = hearing();
  for (const [i, writer] of writers.entries())
    writer.stage(START_US + i, START_US, Buffer.from('{}'));
  order.length = 0;
  const spoken = {
    ...announcer,
    announce: (log: string, fields: HeaderFields) => {
      order.push('notice');
      announcer.announce(log, fields);
    },
  };
  flush(writers, { clock, announcer: spoken, clockUs: () => START_US + 2, monoUs: () => 7 });
  const kindsOf = order.map((name) => (name.endsWith('.jsonl') ? 'bytes' : name));
  t.deepEqual(kindsOf, [
    ...Array<string>(3).fill('bytes'),
    ...Array<string>(3).fill('head'),
    'clock',
    ...Array<string>(3).fill('notice'),
  ]);
  t.is(inline.length, 3);
  for (const { fields } of calls) {
    t.is(fields.kind, kinds.NOTICE);
    t.is(fields.count, 1);
    t.is(fields.length, fields.position);
    t.is(fields.tag, 7);
  }
  for (const writer of writers) await writer.close();
});

// --- heartbeats ---

test('heartbeats come soon after an append, then ever more rarely, and once a second whatever happens', (t) => {
  const beacon = new Beacon(10_000);
  const sent: number[] = [];
  const runTo = (untilMs: number): void => {
    while (beacon.dueMs <= untilMs) {
      sent.push(beacon.dueMs);
      beacon.sent(beacon.dueMs);
    }
  };
  beacon.appended(10_000);
  runTo(13_500);
  t.deepEqual(
    sent.splice(0),
    [20, 50, 100, 200, 400, 1_400, 2_400, 3_400].map((ms) => 10_000 + ms),
  );
  // Under load the first heartbeat never comes due, the steady one does.
  for (let ms = 13_500; ms < 17_000; ms += 5) {
    beacon.appended(ms);
    runTo(ms + 4);
  }
  t.is(sent.length, 3);
  for (let i = 1; i < sent.length; i++) t.is(sent[i]! - sent[i - 1]!, BEACON_MS);
});
