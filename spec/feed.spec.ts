import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, readlinkSync, truncateSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import fc from './support/property.ts';
import { openFeed } from '../lib/feed/feed.ts';
import { Waiter } from '../lib/feed/waiter-timer.ts';
import type { FeedOptions } from '../lib/feed/options.ts';
import type { Cursor, FeedEvent, FeedRecord } from '../lib/feed/record.ts';
import { ClockWriter } from '../lib/log/disk-clock.ts';
import type { LogWriter } from '../lib/log/disk-writer.ts';
import { watching } from '../lib/notifier/watching/watching.ts';
import type { Notifier } from '../lib/notifier/notifier.ts';
import { TickmeshError } from '../lib/world/error.ts';
import { logName, type LogName } from '../lib/log/name.ts';
import {
  START_US,
  append,
  folderOf,
  logBytes,
  long,
  openLog,
  payloadOf,
  scratch,
  segmentFiles,
  sha256,
  trades,
} from './support/logs.ts';
import {
  PushSource,
  eventually,
  readFeed,
  readToEnd,
  record,
  runFetcher,
  someEndpoint,
} from './support/push-source.ts';
import { forkWriter, runScript } from './support/writer-process.ts';

const logs = ['a', 'b', 'c'].map((name) => logName(`test/${name}/trade`));
const numberOf = (one: FeedRecord): number => (one.json() as { i: number }).i;
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const lineHash = (records: readonly FeedRecord[]): string => {
  const hash = createHash('sha256');
  for (const one of records) hash.update(one.log).update(one.line);
  return hash.digest('hex');
};

/** A log of `count` records in small segments. */
async function filled(data: string, count: number): Promise<void> {
  await using writer = await openLog(data, { roll: { bytes: 4_000, ageMs: 1e9 } });
  for (let i = 0; i < count; i += 10) append(writer, i, Math.min(count, i + 10));
}

// --- one log ---

test('a feed begins where it is told to', async (t) => {
  const data = scratch(t);
  await filled(data, 300);
  const from = async (where: FeedOptions['from']): Promise<number[]> =>
    (await readToEnd({ data, logs: [trades], from: where! })).map(numberOf);
  t.deepEqual(await from('start'), upTo(300));
  t.deepEqual(await from('end'), []);
  t.deepEqual(await from({ timeUs: START_US + 10 * 123 - 5 }), upTo(300).slice(123));
  t.deepEqual(await from({ timeUs: 0 }), upTo(300));
  t.deepEqual(await from({ timeUs: START_US * 2 }), []);
  t.deepEqual(await from({ last: 17 }), upTo(300).slice(-17));
  t.deepEqual(await from({ last: 0 }), []);
  t.deepEqual(await from({ last: 1e9 }), upTo(300));
  t.deepEqual(await from({ beforeEndUs: 10 * 40 }), upTo(300).slice(-41));
});

test('a feed that is left anywhere and taken up by its cursors misses and repeats nothing', async (t) => {
  const data = scratch(t);
  const writers = await Promise.all(
    logs.map((log) => openLog(data, { log, roll: { bytes: 3_000, ageMs: 1e9 } })),
  );
  const clock = new ClockWriter(data, 'spec');
  for (let i = 0; i < 600; i++) {
    const writer = writers[(i * 7 + (i >> 3)) % 3]!;
    writer.stage(START_US + i, START_US, Buffer.from(payloadOf(i)));
    writer.write();
    writer.announce();
  }
  clock.write(START_US + 600);
  const whole = await readToEnd({ data, logs });
  t.deepEqual(whole.map(numberOf), upTo(600));
  // Leave after every batch, of any size.
  const rules = { maxBytes: 500 };
  const pieces: FeedRecord[] = [];
  let cursors: readonly Cursor[] | undefined;
  for (let rounds = 0; rounds < 300; rounds++) {
    const feed = openFeed({
      data,
      logs,
      rules,
      from: cursors ? { cursors } : 'start',
      notices: 'none',
      until: 'end',
    });
    let got = 0;
    for await (const batch of feed) {
      pieces.push(...batch.records);
      got += batch.records.length;
      cursors = JSON.parse(JSON.stringify(batch.cursors())) as Cursor[];
      if (batch.records.length > 0) break;
    }
    if (got === 0) break;
  }
  t.is(lineHash(pieces), lineHash(whole));
  for (const writer of writers) await writer.close();
});

test("a batch's cursors stay those of the batch, however late they are asked for", async (t) => {
  const data = scratch(t);
  await filled(data, 100);
  const batches = [];
  for await (const batch of openFeed({
    data,
    logs: [trades],
    from: 'start',
    until: 'end',
    notices: 'none',
    rules: { maxBytes: 700 },
  }))
    if (batch.records.length > 0) batches.push(batch);
  t.true(batches.length > 5);
  for (const batch of batches) {
    const last = batch.records.at(-1)!;
    t.is(batch.cursors()[0]!.position, last.position + last.line.length);
    t.is(batch.cursors()[0]!.lines, numberOf(last) + 1);
  }
});

test('a record is parsed when it is asked to, and is never overwritten', async (t) => {
  const data = scratch(t);
  await filled(data, 50);
  const records = await readToEnd({ data, logs: [trades] });
  records.forEach((one, i) => {
    t.is(one.payload.toString(), payloadOf(i));
    t.is(one.timeUs, START_US + 10 * i);
    t.is(one.eventTimeUs, START_US + 10 * i);
    t.is(one.mark, undefined);
    t.is(one.log, trades);
  });
  t.is(sha256(Buffer.concat(records.map((one) => one.line))), sha256(logBytes(data)));
});

test('what is no log, or no list of logs, is refused', (t) => {
  const data = scratch(t);
  t.throws(() => openFeed({ data, logs: [] }), { instanceOf: TypeError });
  for (const name of ['../../etc', 'a/b', '', 'a/b/c/d', '/etc/passwd/x'])
    t.throws(() => openFeed({ data, logs: [name] }), { code: 'NAME_INVALID' }, name);
});

// --- merging ---

test('several logs come as one by time, the same bytes whatever order they are given in', async (t) => {
  const data = scratch(t);
  // Two fetchers, whose times may tie.
  const plan = fc.array(fc.tuple(fc.integer({ min: 0, max: 2 }), fc.integer({ min: 1, max: 3 })), {
    minLength: 200,
    maxLength: 400,
  });
  const writers: LogWriter[] = [];
  for (const log of logs)
    writers.push(
      await openLog(data, { log, node: log.slice(5, 6), roll: { bytes: 2_000, ageMs: 1e9 } }),
    );
  const times = [0, 0, 0].map(() => START_US);
  let total = 0;
  for (const [which, step] of fc.sample(plan, { numRuns: 1, seed: 42 })[0]!) {
    times[which]! += step;
    writers[which]!.stage(times[which]!, START_US, Buffer.from(payloadOf(total++)));
    if (total % 9 === 0) writers.forEach((writer) => (writer.write(), writer.announce()));
  }
  for (const writer of writers) {
    writer.write();
    writer.announce();
    await writer.close();
  }
  const hashes = new Set<string>();
  for (const order of [
    [0, 1, 2],
    [2, 1, 0],
    [1, 2, 0],
    [0, 0, 1, 2, 1],
  ]) {
    for (const maxBytes of [200, 5_000, 1 << 20]) {
      const records = await readToEnd({
        data,
        logs: order.map((i) => logs[i]!),
        rules: { maxBytes },
      });
      t.is(records.length, total);
      hashes.add(lineHash(records));
      for (let i = 1; i < records.length; i++) {
        const [one, two] = [records[i - 1]!, records[i]!];
        t.true(one.timeUs < two.timeUs || (one.timeUs === two.timeUs && one.log < two.log));
      }
    }
  }
  t.is(hashes.size, 1);
});

for (const idle of ['park', 'spin', { spinUs: 300 }] as const) {
  test(`live, three logs of one fetcher come in the order of their times, whatever the load: ${JSON.stringify(idle)}`, async (t) => {
    const data = scratch(t);
    const { source } = await runFetcher(t, data, {
      source: new PushSource(logs),
      feed: someEndpoint(),
    });
    const reading = readFeed(t, { data, logs, from: 'start', idle });
    const total = long ? 200_000 : 30_000;
    for (let i = 0; i < total;) {
      const batch = [];
      for (let n = 1 + ((i * 31) % 97); n > 0 && i < total; n--, i++)
        batch.push(record(`{"i":${i}}`, { log: logs[(i * 13 + (i >> 5)) % 3]! }));
      source.push(...batch);
      if (i % 3 === 0) await after(0);
    }
    await reading.until(({ records }) => records.length >= total);
    t.is(reading.feed.stats.late, 0);
    t.deepEqual(reading.records.map(numberOf), upTo(total));
  });
}

test('a reader that spins listens to nobody, follows two writers in order, and a silence degrades it not', async (t) => {
  const data = scratch(t);
  const other = logName('binance/ETH-USDT/trade');
  const feed = someEndpoint();
  const one = await runFetcher(t, data, { node: 'one', feed });
  const source = new PushSource([other]);
  const two = await runFetcher(t, data, { node: 'two', source, feed: someEndpoint() });
  const rules = { silenceMs: 30 };
  const reading = readFeed(t, { data, logs: [trades, other], from: 'start', idle: 'spin', rules });
  for (let i = 0; i < 60; i += 2) {
    one.source.push(record(`{"i":${i}}`));
    await reading.until(({ records }) => records.length > i);
    two.source.push(record(`{"i":${i + 1}}`, { log: other }));
    await reading.until(({ records }) => records.length > i + 1);
  }
  await after(100);
  await reading.stop();
  t.deepEqual(reading.records.map(numberOf), upTo(60));
  t.deepEqual(reading.feed.stats.notifiers, {});
  t.is(reading.feed.stats.late, 0);
  t.false(reading.events.some(({ state }) => state === 'degraded'));
});

test('a restart of the fetcher puts nothing behind what was already handed out', async (t) => {
  const data = scratch(t);
  const feed = someEndpoint();
  const first = await runFetcher(t, data, { source: new PushSource(logs), feed });
  const reading = readFeed(t, { data, logs, from: 'start' });
  first.source.push(...logs.map((log, i) => record(`{"i":${i}}`, { log })));
  await reading.until(({ records }) => records.length === 3);
  // One log goes on for a while: the clock is far ahead of what the others hold.
  first.source.push(record('{"i":3}', { log: logs[0]! }));
  await reading.until(({ records }) => records.length === 4);
  await after(60);
  await first.stop();
  const second = await runFetcher(t, data, { source: new PushSource(logs), feed });
  second.source.push(record('{"i":4}', { log: logs[2]! }));
  await reading.until(({ records }) => records.length === 4 + 3 + 1);
  t.is(reading.feed.stats.late, 0);
  const times = reading.records.map((one) => one.timeUs);
  t.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
});

test.serial(
  'waiting for another log neither spins nor keeps the event loop to itself',
  async (t) => {
    const data = scratch(t);
    // One writer has much to say, the other has announced more than can be read: it is waited for.
    const [one, two] = [
      await openLog(data, { log: logs[0]!, node: 'one' }),
      await openLog(data, { log: logs[1]!, node: 'two' }),
    ];
    for (let i = 0; i < 400; i += 20) append(one, i, i + 20);
    append(two, 0, 20);
    await two.close();
    truncateSync(join(folderOf(data, logs[1]), segmentFiles(data, logs[1])[0]!), 0);
    const signal = AbortSignal.timeout(400);
    const feed = openFeed({
      data,
      logs: logs.slice(0, 2),
      from: 'start',
      notices: 'none',
      signal,
      rules: { maxBytes: 1_000 },
    });
    const cpu = process.cpuUsage();
    let turns = 0;
    const watch = setInterval(() => turns++, 5);
    for await (const batch of feed) t.is(batch.records.length, 0);
    clearInterval(watch);
    const usedMs = process.cpuUsage(cpu).user / 1_000;
    t.true(turns > 10, `${turns} turns of the event loop in 400 ms`);
    t.log(`${usedMs} ms of CPU in 400 ms`);
    await one.close();
  },
);

// --- live ---

test('a log that does not exist yet is waited for, and so is its writer', async (t) => {
  const data = scratch(t);
  const reading = readFeed(t, { data, logs: [trades, logs[0]!], from: 'end' });
  await after(60);
  t.is(reading.records.length, 0);
  const { source } = await runFetcher(t, data, {
    source: new PushSource([trades, logs[0]!]),
    feed: someEndpoint(),
  });
  source.push(record('{"i":0}'), record('{"i":1}', { log: logs[0]! }));
  await reading.until(({ records }) => records.length === 2);
  t.deepEqual(reading.records.map(numberOf), [0, 1]);
});

for (const [what, options] of [
  ['told by its writer', {}],
  ['told by nobody', { notices: 'none', rules: { auditMs: 20, pollMs: 10 } }],
  ['three of ten notices dropped', { hear: () => Math.random() >= 0.3 }],
  ['every notice dropped', { hear: () => false, rules: { auditMs: 20, pollMs: 10 } }],
  ['looking without a pause', { idle: 'spin' }],
] as const) {
  test(`live, nothing is lost or doubled: ${what}`, async (t) => {
    const data = scratch(t);
    const { source } = await runFetcher(t, data, { feed: someEndpoint() });
    const reading = readFeed(t, { data, logs: [trades], from: 'start', ...options });
    const total = 2_000;
    for (let i = 0; i < total; i += 10) {
      source.push(...upTo(10).map((n) => record(`{"i":${i + n}}`)));
      await after(0);
    }
    await reading.until(({ records }) => records.length >= total);
    await reading.stop();
    t.deepEqual(reading.records.map(numberOf), upTo(total));
  });
}

test('a feed listens to one writer where it is told to, to the others where they say', async (t) => {
  const data = scratch(t);
  const other = logName('binance/ETH-USDT/trade');
  const socket = someEndpoint();
  const one = await runFetcher(t, data, { node: 'one', feed: [someEndpoint(), 'watching:'] });
  const two = await runFetcher(t, data, {
    node: 'two',
    source: new PushSource([other]),
    feed: [socket],
  });
  const reading = readFeed(t, {
    data,
    logs: [trades, other],
    from: 'start',
    notices: { byWriter: { one: ['polling:?interval=20ms'] } },
  });
  one.source.push(record('{"i":0}'));
  two.source.push(record('{"i":1}', { log: other }));
  await reading.until(({ records }) => records.length === 2);
  t.deepEqual(
    Object.keys(reading.feed.stats.notifiers).sort(),
    ['polling:?interval=20ms', socket].sort(),
  );
});

test('a writer that comes back elsewhere is heard there, and nobody listens any more where it was', async (t) => {
  const data = scratch(t);
  const other = logName('binance/ETH-USDT/trade');
  const [before, after, elsewhere] = [someEndpoint(), someEndpoint(), someEndpoint()];
  const reading = readFeed(t, { data, logs: [trades, other], from: 'start' });
  const heardAt = (): string[] => Object.keys(reading.feed.stats.notifiers).sort();
  const open = async (feed: string, logs: readonly LogName[]) =>
    runFetcher(t, data, { source: new PushSource(logs), feed: [feed] });
  const first = await open(before, [trades, other]);
  first.source.push(record('{"i":0}'), record('{"i":1}', { log: other }));
  await reading.until(({ records }) => records.length === 2);
  t.deepEqual(heardAt(), [before]);
  await first.stop();

  // Of one log only: the other's writer may still be where it was.
  const second = await open(after, [trades]);
  second.source.push(record('{"i":2}'));
  await reading.until(({ records }) =>
    records.some((one) => one.payload.equals(Buffer.from('{"i":2}'))),
  );
  t.deepEqual(heardAt(), [before, after].sort());
  await second.stop();
  const third = await open(elsewhere, [trades, other]);
  third.source.push(record('{"i":3}'), record('{"i":4}', { log: other }));
  await reading.until(({ records }) =>
    records.some((one) => one.payload.equals(Buffer.from('{"i":4}'))),
  );
  t.deepEqual(heardAt(), [elsewhere]);
});

test('what a feed says of its notifiers shows no password, and a server is not asked twice', async (t) => {
  const data = scratch(t);
  const { source } = await runFetcher(t, data, { feed: ['redis://127.0.0.1:1?channel=x'] });
  const reading = readFeed(t, {
    data,
    logs: [trades],
    from: 'start',
    notices: { byWriter: { other: ['redis://me:secret@127.0.0.1:1?channel=x'] } },
  });
  source.push(record('{"i":0}'));
  await reading.until(({ events, records }) =>
    Boolean(records.length > 0 && events.some(({ state }) => state === 'notifier')),
  );
  t.deepEqual(Object.keys(reading.feed.stats.notifiers), ['redis://127.0.0.1:1?channel=x']);
  t.notRegex(JSON.stringify([reading.events, reading.feed.stats]), /secret/);
  t.throws(() => openFeed({ data, logs: [trades], notices: ['redos://me:secret@127.0.0.1'] }), {
    code: 'CONFIG_INVALID',
    message: 'no notifier knows the endpoint redos://127.0.0.1',
  });
});

test.serial('when notices stop and the writer does not, looking takes over', async (t) => {
  const data = scratch(t);
  await using writer = await openLog(data, { feed: [someEndpoint()] });
  append(writer, 0, 10);
  const rules = { silenceMs: 200, auditMs: 1_000, pollMs: 20 };
  const reading = readFeed(t, { data, logs: [trades], from: 'start', notices: 'none', rules });
  await reading.until(({ events }) => events.some(({ state }) => state === 'degraded'));
  const began = performance.now();
  append(writer, 10, 20);
  await reading.until(({ records }) => records.length === 20);
  t.log(`${Math.round(performance.now() - began)} ms after the append`);
  const states = reading.events.map(({ state }) => state);
  t.deepEqual(states.slice(0, 4), ['behind', 'caughtUp', 'live', 'degraded']);
});

test.serial('a consumer that is slow holds no more than its chunk', async (t) => {
  const data = scratch(t);
  {
    await using writer = await openLog(data);
    for (let i = 0; i < 40_000; i += 500) append(writer, i, i + 500, 900);
  }
  const size = logBytes(data).length;
  t.true(size > 35 << 20);
  const before = process.memoryUsage().arrayBuffers;
  let most = 0;
  let read = 0;
  for await (const batch of openFeed({
    data,
    logs: [trades],
    from: 'start',
    until: 'end',
    notices: 'none',
  })) {
    read += batch.records.length;
    t.true(batch.records.length * 950 < 300_000);
    if (read % 10_000 < batch.records.length) await after(2);
    most = Math.max(most, process.memoryUsage().arrayBuffers - before);
  }
  t.is(read, 40_000);
  t.log(`at most ${most >> 20} MiB of buffers for ${size >> 20} MiB of log`);
});

test.serial(
  'a long history leaves timers their turn, and ends at once when it is told to',
  async (t) => {
    const data = scratch(t);
    {
      await using writer = await openLog(data);
      for (let i = 0; i < 60_000; i += 1_000) append(writer, i, i + 1_000, 60);
    }
    const abort = new AbortController();
    let read = 0;
    let batches = 0;
    setTimeout(() => abort.abort(), 0);
    for await (const batch of openFeed({
      data,
      logs: [trades],
      from: 'start',
      notices: 'none',
      signal: abort.signal,
      rules: { maxBytes: 4_000 },
    })) {
      read += batch.records.length;
      // A consumer that takes its time and never waits for anything.
      const untilMs = performance.now() + 1;
      while (performance.now() < untilMs);
      batches++;
    }
    t.true(read < 60_000, `${batches} batches before the abort was heard`);
  },
);

test('an aborted feed ends, whatever it waits for; one that is aborted already never begins', async (t) => {
  const data = scratch(t);
  await filled(data, 10);
  const abort = new AbortController();
  const reading = readFeed(t, {
    data,
    logs: [trades, logs[0]!],
    from: 'end',
    signal: abort.signal,
  });
  await after(20);
  abort.abort();
  await reading.ended;
  let batches = 0;
  for await (const _ of openFeed({ data, logs: [trades], from: 'start', signal: abort.signal }))
    batches++;
  t.is(batches, 0);
});

test('breaking out of a feed closes all that it had open', async (t) => {
  const data = scratch(t);
  await filled(data, 100);
  const open = (): string[] =>
    readdirSync('/proc/self/fd').filter((fd) => target(fd).startsWith(data));
  const target = (fd: string): string => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  };
  if (process.platform !== 'linux') return t.log('skipped: no /proc');
  for (let i = 0; i < 20; i++) {
    for await (const batch of openFeed({ data, logs: [trades], from: 'start' })) {
      t.true(batch.records.length > 0);
      break;
    }
  }
  t.deepEqual(open().map(target), []);
});

test('a process that has ended its feed ends', async (t) => {
  const data = scratch(t);
  await runFetcher(t, data, { feed: someEndpoint() }).then(({ source }) =>
    source.push(record('{"i":0}')),
  );
  const { code, text } = await runScript(t, { mode: 'one', data });
  t.is(code, 0);
  t.is(text.trim(), '{"i":0}');
});

// --- what was taken back, what is gone ---

test('what a crash took back is told with its exact count, and what came instead is delivered', async (t) => {
  const data = scratch(t);
  const writer = await openLog(data);
  append(writer, 0, 20);
  const reading = readFeed(t, { data, logs: [trades], from: 'start', rules: { auditMs: 20 } });
  await reading.until(({ records }) => records.length === 20);
  const { position } = writer;
  await writer.close();
  const path = join(folderOf(data), segmentFiles(data)[0]!);
  const bytes = readFileSync(path);
  let cut = bytes.length - 1;
  for (let i = 0; i < 6; i++) cut = bytes.lastIndexOf(10, cut - 1);
  truncateSync(path, cut + 1);
  await using again = await openLog(data);
  append(again, 100, 103);
  await reading.until(({ records }) => records.length === 23);
  const rewound = reading.events.filter(({ state }) => state === 'rewound');
  t.deepEqual(rewound, [
    { state: 'rewound', log: trades, from: cut + 1, to: position, lines: 6 } as FeedEvent,
  ]);
  t.deepEqual(reading.records.map(numberOf).slice(20), [100, 101, 102]);
});

test('what retention took is told as a gap, and reading goes on at the oldest that is kept', async (t) => {
  const data = scratch(t);
  await filled(data, 200);
  const [first] = await readToEnd({ data, logs: [trades] });
  const cursor: Cursor = { log: trades, epoch: 1, position: first!.position, lines: 0 };
  const gone = segmentFiles(data).slice(0, 2);
  const kept = Number(segmentFiles(data)[2]!.slice(0, 20));
  for (const name of gone) unlinkSync(join(folderOf(data), name));
  await (await openLog(data)).close();
  const events: FeedEvent[] = [];
  const records: FeedRecord[] = [];
  for await (const batch of openFeed({
    data,
    logs: [trades],
    from: { cursors: [cursor] },
    until: 'end',
    notices: 'none',
  })) {
    events.push(...batch.events);
    records.push(...batch.records);
  }
  t.deepEqual(
    events.find(({ state }) => state === 'gap'),
    { state: 'gap', log: trades, from: 0, to: kept },
  );
  t.is(records[0]!.position, kept);
  t.deepEqual(records.map(numberOf), upTo(200).slice(200 - records.length));
});

test('a cursor of a log that was since made anew is told as rewound, and does not wait for ever', async (t) => {
  const data = scratch(t);
  await filled(data, 30);
  const cursor: Cursor = { log: trades, epoch: 7, position: 99_999, lines: 500 };
  const events: FeedEvent[] = [];
  let read = 0;
  const signal = AbortSignal.timeout(5_000);
  for await (const batch of openFeed({
    data,
    logs: [trades],
    from: { cursors: [cursor] },
    until: 'end',
    notices: 'none',
    signal,
  })) {
    events.push(...batch.events);
    read += batch.records.length;
  }
  t.false(signal.aborted);
  t.is(read, 30);
  t.deepEqual(
    events.find(({ state }) => state === 'rewound'),
    { state: 'rewound', log: trades, from: 0, to: 99_999, lines: 500 },
  );
});

// --- many joins, many kills ---

test('readers that join while 50,000 records a second are written lose nothing and get nothing twice', async (t) => {
  const joins = long ? 200 : 10;
  const data = scratch(t);
  const writer = forkWriter(t, { data, mode: 'flood', perSecond: 50_000, feed: someEndpoint() });
  await writer.until('open');
  let lost = 0;
  let read = 0;
  for (let join = 0; join < joins; join++) {
    const feed = openFeed({ data, logs: [trades], from: join % 2 === 0 ? 'end' : { last: 1_000 } });
    let next = -1;
    let got = 0;
    const untilMs = performance.now() + 100;
    for await (const batch of feed) {
      for (const one of batch.records) {
        const number = numberOf(one);
        if (next >= 0 && number !== next) lost++;
        next = number + 1;
        got++;
      }
      if (performance.now() > untilMs && got > 100) break;
    }
    read += got;
  }
  t.is(lost, 0);
  t.log(`${joins} joins, ${read} records`);
  await writer.end();
});

test('a fetcher that is killed in mid-write, again and again, leaves a log that reads as its files', async (t) => {
  const kills = long ? 50 : 5;
  const data = scratch(t);
  const feed = someEndpoint();
  const reading = readFeed(t, { data, logs: [trades], from: 'start' });
  let before = 0;
  let [seen, marks] = [0, 0];
  const marksOf = (records: readonly FeedRecord[]): number => {
    for (; seen < records.length; seen++) if (records[seen]!.mark === 'restart') marks++;
    return marks;
  };
  for (let kill = 1; kill <= kills; kill++) {
    const writer = forkWriter(t, { data, mode: 'flood', perSecond: 20_000, feed });
    const { epoch } = await writer.until('open');
    t.is(epoch, kill);
    // Not those of the one before, which are still coming: one that is killed before it writes leaves no mark.
    await reading.until(
      ({ records }) => marksOf(records) === kill - 1 && records.length > before + 500,
    );
    await writer.kill();
    before = reading.records.length;
  }
  // The last opening cuts what the last kill tore, and ends in order.
  const { fetcher, stop } = await runFetcher(t, data);
  t.is(fetcher.writers.get(trades)!.epoch, kills + 1);
  await eventually(
    () => reading.records.at(-1)?.mark === 'restart' && marksOf(reading.records) === kills,
    'the last mark',
  );
  await stop();
  const whole = logBytes(data);
  t.is(sha256(Buffer.concat(reading.records.map((one) => one.line))), sha256(whole));
  t.is(
    sha256(Buffer.concat((await readToEnd({ data, logs: [trades] })).map((one) => one.line))),
    sha256(whole),
  );
  // Nothing that was announced was ever taken back.
  t.deepEqual(
    reading.events.filter(({ state }) => state === 'rewound' || state === 'gap'),
    [],
  );
  t.log(`${kills} kills, ${reading.records.length} records`);
});

/** A writer's line a turn, and a feed that is told of it. */
async function following(t: ExecutionContext, idle: FeedOptions['idle'] = 'park') {
  const data = scratch(t);
  const writer = await openLog(data);
  t.teardown(() => writer.close());
  const feed = openFeed({ data, logs: [trades], from: 'start', notices: ['watching:'], idle });
  let number = 0;
  const write = (): void => append(writer, number, ++number);
  return { feed, write };
}

for (const idle of ['park', 'spin', { spinUs: 200 }] as const)
  test(`forEach hands over every record in order, once, and waits for promises: ${JSON.stringify(idle)}`, async (t) => {
    const { feed, write } = await following(t, idle);
    const numbers: number[] = [];
    let within = 0;
    const ended = feed.forEach(({ records }) => {
      t.is(++within, 1, 'one at a time');
      for (const record of records) numbers.push((record.json() as { i: number }).i);
      // Every other batch takes a while.
      if (numbers.length % 2 === 0) {
        within--;
        return;
      }
      return after(1).then(() => void within--);
    });
    for (let i = 0; i < 200; i++) {
      write();
      if (i % 3 === 0) await after(0);
    }
    await eventually(() => numbers.length === 200, 'all of them');
    await feed[Symbol.asyncDispose]();
    await ended;
    t.deepEqual(
      numbers,
      Array.from({ length: 200 }, (_, i) => i),
    );
  });

test('until the end: what is written and told of once the end was reached is not read', async (t) => {
  const data = scratch(t);
  await using writer = await openLog(data);
  append(writer, 0, 10);
  let ring: ((log: string) => void) | undefined;
  const told: Notifier = {
    ...watching,
    name: 'told',
    endpoint: 'told:',
    supports: { ...watching.supports, endpointSchemes: ['told'] },
    async listen({ onRing, onState }) {
      ring = onRing;
      onState?.('on');
      return { invalid: 0, [Symbol.asyncDispose]: async () => undefined };
    },
  };
  const feed = openFeed({
    data,
    logs: [trades],
    from: 'start',
    until: 'end',
    notices: ['told:'],
    notifiers: [told],
  });
  let read = 0;
  await eventually(() => ring !== undefined, 'somebody to listen');
  for await (const { records, events } of feed) {
    read += records.length;
    if (!events.some(({ state }) => state === 'caughtUp')) continue;
    append(writer, 10, 15);
    ring!(trades);
  }
  t.is(read, 10);
});

test('what forEach is given may throw or reject: the feed is closed, and that is what it rejects with', async (t) => {
  for (const fail of [
    () => {
      throw new RangeError('mine');
    },
    () => Promise.reject(new RangeError('mine')),
  ]) {
    const { feed, write } = await following(t);
    write();
    let calls = 0;
    await t.throwsAsync(
      feed.forEach(({ records }) => {
        calls++;
        return records.length > 0 ? fail() : undefined;
      }),
      { instanceOf: RangeError, message: 'mine' },
    );
    const before = calls;
    write();
    t.deepEqual(await feed[Symbol.asyncIterator]().next(), { value: undefined, done: true });
    t.is(calls, before);
  }
});

test('forEach ends with the feed: at the end of what there is, by its signal, and with what went wrong', async (t) => {
  const data = scratch(t);
  const writer = await openLog(data);
  append(writer, 0, 10);
  await writer.close();
  let read = 0;
  const count = ({ records }: { records: readonly FeedRecord[] }): void =>
    void (read += records.length);
  await openFeed({ data, logs: [trades], from: 'start', until: 'end' }).forEach(count);
  t.is(read, 10);
  const stop = new AbortController();
  const stopped = openFeed({ data, logs: [trades], from: 'start', signal: stop.signal }).forEach(
    (batch) => {
      count(batch);
      if (read === 20) stop.abort();
    },
  );
  await stopped;
  t.is(read, 20);
  const broken: Notifier = {
    ...watching,
    name: 'broken',
    endpoint: 'broken:',
    supports: { ...watching.supports, endpointSchemes: ['broken'] },
    listen: () => Promise.reject(new TickmeshError('CONFIG_INVALID', 'it cannot work')),
  };
  const wrong = openFeed({ data, logs: [trades], notices: ['broken:'], notifiers: [broken] });
  await t.throwsAsync(wrong.forEach(count), { code: 'CONFIG_INVALID', message: 'it cannot work' });
});

test('calls of next that do not wait for each other get the batches in order; an end or an error closes once', async (t) => {
  let given = 0;
  let closed = 0;
  const waiterOf = (turn: () => number | undefined): Waiter<number> => {
    let open = true;
    const waiter: Waiter<number> = new Waiter({
      nowMs: () => performance.now(),
      ended: () => !open,
      turn,
      emptied: () => false,
      dueMs: () => Infinity,
      woke: () => undefined,
      moved: () => false,
      close: async () => {
        if (open) closed++;
        open = false;
        waiter.close();
      },
    });
    return waiter;
  };
  const waiter = waiterOf(() => {
    if (given === 4) throw new Error('torn');
    // The first turns find nothing: whoever asked waits, and is told in order.
    return given++ === 0 ? undefined : given;
  });
  const asked = Promise.allSettled([waiter.next(), waiter.next(), waiter.next(), waiter.next()]);
  while (given === 0) await after(0);
  waiter.ring();
  const [a, b, c, broken] = await asked;
  t.deepEqual(
    [a, b, c].map((one) => one!.status === 'fulfilled' && one!.value.value),
    [2, 3, 4],
  );
  t.is(broken!.status === 'rejected' && (broken!.reason as Error).message, 'torn');
  t.is(closed, 1);
  t.deepEqual(await waiter.next(), { value: undefined, done: true }, 'after an error it is over');
  const short = waiterOf(() => undefined);
  const waits = [short.next(), short.next()];
  t.deepEqual(await short.return(), { value: undefined, done: true });
  t.deepEqual(await Promise.all(waits), [
    { value: undefined, done: true },
    { value: undefined, done: true },
  ]);
  t.is(closed, 2);
});
