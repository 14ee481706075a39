/**
 * Real processes, hurt in every way that an operating system offers: kill -9, SIGSTOP, a full disk, a limit, a port that
 * comes and goes. Whatever happens, the five guarantees hold (`guarantees.ts`, asked in the readers after every record).
 * Short by default, long with `TICKMESH_LONG=1`.
 */
import { execFile } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import { realFiles } from '../lib/log/disk-files.ts';
import { LogReader } from '../lib/log/disk-reader.ts';
import { segmentName } from '../lib/log/segment.ts';
import { Flapper } from './soak/flapper.ts';
import type { Node } from './soak/node.ts';
import { MeshWorld } from './soak/world.ts';
import type { RollSettings, Rolled } from './soak/roll-main.ts';
import { append, long, openLog, scratch, segmentFiles, trades } from './support/logs.ts';
import { runScript } from './support/processes.ts';

const run = promisify(execFile);
const seconds = (sinceMs: number): number => Math.round((performance.now() - sinceMs) / 100) / 10;

// ---- kill -9

/** Leaves at the end of a killed writer's log what a crash in the middle of a write leaves: the first bytes of a line. */
function tear(world: MeshWorld): void {
  const log = world.logs[0]!;
  using reader = new LogReader(world.data, log);
  const last = reader.segments.at(-1)!;
  const path = join(world.data, log, segmentName(last));
  const bytes = readFileSync(path);
  const line = bytes.length > 0 ? bytes.subarray(0, bytes.indexOf(10)) : Buffer.from('{"t":17');
  appendFileSync(path, line.subarray(0, 1 + Math.floor(Math.random() * (line.length - 1))));
}

async function killWriter(world: MeshWorld, times: number, torn: { forced: number }) {
  const { writer } = world;
  for (let i = 0; i < times; i++) {
    // Every other time it lives until the copy has grown: a request needs a connection, and an answer one back.
    const data = i % 2 === 0 ? world.data : world.copy;
    const began = world.heads(data);
    const grown = (): boolean =>
      [...world.heads(data)].every(([log, { position }]) => position > began.get(log)!.position);
    while (!grown()) {
      if (writer.failure !== undefined) throw new Error(writer.failure);
      await sleep(2);
    }
    await sleep(Math.random() * 30);
    await writer.kill();
    const announced = world.heads();
    if (i % 3 === 0) {
      tear(world);
      torn.forced++;
    }
    writer.start();
    await writer.until('ready');
    for (const [log, head] of announced) {
      const newest = world.epochs(log).at(-1)!;
      if (newest.epoch !== head.epoch + 1)
        throw new Error(`${log}: epoch ${newest.epoch} after ${head.epoch}`);
      if (newest.startPosition < head.position)
        throw new Error(
          `${log}: ${head.position} was announced, it goes on at ${newest.startPosition}`,
        );
    }
  }
}

/** Kills it once it does its work again. */
async function killWhenGoing(node: Node, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await sleep(Math.random() * 30);
    await node.kill();
    node.start();
    await node.until('going');
  }
}

// 200 of each in the long form, in rounds: each is over in a minute or two.
for (let round = 1; round <= (long ? 5 : 1); round++)
  test.serial(
    `kill -9 of writer, reader and replica, again and again and at once: all that was announced is everywhere, once (${round})`,
    async (t) => {
      t.timeout(230_000);
      const times = long ? 40 : 5;
      const beginMs = performance.now();
      await using world = new MeshWorld({ logs: 3, perSecond: long ? 2_000 : 1_000 });
      await world.start();
      const torn = { forced: 0 };
      await Promise.all([
        killWriter(world, times, torn),
        killWhenGoing(world.reader, times),
        killWhenGoing(world.replica, times),
      ]);
      const lines = await world.settle();
      world.compareKept();
      for (const log of world.logs) {
        t.is(world.epochs(log).at(-1)!.epoch, times + 1, 'every start raised the epoch by one');
        using reader = new LogReader(world.data, log);
        for (const [i, { base, epoch }] of reader.segments.slice(0, -1).entries()) {
          const { size } = statSync(join(world.data, log, segmentName({ base, epoch })));
          t.is(base + size, reader.segments[i + 1]!.base, 'what was torn was cut');
        }
      }
      t.true(torn.forced > 0 && world.torn().length > 0, 'torn ends were kept aside');
      t.log(
        `${times} kills each of writer, reader and replica; ${lines} lines checked at two readers and in the copy; ` +
          `${torn.forced} torn tails; ${seconds(beginMs)} s`,
      );
    },
  );

// ---- stopped

test.serial('a stopped writer, reader or replica costs time and nothing else', async (t) => {
  t.timeout(120_000);
  const ms = long ? 6_000 : 1_500;
  const beginMs = performance.now();
  await using world = new MeshWorld({ logs: 2, perSecond: 2_000 });
  await world.start();
  for (const node of world.nodes) {
    node.signal('SIGSTOP');
    await sleep(ms);
    node.signal('SIGCONT');
    await sleep(300);
  }
  t.deepEqual(world.reader.taken('degraded'), [], 'watching the log itself, no silence counts');
  const lines = await world.settle();
  world.compareKept();
  t.log(`4 processes stopped ${ms} ms each; ${lines} lines checked; ${seconds(beginMs)} s`);
});

test.serial('a reader whose event loop stands still is late, and blames nobody', async (t) => {
  t.timeout(60_000);
  // Longer than the silence that makes a reader poll.
  const ms = long ? 10_000 : 4_000;
  const beginMs = performance.now();
  await using world = new MeshWorld({ logs: 2, perSecond: 2_000 });
  await world.start();
  world.reader.taken('degraded');
  world.reader.tell({ do: 'block', ms });
  await world.reader.until('blocked');
  const lines = await world.settle();
  world.compareKept();
  t.deepEqual(world.reader.taken('degraded'), [], 'the silence was its own');
  t.log(`${ms} ms of standstill; ${lines} lines checked; ${seconds(beginMs)} s`);
});

// ---- notices

test.serial('notices that come and go cost time and nothing else', async (t) => {
  t.timeout(120_000);
  const times = long ? 100 : 10;
  const beginMs = performance.now();
  await using flapper = await Flapper.open();
  await using world = new MeshWorld({ logs: 2, perSecond: 2_000, feed: flapper.endpoints });
  await world.start();
  for (let i = 0; i < times; i++) {
    await flapper.down();
    await sleep(Math.random() * 100);
    await flapper.up();
    await sleep(Math.random() * 200);
  }
  const lines = await world.settle();
  world.compareKept();
  t.true(lines > 0);
  t.log(`${times} times away; ${lines} lines checked; ${seconds(beginMs)} s`);
});

test.serial(
  'when notices stop for good, polling takes over after 3.5 s, and live comes back with them',
  async (t) => {
    t.timeout(60_000);
    const beginMs = performance.now();
    await using flapper = await Flapper.open();
    await using world = new MeshWorld({ logs: 1, perSecond: 500, feed: flapper.endpoints });
    await world.start();
    const tries: { afterMs: number; backMs: number; polled: number }[] = [];
    // On a busy machine a reader excuses the silence as its own standstill, or the last notice that it heard is older than
    // the silence: one quiet try is enough.
    const inTime = (afterMs: number): boolean => afterMs > 3_400 && afterMs < 3_600;
    for (let i = 0; i < 4; i++) {
      world.reader.taken('live');
      world.reader.taken('degraded');
      const goneMs = monoMs();
      await flapper.down();
      const { atMs: degradedMs } = await world.reader.until('degraded');
      const before = world.reader.last['records'] as number;
      await sleep(1_000);
      const polled = (world.reader.last['records'] as number) - before;
      const backMs = monoMs();
      await flapper.up();
      const { atMs: liveMs } = await world.reader.until('live');
      tries.push({
        afterMs: Math.round((degradedMs as number) - goneMs),
        backMs: Math.round((liveMs as number) - backMs),
        polled,
      });
      if (inTime(tries.at(-1)!.afterMs)) break;
    }
    for (const { afterMs, polled } of tries) {
      t.true(afterMs > 3_000, `never long before its time: ${afterMs} ms`);
      t.true(polled > 100, `${polled} records in a second of polling`);
    }
    t.true(inTime(tries.at(-1)!.afterMs), `in time: ${JSON.stringify(tries)}`);
    const lines = await world.settle();
    world.compareKept();
    t.log(`${JSON.stringify(tries)}; ${lines} lines checked; ${seconds(beginMs)} s`);
  },
);

const monoMs = (): number => Number(process.hrtime.bigint()) / 1e6;

// ---- disks

/** A small disk of its own; undefined (and said why) where none can be mounted. */
async function smallDisk(t: ExecutionContext, size: string): Promise<string | undefined> {
  if (process.getuid?.() !== 0) {
    t.log('skipped: mounting a small disk needs root');
    return undefined;
  }
  const disk = scratch(t);
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', disk]);
  } catch (error) {
    t.log(`skipped: cannot mount a tmpfs here: ${(error as Error).message.trim()}`);
    return undefined;
  }
  t.teardown(() => run('umount', ['-l', disk]).then(() => undefined));
  return disk;
}

test.serial(
  'a disk that fills up and gets room again, many times, loses nothing and needs no restart',
  async (t) => {
    t.timeout(240_000);
    const disk = await smallDisk(t, '48m');
    if (disk === undefined) {
      t.pass();
      return;
    }
    const times = long ? 100 : 5;
    const beginMs = performance.now();
    mkdirSync(join(disk, 'data'));
    await using world = new MeshWorld({ logs: 2, perSecond: 1_000, data: join(disk, 'data') });
    await world.start();
    const ballast = join(disk, 'ballast');
    for (let i = 0; i < times; i++) {
      t.throws(
        () => {
          for (let piece = 1 << 20; ;) appendFileSync(ballast, Buffer.alloc(piece));
        },
        { code: 'ENOSPC' },
      );
      await world.writer.until('stalled');
      for (const [log, { position }] of world.heads()) {
        using reader = new LogReader(world.data, log);
        const last = reader.segments.at(-1)!;
        const { size } = statSync(join(world.data, log, segmentName(last)));
        t.true(position <= last.base + size, 'nothing is announced that is not there');
      }
      unlinkSync(ballast);
      await world.writer.until('resumed');
    }
    t.is(world.writer.starts, 1);
    const lines = await world.settle();
    world.compareKept();
    t.log(`full ${times} times; ${lines} lines checked; ${seconds(beginMs)} s`);
  },
);

test.serial('a writer that may write no larger file stalls, and goes on once it may', async (t) => {
  t.timeout(60_000);
  const beginMs = performance.now();
  const limit = ['bash', '-c', `trap '' XFSZ; ulimit -S -f 256; exec "$0" "$@"`];
  await using world = new MeshWorld({ logs: 2, perSecond: 2_000, writerWrap: limit });
  await world.start();
  await world.writer.until('stalled');
  for (const { position } of world.heads().values()) t.true(position <= 256 << 10);
  try {
    await run('prlimit', ['--pid', String(world.writer.pid), '--fsize=unlimited']);
  } catch (error) {
    t.log(`skipped the rest: ${(error as Error).message.trim()}`);
    return;
  }
  await world.writer.until('resumed');
  const lines = await world.settle();
  world.compareKept();
  t.log(`${lines} lines checked; ${seconds(beginMs)} s`);
});

// ---- segments that come and go

test.serial(
  'readers at any lag, while segments begin and are deleted under them: all that is kept, and exactly what is gone',
  async (t) => {
    t.timeout(240_000);
    const rolls = long ? 100_000 : 2_000;
    const beginMs = performance.now();
    // Memory where there is some: here it is names that race, not platters.
    const data = mkdtempSync(
      join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'tickmesh-roll-'),
    );
    t.teardown(() => rmSync(data, { recursive: true, force: true }));
    const main = fileURLToPath(new URL('./soak/roll-main.js', import.meta.url));
    const start = (settings: RollSettings) => {
      const running = runScript(main, [JSON.stringify(settings)]);
      t.teardown(() => void running.child.kill('SIGKILL'));
      return running.ended;
    };
    const [writer, ...readers] = await Promise.all([
      start({ role: 'writer', data, rolls, perSecond: 2_500, keep: 100 }),
      start({ role: 'readers', data, count: 4 }),
      start({ role: 'readers', data, count: 4 }),
    ]);
    t.is(writer.code, 0, writer.err);
    const position = Number(readFileSync(join(data, 'done'), 'utf8'));
    const all: Rolled[] = [];
    for (const { code, out, err } of readers) {
      t.is(code, 0, err);
      all.push(...(JSON.parse(out) as Rolled[]));
    }
    t.is(all.length, 8);
    let gaps = 0;
    for (const rolled of all) {
      t.is(rolled.position, position);
      t.is((rolled.lines + rolled.skipped) * 128, position, 'read + told of = written');
      gaps += rolled.gaps;
    }
    t.true(gaps > 0, 'retention was faster at times');
    const lines = all.reduce((sum, rolled) => sum + rolled.lines, 0);
    t.log(
      `${rolls} segments; 8 readers, ${lines} lines read, ${gaps} gaps told exactly; ${seconds(beginMs)} s`,
    );
  },
);

test('a listing that was taken while segments began is not believed for long', async (t) => {
  const data = scratch(t);
  await using writer = await openLog(data, { roll: { bytes: 500, ageMs: 1e9 } });
  append(writer, 0, 10);
  let hidden: string | undefined;
  const files = {
    ...realFiles,
    // What readdir may do: name a file that began while it ran, and miss one that began before that.
    list: (folder: string) => realFiles.list(folder).filter((name) => name !== hidden),
  };
  using reader = new LogReader(data, trades, files);
  const read = () => reader.read(position, reader.head()!.position, 1 << 20);
  let position = 0;
  position += read()!.bytes.length;
  for (let i = 1; i < 5; i++) append(writer, 10 * i, 10 * i + 10);
  hidden = segmentFiles(data)[1];
  t.is(read(), undefined, 'the segment is not to be seen');
  hidden = segmentFiles(data)[2];
  position += read()!.bytes.length;
  t.is(read(), undefined, 'nor is this one');
  hidden = undefined;
  while (position < writer.position) {
    const chunk = read();
    if (!chunk) return t.fail(`nothing at ${position}`);
    position += chunk.bytes.length;
  }
  return t.is(position, writer.position);
});
