import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { promisify } from 'node:util';
import test from 'ava';
import fc from './support/property.ts';
import { LogReader } from '../lib/log/disk-reader.ts';
import { recoverLog } from '../lib/log/disk-recovery.ts';
import { linesBackward, seekBack, seekTime } from '../lib/log/disk-seek.ts';
import { ClockReader, ClockWriter } from '../lib/log/disk-clock.ts';
import { realFiles } from '../lib/log/disk-files.ts';
import { parseEpochs, standsUpTo, type Epoch } from '../lib/log/epochs.ts';
import { readSlot, staleSlot } from '../lib/log/head.ts';
import {
  CLOSING,
  ENVELOPE,
  LINE_MAX,
  PAYLOAD_AT,
  isLine,
  lineEventTimeUs,
  lineMark,
  lineTimeUs,
  markPayload,
  writeLine,
} from '../lib/log/line.ts';
import { isNamePart, logName, type LogName } from '../lib/log/name.ts';
import { scanTail } from '../lib/log/recovery.ts';
import { bySegment, parseSegment, rolls, segmentAt, segmentName } from '../lib/log/segment.ts';
import { HEADER_BYTES, encodeHeader, kinds, readHeader } from '../lib/mesh/header.ts';
import { TickmeshError } from '../lib/world/error.ts';
import {
  START_US,
  append,
  errno,
  faultyFiles,
  folderOf,
  logBytes,
  noLock,
  openLog,
  payloadOf,
  readAll,
  scratch,
  segmentFiles,
  sha256,
  trades,
} from './support/logs.ts';
import { forkWriter } from './support/writer-process.ts';

const run = promisify(execFile);

/** One line as the writer makes it. */
function line(timeUs: number, payload: Buffer | string, eventUs = timeUs): Buffer {
  const bytes = Buffer.from(payload);
  const into = Buffer.alloc(bytes.length + ENVELOPE);
  writeLine(into, 0, timeUs, eventUs, bytes);
  return into;
}

const timeUs = fc.integer({ min: 1e15, max: 9_007_199_254_740_991 });
const json = fc.json().filter((text) => text.length > 0);

// --- lines ---

test('a line gives back its times and its payload byte for byte, and is JSON', (t) => {
  fc.assert(
    fc.property(timeUs, timeUs, json, (receivedUs, eventUs, payload) => {
      const bytes = line(receivedUs, payload, eventUs);
      t.true(isLine(bytes, 0, bytes.length));
      t.is(lineTimeUs(bytes), receivedUs);
      t.is(lineEventTimeUs(bytes), eventUs);
      t.is(bytes.toString('utf8', PAYLOAD_AT, bytes.length - CLOSING), payload);
      const parsed = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
      t.is(parsed['t'], receivedUs);
      t.deepEqual(parsed['data'], JSON.parse(payload));
      t.is(lineMark(bytes, 0, bytes.length), undefined);
    }),
  );
});

test('a mark is told from a message, also from the message null', (t) => {
  const mark = line(START_US, markPayload('restart', { epoch: 3, why: 'ü "quoted"' }));
  t.is(lineMark(mark, 0, mark.length), 'restart');
  t.deepEqual(JSON.parse(mark.toString('utf8')), {
    t: START_US,
    e: START_US,
    data: null,
    mark: 'restart',
    note: { epoch: 3, why: 'ü "quoted"' },
  });
  const nothing = line(START_US, 'null');
  t.is(lineMark(nothing, 0, nothing.length), undefined);
});

test('a payload that only looks like a mark breaks no reader', (t) => {
  for (const payload of ['null,"mark":', 'null,"mark":oops', 'null,"mark":"a"}', 'nul']) {
    const bytes = line(START_US, payload);
    t.notThrows(() => lineMark(bytes, 0, bytes.length), payload);
  }
});

test('every change of an envelope byte to something else is noticed', (t) => {
  const bytes = line(START_US, '{"a":1}');
  for (let at = 0; at < PAYLOAD_AT; at++) {
    for (const other of [0, 10, 0x2f, 0x3a, 0x41, 0xff]) {
      const copy = Buffer.from(bytes);
      if (copy[at] === other) continue;
      copy[at] = other;
      t.false(isLine(copy, 0, copy.length), `byte ${at} became ${other}`);
    }
  }
  t.false(isLine(bytes, 0, bytes.length - 1));
  t.false(isLine(line(START_US, ''), 0, ENVELOPE), 'an empty payload is no JSON');
});

// --- names ---

test('a log name leads nowhere but below the data folder', (t) => {
  for (const name of [
    '../../etc',
    '../../etc/passwd/x',
    'a/../b',
    'a/b/..',
    'a/b/c..d',
    'a/b/c.',
    'a//c',
    '/a/b',
    'a/b/c/d',
    'a/b',
    'a\\b/c/d',
    'a/b/\0',
    'a/b/c\n',
    'a/b/.hidden',
    'a/b/-x',
    'a/b/nul',
    'a/b/com1.txt',
    `a/b/${'x'.repeat(65)}`,
    'a/b/ü',
    '',
    'a/b/c%2f..',
  ]) {
    const error = t.throws(() => logName(name), { instanceOf: TickmeshError }, name);
    t.is(error?.code, 'NAME_INVALID', name);
    t.truthy(error?.remedy);
  }
  t.is(String(logName('binance/BTC-USDT/trade')), 'binance/BTC-USDT/trade');
  t.true(isNamePart('book-25'));
});

test('neither a writer nor a fetcher clock can be talked into leaving the data folder', async (t) => {
  const data = join(scratch(t), 'deep', 'data');
  const error = await t.throwsAsync(openLog(data, { log: '../../etc' as LogName }), {
    instanceOf: TickmeshError,
  });
  t.is(error?.code, 'NAME_INVALID');
  t.false(existsSync(join(data, '../../etc')));
  const clock = t.throws(() => new ClockWriter(data, '../../evil'), { instanceOf: TickmeshError });
  t.is(clock?.code, 'NAME_INVALID');
});

// --- segments, epochs, head: pure ---

test('segment names sort as positions do and survive the trip', (t) => {
  const base = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const epoch = fc.integer({ min: 0, max: 4_294_967_295 });
  fc.assert(
    fc.property(base, epoch, base, epoch, (b1, e1, b2, e2) => {
      const one = { base: b1, epoch: e1 };
      const two = { base: b2, epoch: e2 };
      t.deepEqual(parseSegment(segmentName(one)), one);
      const byName = segmentName(one) < segmentName(two) ? -1 : 1;
      if (segmentName(one) !== segmentName(two)) t.is(Math.sign(bySegment(one, two)), byName);
    }),
  );
  for (const name of [
    'head',
    'epochs.jsonl',
    '1-1.jsonl',
    `${segmentName({ base: 1, epoch: 1 })}.torn`,
  ])
    t.is(parseSegment(name), undefined, name);
  t.is(parseSegment(`${'9'.repeat(20)}-0000000001.jsonl`), undefined, 'beyond 2^53');
});

test('the segment of a position is the last that does not begin behind it', (t) => {
  const list = [0, 100, 100, 250].map((base, i) => ({ base, epoch: i + 1 }));
  t.deepEqual(
    [0, 99, 100, 249, 250, 9e9].map((position) => list[segmentAt(list, position)]?.epoch),
    [1, 1, 3, 3, 4, 4],
  );
  t.is(segmentAt(list.slice(1), 50), -1);
  t.is(segmentAt([], 0), -1);
});

test('a segment is rolled at its size and its age, never while it is empty', (t) => {
  const rule = { bytes: 100, ageMs: 1000 };
  t.false(rolls(rule, 0, 9999, 500));
  t.false(rolls(rule, 60, 0, 40));
  t.true(rolls(rule, 60, 0, 41));
  t.true(rolls(rule, 1, 1000, 1));
});

const epochAt = (epoch: number, startPosition: number): Epoch => ({
  epoch,
  startPosition,
  startLine: startPosition / 10,
  node: 'n',
  pid: 1,
  openedUs: 1,
});

test('what a returning reader holds stands up to the lowest start of all later epochs', (t) => {
  // Epoch 2 was cut back to 500 by epoch 3, which went on to 900; epoch 4 began there.
  const epochs = [epochAt(1, 0), epochAt(2, 700), epochAt(3, 500), epochAt(4, 900)];
  t.is(standsUpTo(epochs, 4, 1000), 1000);
  t.is(standsUpTo(epochs, 3, 1000), 900);
  t.is(standsUpTo(epochs, 2, 1000), 500);
  t.is(standsUpTo(epochs, 1, 1000), 500);
  t.is(standsUpTo(epochs, 0, 1000), 1000);
});

test('an epoch table with a torn end keeps all its whole lines', (t) => {
  const text = `${[epochAt(1, 0), epochAt(2, 700)].map((e) => JSON.stringify(e)).join('\n')}\n`;
  for (let cut = 0; cut < text.length; cut++) {
    const whole = text.slice(0, cut).split('\n').length - 1;
    t.is(parseEpochs(text.slice(0, cut)).length, whole, `cut at ${cut}`);
  }
  t.deepEqual(parseEpochs('null\n{"epoch":1,"startPosition":0}\n'), []);
});

test('a torn head slot leaves the older one, whichever byte it is torn at', (t) => {
  const older = encodeHeader({ kind: kinds.SLOT, epoch: 3, position: 1000, lines: 10, count: 1 });
  const newer = encodeHeader({ kind: kinds.SLOT, epoch: 3, position: 2000, lines: 20, count: 2 });
  for (const order of [0, 1]) {
    const whole = Buffer.concat(order === 0 ? [older, newer] : [newer, older]);
    t.is(readSlot(whole)?.position, 2000);
    t.is(staleSlot(whole, kinds.SLOT), order, 'the older one is written next');
    for (let at = 0; at < HEADER_BYTES; at++) {
      const torn = Buffer.from(whole);
      torn[(1 - order) * HEADER_BYTES + at]! ^= 0x5a;
      t.is(readSlot(torn)?.position, 1000, `byte ${at}`);
      t.is(staleSlot(torn, kinds.SLOT), 1 - order, 'the torn one is written next');
    }
  }
  t.is(readSlot(Buffer.alloc(2 * HEADER_BYTES)), undefined);
  t.is(readSlot(Buffer.alloc(5)), undefined);
});

test('of two head slots the higher epoch counts, even when its position is lower', (t) => {
  const before = encodeHeader({ kind: kinds.SLOT, epoch: 3, position: 2000 });
  const after = encodeHeader({ kind: kinds.SLOT, epoch: 4, position: 1500 });
  t.is(readSlot(Buffer.concat([before, after]))?.position, 1500);
  t.is(readSlot(Buffer.concat([after, before]))?.position, 1500);
});

test('headers survive the trip, and no other bytes are taken for one', (t) => {
  const u32 = fc.integer({ min: 0, max: 4_294_967_295 });
  const u64 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
  const kind = fc.constantFrom(...Object.values(kinds));
  fc.assert(
    fc.property(
      fc.record({
        kind,
        epoch: u32,
        lines: u64,
        position: u64,
        length: u32,
        count: u32,
        lastEpoch: u32,
        recordEpoch: u32,
        aux: u64,
        tag: u64,
      }),
      fc.integer({ min: 0, max: HEADER_BYTES * 8 - 1 }),
      (fields, bit) => {
        const bytes = encodeHeader(fields);
        t.deepEqual(readHeader(bytes), fields);
        // One flipped bit is always seen: it is what a CRC promises.
        bytes[bit >> 3]! ^= 1 << (bit & 7);
        t.is(readHeader(bytes), undefined);
      },
    ),
  );
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 200 }),
      fc.integer({ min: 0, max: 220 }),
      (bytes, at) => {
        t.is(readHeader(Buffer.from(bytes), at), undefined);
      },
    ),
  );
});

// --- writing and reading ---

test('what is written is read back, byte for byte, over any cut into batches, segments and chunks', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 12 }),
      fc.integer({ min: 200, max: 3000 }),
      fc.integer({ min: 1, max: 2000 }),
      async (batches, rollBytes, maxBytes) => {
        const data = scratch(t);
        await using writer = await openLog(data, { roll: { bytes: rollBytes, ageMs: 1e9 } });
        let next = 0;
        for (const count of batches) append(writer, next, (next += count));
        const read = readAll(data, trades, maxBytes);
        t.is(sha256(read), sha256(logBytes(data)));
        const lines = read.toString('utf8').trimEnd().split('\n');
        t.is(lines.length, next);
        lines.forEach((text, i) => t.is((JSON.parse(text) as { data: { i: number } }).data.i, i));
      },
    ),
    { numRuns: 25 },
  );
});

test("a segment's length is what its successor's name says, at a roll by size, by age and by epoch", async (t) => {
  const data = scratch(t);
  let nowMs = 0;
  const clock = { wallUs: () => START_US, monoMs: () => nowMs };
  const roll = { bytes: 2_000, ageMs: 1_000 };
  let next = 0;
  for (let epoch = 1; epoch <= 3; epoch++) {
    await using writer = await openLog(data, { clock, roll });
    t.is(writer.epoch, epoch);
    for (let i = 0; i < 20; i++) append(writer, next, (next += 3));
    nowMs += 1_000;
    append(writer, next, ++next);
  }
  const segments = segmentFiles(data).map((name) => ({
    ...parseSegment(name)!,
    size: statSync(join(folderOf(data), name)).size,
  }));
  t.true(segments.length > 9);
  t.is(segments[0]!.base, 0);
  for (let i = 0; i + 1 < segments.length; i++) {
    t.is(segments[i]!.base + segments[i]!.size, segments[i + 1]!.base);
    t.true(segments[i]!.size <= 2_000);
  }
  const epochs = parseEpochs(readFileSync(join(folderOf(data), 'epochs.jsonl'), 'utf8'));
  t.deepEqual(
    epochs.map((e) => [
      e.epoch,
      segments.some((s) => s.base === e.startPosition && s.epoch === e.epoch),
    ]),
    [
      [1, true],
      [2, true],
      [3, true],
    ],
  );
});

test('nothing is read beyond what is announced, however much is in the file', async (t) => {
  const data = scratch(t);
  await using writer = await openLog(data);
  append(writer, 0, 5);
  const announced = writer.position;
  writer.stage(START_US + 500, START_US, Buffer.from('{"late":1}'));
  writer.write();
  t.true(logBytes(data).length > announced);
  t.is(readAll(data).length, announced);
  using reader = new LogReader(data, trades);
  t.is(reader.head()?.position, announced);
  t.is(reader.head()?.lines, 5);
  writer.announce();
  t.is(reader.head()?.lines, 6);
});

test('a record that is too long, empty, or holds a line feed is refused and leaves no trace', async (t) => {
  const data = scratch(t);
  await using writer = await openLog(data);
  append(writer, 0, 2);
  const error = t.throws(() => writer.stage(START_US + 99, 1, Buffer.alloc(LINE_MAX, 'x')), {
    instanceOf: TickmeshError,
  });
  t.is(error?.code, 'LOG_LIMIT');
  t.throws(() => writer.stage(START_US + 99, 1, Buffer.from('{"a":\n1}')), {
    instanceOf: TypeError,
  });
  t.throws(() => writer.stage(START_US + 99, 1, Buffer.alloc(0)), { instanceOf: TypeError });
  t.is(writer.stagedBytes, 0);
  writer.stage(START_US + 99, START_US, Buffer.alloc(LINE_MAX - ENVELOPE, '1'));
  writer.write();
  writer.announce();
  t.is(readAll(data).length, writer.position, 'the longest record that is allowed is read back');
  await writer.close();
  await using again = await openLog(data);
  t.is(again.lines, 3);
});

test('a time that does not rise is refused: it would be taken for damage at the next opening', async (t) => {
  const data = scratch(t);
  await using writer = await openLog(data);
  append(writer, 0, 2);
  for (const bad of [START_US + 10, START_US, 0, -1, NaN, Infinity, 1e16, 1.5]) {
    t.throws(
      () => writer.stage(bad, bad, Buffer.from('{}')),
      { instanceOf: TypeError },
      String(bad),
    );
  }
  writer.stage(START_US + 11, START_US, Buffer.from('{}'));
  t.throws(() => writer.stage(START_US + 11, START_US, Buffer.from('{}')), {
    instanceOf: TypeError,
  });
});

test('an event time that no exchange can mean is replaced by the receive time', async (t) => {
  const data = scratch(t);
  await using writer = await openLog(data);
  const bad = [NaN, Infinity, -Infinity, -1, 1e16, 1e300, 1.5];
  bad.forEach((eventUs, i) => writer.stage(START_US + i, eventUs, Buffer.from('{}')));
  writer.write();
  writer.announce();
  const bytes = readAll(data);
  const scan = scanTail(bytes, 0);
  t.is(scan.lines, bad.length);
  t.is(scan.end, bytes.length);
  for (let i = 0, at = 0; i < bad.length; i++, at = bytes.indexOf(10, at) + 1)
    t.is(lineEventTimeUs(bytes, at), START_US + i, String(bad[i]));
});

test('a position inside a line reads nothing: half a record is never handed out', async (t) => {
  const data = scratch(t);
  await using writer = await openLog(data);
  append(writer, 0, 5);
  using reader = new LogReader(data, trades);
  const first = reader.read(0, writer.position, 4096)!.ends[0]!;
  for (let at = 1; at < first; at++)
    t.is(reader.read(at, writer.position, 4096), undefined, `at ${at}`);
  t.truthy(reader.read(first, writer.position, 4096));
});

test('a reader finds what was written after it looked: a new segment, a new epoch, a log that did not exist', async (t) => {
  const data = scratch(t);
  using reader = new LogReader(data, trades);
  t.is(reader.head(), undefined);
  t.is(reader.oldest(), 0);
  let position = 0;
  const catchUp = (): void => {
    const head = reader.head()!;
    while (position < head.position)
      position += reader.read(position, head.position, 500)!.bytes.length;
  };
  for (let epoch = 0; epoch < 4; epoch++) {
    await using writer = await openLog(data, { roll: { bytes: 700, ageMs: 1e9 } });
    for (let i = 0; i < 5; i++) {
      append(writer, epoch * 10 + i * 2, epoch * 10 + i * 2 + 2);
      catchUp();
      t.is(position, writer.position);
    }
  }
});

// --- recovery ---

/** A log of two epochs with marks, its files as they are, and where each line of the last segment ends. */
async function someLog(t: Parameters<typeof scratch>[0]): Promise<{
  data: string;
  folder: string;
  last: string;
  bytes: Buffer;
  base: number;
  ends: number[];
  linesBefore: number;
  marksBefore: number;
}> {
  const data = scratch(t);
  {
    await using writer = await openLog(data);
    writer.stageMark(START_US - 5, 'connect');
    append(writer, 0, 40);
    writer.stageMark(START_US + 1_000, 'disconnect');
    append(writer, 200, 220);
  }
  const linesBefore = 62;
  await using writer = await openLog(data);
  for (let i = 300; i < 400; i += 10) {
    writer.stageMark(START_US + 10 * i - 1, 'gap');
    append(writer, i, i + 10);
  }
  const folder = folderOf(data);
  const last = join(folder, segmentFiles(data).at(-1)!);
  const bytes = readFileSync(last);
  const ends = [0];
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) ends.push(at + 1);
  return {
    data,
    folder,
    last,
    bytes,
    base: writer.recovered.position,
    ends,
    linesBefore,
    marksBefore: 2,
  };
}

/** The real disk without its waits: what is tested here is not the platter. */
const quick = { ...realFiles, sync: () => undefined, syncFolder: () => undefined };

function isJson(bytes: Buffer): boolean {
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false;
  }
}

const marksIn = (bytes: Buffer): number => bytes.toString('latin1').split('"mark":"').length - 1;

/** Recovers the log whose last segment holds `bytes`, and checks all that recovery promises. */
function recovers(
  t: { is(a: unknown, b: unknown, why?: string): void },
  log: Awaited<ReturnType<typeof someLog>>,
  bytes: Buffer,
  why: string,
): void {
  const torn = `${log.last}.torn`;
  if (existsSync(torn)) unlinkSync(torn);
  writeFileSync(log.last, bytes);
  // The whole lines that are left: those of the true segment that these bytes begin with.
  let same = 0;
  while (same < bytes.length && bytes[same] === log.bytes[same]) same++;
  const end = log.ends.findLast((at) => at <= same)!;
  const { position, lines, marks, tornBytes } = recoverLog(log.folder, quick);
  const found = {
    position,
    lines,
    marks,
    tornBytes,
    aside: existsSync(torn) ? sha256(readFileSync(torn)) : undefined,
    size: end > 0 ? statSync(log.last).size : 0,
  };
  const expected = {
    position: log.base + end,
    lines: log.linesBefore + log.ends.indexOf(end),
    marks: log.marksBefore + marksIn(bytes.subarray(0, end)),
    tornBytes: bytes.length - end,
    aside: bytes.length > end ? sha256(bytes.subarray(end)) : undefined,
    size: end,
  };
  t.is(JSON.stringify(found), JSON.stringify(expected), why);
}

test('a log cut at any byte of its last 4 KiB is recovered to the last whole line, counts right', async (t) => {
  const log = await someLog(t);
  t.true(log.bytes.length > 4096);
  for (let cut = log.bytes.length - 4096; cut <= log.bytes.length; cut++)
    recovers(t, log, log.bytes.subarray(0, cut), `cut at ${cut}`);
});

test('so is one whose end became NULs', async (t) => {
  const log = await someLog(t);
  for (let i = 1; i <= 300; i++) {
    const from = log.bytes.length - Math.floor((i * 4096) / 300);
    recovers(t, log, Buffer.from(log.bytes).fill(0, from), `NULs from ${from}`);
  }
  for (const more of [1, 511, 4096, 9_000_000])
    recovers(t, log, Buffer.concat([log.bytes, Buffer.alloc(more)]), `${more} NULs more`);
});

test('so is one with garbage of any length behind whole lines, or behind a torn one', async (t) => {
  const log = await someLog(t);
  const garbage = fc.uint8Array({ minLength: 1, maxLength: 1024 });
  const back = fc.integer({ min: 0, max: 300 });
  fc.assert(
    fc.property(garbage, back, fc.boolean(), (noise, torn, closing) => {
      const whole = log.bytes.subarray(0, log.bytes.length - torn);
      // The nastiest garbage ends a torn line just as a line ends.
      const tail = closing ? Buffer.from('}\n') : Buffer.alloc(0);
      const bytes = Buffer.concat([whole, Buffer.from(noise), tail]);
      // Garbage that completes a line to JSON is no garbage; nor is it seen where the head vouches for the end.
      fc.pre(bytes.length !== log.bytes.length);
      const start = log.ends.findLast((at) => at <= whole.length)!;
      fc.pre(!isJson(bytes.subarray(start, bytes.indexOf(10, start) + 1)));
      recovers(t, log, bytes, `${noise.length} bytes of garbage, ${torn} torn`);
    }),
    { numRuns: 1_000 },
  );
});

test('damage in the middle is refused and nothing is changed', async (t) => {
  const log = await someLog(t);
  const before = readdirSync(log.folder).sort();
  for (const from of [0, 1, 20, 60, log.ends.length - 3].map((i) => log.ends[i]!)) {
    for (const at of [from, from + 3, from + 6, from + 30, from + 49]) {
      const bytes = Buffer.from(log.bytes);
      bytes[at] = 0;
      writeFileSync(log.last, bytes);
      const hash = sha256(bytes);
      const open = openLog(log.data, { bootedUs: at % 2 === 0 ? 0 : Infinity });
      const error = await t.throwsAsync(open, { instanceOf: TickmeshError }, `at ${at}`);
      t.is(error?.code, 'LOG_CORRUPT');
      t.true(error!.message.includes(`byte ${from} `), error!.message);
      t.truthy(error?.remedy);
      t.is(sha256(readFileSync(log.last)), hash);
      t.deepEqual(readdirSync(log.folder).sort(), before);
    }
  }
});

test('a hole wider than any window of the scan is still damage in the middle', async (t) => {
  const log = await someLog(t);
  const half = log.ends[50]!;
  const bytes = Buffer.concat([
    log.bytes.subarray(0, half),
    Buffer.alloc(20 << 20),
    log.bytes.subarray(half),
  ]);
  writeFileSync(log.last, bytes);
  const error = t.throws(() => recoverLog(log.folder, quick), { instanceOf: TickmeshError });
  t.is(error?.code, 'LOG_CORRUPT');
  t.is(statSync(log.last).size, bytes.length);
});

test('garbage that is full of beginnings of lines is recovered in no time', async (t) => {
  const log = await someLog(t);
  const noise = Buffer.from('{"t":'.repeat(1_500_000));
  const began = performance.now();
  recovers(t, log, Buffer.concat([log.bytes, noise, Buffer.from('\n'), noise]), 'beginnings');
  t.true(performance.now() - began < 10_000);
});

test('a lost or torn head costs nothing but counting', async (t) => {
  const log = await someLog(t);
  const head = join(log.folder, 'head');
  const whole = readFileSync(head);
  const damaged: [string, Buffer | undefined][] = [
    ['gone', undefined],
    ['empty', Buffer.alloc(0)],
    ['NULs', Buffer.alloc(128)],
    ['short', whole.subarray(0, 60)],
    ['first slot torn', Buffer.concat([Buffer.alloc(64), whole.subarray(64)])],
    ['second slot torn', Buffer.concat([whole.subarray(0, 64), Buffer.alloc(64)])],
  ];
  for (const [why, bytes] of damaged) {
    if (bytes) writeFileSync(head, bytes);
    else unlinkSync(head);
    recovers(t, log, log.bytes, `head ${why}`);
    recovers(t, log, log.bytes.subarray(0, -7), `head ${why}, torn`);
  }
});

test('a head that is ahead of the data (the host crashed) is overruled, and counts stay right', async (t) => {
  const log = await someLog(t);
  for (const keep of [log.bytes.length - 1, 3_000, 200, 10, 0]) {
    recovers(t, log, log.bytes.subarray(0, keep), `kept ${keep}`);
    if (keep < log.ends[1]!) writeFileSync(log.last, '');
  }
  // The whole last segment is lost.
  if (existsSync(log.last)) unlinkSync(log.last);
  const found = recoverLog(log.folder, quick);
  t.is(found.position, log.base);
  t.is(found.lines, log.linesBefore);
  t.is(found.marks, log.marksBefore);
  t.is(found.epoch, 2);
});

test('a slot left over from a lineage that was taken back does not spoil the counts', async (t) => {
  const data = scratch(t);
  const head = join(folderOf(data), 'head');
  {
    await using first = await openLog(data);
    append(first, 0, 30, 10);
    append(first, 30, 60, 10);
  }
  const stale = readFileSync(head);
  // The host crashed: half of it is gone. A second epoch goes on, its head is lost in another crash.
  const folder = folderOf(data);
  truncateSync(join(folder, segmentFiles(data)[0]!), 1_500);
  {
    await using second = await openLog(data);
    append(second, 70, 110, 33);
  }
  writeFileSync(head, stale);
  const found = recoverLog(folder, quick);
  t.is(found.lines, logBytes(data).toString('latin1').split('\n').length - 1);
});

test('whole lines that were never announced are part of the log', async (t) => {
  const data = scratch(t);
  {
    await using writer = await openLog(data);
    append(writer, 0, 5);
    for (let i = 5; i < 9; i++) writer.stage(START_US + 10 * i, 1, Buffer.from(payloadOf(i)));
    writer.write();
  }
  const bytes = logBytes(data);
  await using writer = await openLog(data);
  t.is(writer.lines, 9);
  t.is(writer.recovered.tornBytes, 0);
  t.is(readAll(data).length, bytes.length);
});

test('empty segments, of crashes before the first byte, are dropped whatever their number', async (t) => {
  const data = scratch(t);
  {
    await using writer = await openLog(data);
    append(writer, 0, 5);
  }
  for (let i = 0; i < 5; i++) await (await openLog(data)).close();
  await using writer = await openLog(data);
  t.is(writer.epoch, 7);
  t.is(writer.lines, 5);
  append(writer, 5, 8);
  t.is(segmentFiles(data).length, 2);
  t.is(readAll(data).length, logBytes(data).length);
  t.is(readAll(data).toString('latin1').split('\n').length - 1, 8);
});

test('a log whose only segment is all torn begins anew at 0, in a higher epoch', async (t) => {
  const data = scratch(t);
  await (await openLog(data)).close();
  writeFileSync(join(folderOf(data), segmentFiles(data)[0]!), '{"t":17231612');
  await using writer = await openLog(data);
  t.is(writer.position, 0);
  t.is(writer.recovered.tornBytes, 13);
  append(writer, 0, 3);
  t.is(readAll(data).length, writer.position);
});

test('torn bytes are counted also when nothing of their segment was whole', async (t) => {
  const log = await someLog(t);
  recovers(t, log, log.bytes.subarray(0, 20), 'all torn');
});

test('a torn line in the epoch table does not swallow the epochs after it', async (t) => {
  const data = scratch(t);
  await (await openLog(data)).close();
  const table = join(folderOf(data), 'epochs.jsonl');
  appendFileSync(table, '{"epoch":2,"startPosi');
  await (await openLog(data)).close();
  await (await openLog(data)).close();
  const epochs = parseEpochs(readFileSync(table, 'utf8')).map((e) => e.epoch);
  t.deepEqual(epochs, [1, 2, 3]);
});

test('a segment that lost its end though no host crashed is refused, and nothing is changed', async (t) => {
  const log = await someLog(t);
  const first = join(log.folder, segmentFiles(log.data)[0]!);
  truncateSync(first, statSync(first).size - 100);
  const before = readdirSync(log.folder).sort();
  const error = await t.throwsAsync(openLog(log.data, { bootedUs: 0 }), {
    instanceOf: TickmeshError,
  });
  t.is(error?.code, 'LOG_CORRUPT');
  t.true(error!.message.includes(first));
  t.deepEqual(readdirSync(log.folder).sort(), before);
});

test('after a crash of the host the log ends at the hole, and what is behind it is kept aside', async (t) => {
  const log = await someLog(t);
  const first = join(log.folder, segmentFiles(log.data)[0]!);
  truncateSync(first, statSync(first).size - 100);
  await using writer = await openLog(log.data, { bootedUs: Infinity });
  t.true(writer.position < log.base);
  t.is(sha256(readFileSync(`${log.last}.torn`)), sha256(log.bytes));
  t.true(writer.recovered.tornBytes > log.bytes.length);
  t.is(writer.lines, logBytes(log.data).toString('latin1').split('\n').length - 1);
});

test('opening raises the epoch even when every file but one has forgotten it', async (t) => {
  for (const keep of ['head', 'epochs.jsonl', 'segment']) {
    const data = scratch(t);
    for (let i = 0; i < 3; i++) {
      await using writer = await openLog(data);
      append(writer, i, i + 1);
    }
    const folder = folderOf(data);
    for (const name of readdirSync(folder)) {
      if (keep === 'segment' ? !parseSegment(name) : name !== keep) unlinkSync(join(folder, name));
    }
    await using writer = await openLog(data);
    t.is(writer.epoch, 4, keep);
  }
});

// --- a disk that refuses ---

test('a full disk stalls the writer, announces nothing beyond, and loses nothing when there is room again', async (t) => {
  const data = scratch(t);
  const files = faultyFiles();
  await using writer = await openLog(data, { files });
  append(writer, 0, 10);
  const { position } = writer;
  for (const room of [0, 1, 60, 200]) {
    let left = room;
    files.before = (call, path, length) => {
      if (call !== 'write' || !path.endsWith('.jsonl')) return;
      if (left === 0) throw errno('ENOSPC');
      const some = Math.min(left, length);
      left -= some;
      return some;
    };
    if (writer.stagedBytes === 0)
      for (let i = 10; i < 15; i++) writer.stage(START_US + 10 * i, 1, Buffer.from(payloadOf(i)));
    const error = t.throws(() => writer.write(), { instanceOf: TickmeshError });
    t.is(error?.code, 'LOG_STALLED');
    t.is(error?.facts['errno'], 'ENOSPC');
    t.is(writer.position, position);
    t.is(logBytes(data).length, position, 'no part of a line is left');
  }
  files.before = () => undefined;
  writer.write();
  writer.announce();
  t.is(readAll(data).toString('latin1').split('\n').length - 1, 15);
});

test('so does a disk that fails to sync, when each batch was promised to be synced', async (t) => {
  const data = scratch(t);
  const files = faultyFiles();
  await using writer = await openLog(data, { files, sync: 'each' });
  append(writer, 0, 10);
  const { position } = writer;
  files.before = (call) => {
    if (call === 'sync') throw errno('EIO');
  };
  writer.stage(START_US + 1_000, 1, Buffer.from('{}'));
  t.is(t.throws(() => writer.write(), { instanceOf: TickmeshError })?.code, 'LOG_STALLED');
  t.is(logBytes(data).length, position);
  files.before = () => undefined;
  writer.write();
  writer.announce();
  t.is(readAll(data).length, writer.position);
});

for (const failing of ['open', 'syncFolder', 'sync'] as const) {
  test(`a new segment that fails at ${failing} can be begun again`, async (t) => {
    const data = scratch(t);
    const files = faultyFiles();
    await using writer = await openLog(data, {
      files,
      sync: 'each',
      roll: { bytes: 500, ageMs: 1e9 },
    });
    append(writer, 0, 3);
    files.before = (call, path) => {
      if (call === failing && (call !== 'open' || path.endsWith('.jsonl'))) throw errno('EIO');
    };
    for (let i = 3; i < 10; i++) writer.stage(START_US + 10 * i, 1, Buffer.from(payloadOf(i)));
    for (let attempt = 0; attempt < 3; attempt++)
      t.is(t.throws(() => writer.write(), { instanceOf: TickmeshError })?.code, 'LOG_STALLED');
    files.before = () => undefined;
    t.notThrows(() => writer.write());
    writer.announce();
    t.is(readAll(data).toString('latin1').split('\n').length - 1, 10);
  });
}

test('a head that cannot be written is a stall as well: nothing is announced, and it is made up for', async (t) => {
  const data = scratch(t);
  const files = faultyFiles();
  await using writer = await openLog(data, { files });
  append(writer, 0, 3);
  const { position } = writer;
  files.before = (call, path) => {
    if (call === 'write' && path.endsWith('head')) throw errno('EIO');
  };
  writer.stage(START_US + 1_000, 1, Buffer.from('{}'));
  writer.write();
  t.is(t.throws(() => writer.announce(), { instanceOf: TickmeshError })?.code, 'LOG_STALLED');
  t.is(readAll(data).length, position);
  files.before = () => undefined;
  writer.announce();
  t.is(readAll(data).length, writer.position);
});

test('a table of epochs that cannot be written leaves nothing that spoils the next opening', async (t) => {
  const data = scratch(t);
  {
    await using writer = await openLog(data);
    append(writer, 0, 3);
  }
  const files = faultyFiles();
  let left = 20;
  files.before = (call, path, length) => {
    if (call !== 'write' || !path.endsWith('epochs.jsonl')) return;
    if (left === 0) throw errno('ENOSPC');
    const some = Math.min(left, length);
    left -= some;
    return some;
  };
  const error = await t.throwsAsync(openLog(data, { files }), { instanceOf: TickmeshError });
  t.is(error?.code, 'LOG_UNWRITABLE');
  await using writer = await openLog(data);
  append(writer, 3, 5);
  const table = readFileSync(join(folderOf(data), 'epochs.jsonl'), 'utf8');
  t.is(parseEpochs(table).at(-1)?.epoch, writer.epoch);
});

test('a real disk that is really full', async (t) => {
  if (process.getuid?.() !== 0) return t.log('skipped: mounting a small disk needs root');
  const disk = scratch(t);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', disk]);
  } catch (error) {
    return t.log(`skipped: cannot mount a tmpfs here: ${(error as Error).message.trim()}`);
  }
  t.teardown(() => run('umount', ['-l', disk]).then(() => undefined));
  const data = join(disk, 'data');
  const writer = await openLog(data);
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(100 << 10));
  let next = 0;
  const stalled = t.throws(
    () => {
      for (;;) append(writer, next, (next += 50), 100);
    },
    { instanceOf: TickmeshError },
  );
  t.is(stalled?.code, 'LOG_STALLED');
  t.is(stalled?.facts['errno'], 'ENOSPC');
  t.is(readAll(data).length, writer.position);
  t.is(logBytes(data).at(-1), 10, 'no part of a line is left');
  unlinkSync(ballast);
  writer.write();
  writer.announce();
  t.is(readAll(data).toString('latin1').split('\n').length - 1, next);
  await writer.close();
});

test('a file size limit stalls a writer process as a full disk does', async (t) => {
  const data = scratch(t);
  const writer = forkWriter(t, { data, mode: 'limit', limitKiB: 64 });
  const said = await writer.until('stalled');
  t.is(said['code'], 'LOG_STALLED');
  t.is(said['errno'], 'EFBIG');
  const position = said['position'] as number;
  t.true(position > 0 && position <= 64 << 10);
  t.is(logBytes(data).length, position);
  t.is(readAll(data).length, position);
  await writer.end();
});

test('a data folder that cannot be written says so and what to do', async (t) => {
  const folder = scratch(t);
  const file = join(folder, 'file');
  writeFileSync(file, '');
  const link = join(folder, 'loop');
  symlinkSync(link, link);
  for (const data of [file, join(file, 'below'), '/proc/tickmesh', link]) {
    const error = await t.throwsAsync(openLog(data), { instanceOf: TickmeshError }, data);
    t.is(error?.code, 'LOG_UNWRITABLE', data);
    t.true(error!.message.includes(data));
    t.regex(error!.remedy!, /data folder/);
  }
});

test('a segment or head that is a link to elsewhere is not followed', async (t) => {
  const data = scratch(t);
  await (await openLog(data)).close();
  const victim = join(data, 'victim');
  writeFileSync(victim, 'precious');
  for (const name of ['head', 'epochs.jsonl']) {
    const path = join(folderOf(data), name);
    const kept = readFileSync(path);
    unlinkSync(path);
    symlinkSync(victim, path);
    await t.throwsAsync(openLog(data), { instanceOf: TickmeshError }, name);
    t.is(readFileSync(victim, 'utf8'), 'precious');
    unlinkSync(path);
    writeFileSync(path, kept);
  }
});

// --- one writer ---

test('a second writer is refused and told who holds the log', async (t) => {
  const data = scratch(t);
  const first = await openLog(data, { node: 'first' });
  const error = await t.throwsAsync(openLog(data, { node: 'second' }), {
    instanceOf: TickmeshError,
  });
  t.is(error?.code, 'LOG_LOCKED');
  t.true(error!.message.includes('"first"'));
  t.true(error!.message.includes(`pid ${process.pid}`));
  t.is(error?.facts['pid'], process.pid);
  await first.close();
  await using second = await openLog(data, { node: 'second' });
  t.is(second.epoch, 2);
});

test('of many who open at once exactly one gets the log', async (t) => {
  const data = scratch(t);
  const tries = await Promise.allSettled(Array.from({ length: 12 }, () => openLog(data)));
  const won = tries.filter((result) => result.status === 'fulfilled');
  t.is(won.length, 1);
  for (const result of tries) {
    if (result.status === 'fulfilled') await result.value.close();
    else t.is((result.reason as TickmeshError).code, 'LOG_LOCKED');
  }
});

test('the holder is named also while it is stopped, and the log is free right after kill -9', async (t) => {
  const data = scratch(t);
  const holder = forkWriter(t, { data, mode: 'hold', node: 'holder' });
  await holder.until('open');
  process.kill(holder.pid, 'SIGSTOP');
  const error = await t.throwsAsync(openLog(data, { node: 'second' }), {
    instanceOf: TickmeshError,
  });
  t.is(error?.code, 'LOG_LOCKED');
  t.true(error!.message.includes('"holder"'), error!.message);
  t.true(error!.message.includes(`pid ${holder.pid}`), error!.message);
  process.kill(holder.pid, 'SIGKILL');
  await holder.exited;
  await using second = await openLog(data, { node: 'second' });
  t.is(second.epoch, 2);
});

test('closing is not held up by somebody who hangs on the lock', async (t) => {
  if (process.platform !== 'linux') return t.log('skipped: abstract sockets are of Linux');
  const data = scratch(t);
  const writer = await openLog(data);
  const id = createHash('sha256').update(folderOf(data)).digest('hex').slice(0, 32);
  const guest = connect({ path: `\0tickmesh-log-${id}`, allowHalfOpen: true });
  t.teardown(() => guest.destroy());
  guest.on('error', () => undefined);
  await once(guest, 'data');
  const closed = writer.close().then(() => 'closed');
  t.is(await Promise.race([closed, after(3_000, 'held up')]), 'closed');
});

// --- the clock ---

test("a fetcher's clock is read back, also by a reader that was there first", (t) => {
  const data = scratch(t);
  const reader = new ClockReader(data, 'node');
  t.is(reader.read(), 0);
  const writer = new ClockWriter(data, 'node');
  for (let i = 1; i < 20; i++) {
    writer.write(START_US + i);
    t.is(reader.read(), START_US + i);
  }
  writer.close();
  const again = new ClockWriter(data, 'node');
  again.write(START_US + 100);
  t.is(reader.read(), START_US + 100);
  again.close();
  reader.close();
});

// --- finding a place ---

async function anyLog(
  t: Parameters<typeof scratch>[0],
  lengths: readonly number[],
  rollBytes: number,
): Promise<{ data: string; lines: { position: number; timeUs: number; text: string }[] }> {
  const data = scratch(t);
  const lines: { position: number; timeUs: number; text: string }[] = [];
  const options = { roll: { bytes: rollBytes, ageMs: 1e9 }, files: quick, lock: noLock };
  let writer = await openLog(data, options);
  for (const [i, length] of lengths.entries()) {
    // Now and then a restart: the segment ends wherever it is.
    if (i % 37 === 36) {
      await writer.close();
      writer = await openLog(data, options);
    }
    const payload = payloadOf(i, length);
    lines.push({ position: writer.position, timeUs: START_US + i * 10, text: payload });
    append(writer, i, i + 1, length);
  }
  await writer.close();
  return { data, lines };
}

const lengths = fc.array(
  fc.oneof(
    { weight: 40, arbitrary: fc.integer({ min: 0, max: 300 }) },
    { weight: 3, arbitrary: fc.integer({ min: 3_000, max: 20_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: 60_000, max: 300_000 }) },
  ),
  { minLength: 1, maxLength: 120 },
);

test('seeking a time finds what a scan of the whole log finds, over segments and long lines', async (t) => {
  await fc.assert(
    fc.asyncProperty(lengths, fc.integer({ min: 500, max: 400_000 }), async (sizes, rollBytes) => {
      const { data, lines } = await anyLog(t, sizes, rollBytes);
      using reader = new LogReader(data, trades);
      const end = reader.head()!.position;
      for (let i = -1; i <= lines.length; i++) {
        for (const wantedUs of [START_US + i * 10, START_US + i * 10 - 3]) {
          const scan = lines.find((entry) => entry.timeUs >= wantedUs)?.position ?? end;
          t.is(seekTime(reader, wantedUs, end), scan, `${wantedUs - START_US}`);
        }
      }
      // With a limit inside the log nothing behind it is found.
      const limit = lines[lines.length >> 1]!.position;
      t.true(seekTime(reader, START_US + 1e9, limit) === limit);
    }),
    { numRuns: 12 },
  );
});

test('a reader that was open before the log grew seeks in all of it', async (t) => {
  const data = scratch(t);
  await using writer = await openLog(data, { roll: { bytes: 500, ageMs: 1e9 } });
  append(writer, 0, 5);
  using reader = new LogReader(data, trades);
  t.is(seekTime(reader, START_US, writer.position), 0);
  const places: number[] = [];
  for (let i = 5; i < 50; i++) {
    places.push(writer.position);
    append(writer, i, i + 1);
  }
  places.forEach((place, i) =>
    t.is(seekTime(reader, START_US + (i + 5) * 10, writer.position), place),
  );
});

test('lines backward are the lines forward, turned round; so many back is found among them', async (t) => {
  await fc.assert(
    fc.asyncProperty(lengths, fc.integer({ min: 500, max: 400_000 }), async (sizes, rollBytes) => {
      const { data, lines } = await anyLog(t, sizes, rollBytes);
      using reader = new LogReader(data, trades);
      const end = reader.head()!.position;
      const back = [...linesBackward(reader, end)].map(({ position, line: bytes }) => ({
        position,
        timeUs: lineTimeUs(bytes),
        text: bytes.toString('utf8', PAYLOAD_AT, bytes.length - CLOSING),
      }));
      t.deepEqual(back.reverse(), lines);
      for (const count of [0, 1, 2, lines.length - 1, lines.length, lines.length + 5, Infinity]) {
        const place = count <= 0 ? end : (lines.at(-count) ?? lines[0])!.position;
        t.is(seekBack(reader, count, end), place, `${count} back`);
      }
      const limit = lines[lines.length >> 1]!.position;
      t.is([...linesBackward(reader, limit)].length, lines.length >> 1);
    }),
    { numRuns: 12 },
  );
});
