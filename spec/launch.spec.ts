import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import fc from './support/property.ts';
import { backoffMs, withinWindow } from '../lib/launch/backoff.ts';
import { LogFiles } from '../lib/launch/disk.ts';
import { Launcher } from '../lib/launch/launcher-process.ts';
import { Lines } from '../lib/launch/lines.ts';
import { parseFromNode, type Ready } from '../lib/launch/message.ts';
import { Pretty, toRecord } from '../lib/launch/pretty.ts';
import { publisherFlags } from '../lib/publisher/settings.ts';
import type { SupervisedNode } from '../lib/launch/state.ts';
import { TickmeshError } from '../lib/world/error.ts';
import { openLogger, silentLogger } from '../lib/world/logger.ts';
import { fixtureEntry, fixturePlan, type FixtureNode } from './support/fixture-plan.ts';
import { allGone, isRunning, runScript } from './support/processes.ts';
import { World, type Fate } from './support/supervised-world.ts';

const node = (
  name: string,
  after: readonly string[],
  rules: Partial<SupervisedNode> = {},
): SupervisedNode => ({
  name,
  after,
  policy: 'on-failure',
  backoffMs: 500,
  maxBackoffMs: 30_000,
  restartsMax: 10,
  windowMs: 300_000,
  readyMs: 20_000,
  graceMs: 5_000,
  ...rules,
});
const names = ['fetcher', 'replica', 'binance', 'kraken'];
const mesh = (rules: Partial<SupervisedNode> = {}): SupervisedNode[] => [
  node('fetcher', [], rules),
  node('replica', ['fetcher'], rules),
  node('binance', ['fetcher'], rules),
  node('kraken', ['replica'], rules),
];
const crash: Fate = { code: 1, signal: null };

const startAll = (world: World): void => {
  for (const { name } of world.nodes) world.step({ do: 'start', node: name });
};
const phase = (world: World, name: string): string => world.supervisor.state(name)!.phase;

type Move =
  | {
      readonly kind: 'start' | 'stop' | 'restart' | 'ready' | 'crash' | 'end' | 'obey';
      readonly at: string;
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'echo'; readonly index: number }
  | { readonly kind: 'stopAll' | 'killAll' };
const moves: fc.Arbitrary<Move> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constantFrom('start', 'stop', 'restart', 'ready', 'crash', 'end', 'obey'),
      at: fc.constantFrom(...names),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pass'), ms: fc.nat(70_000) }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('echo'), index: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'stopAll' }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'killAll' }) },
) as fc.Arbitrary<Move>;

function make(world: World, move: Move): void {
  switch (move.kind) {
    case 'start':
    case 'stop':
    case 'restart':
      return world.step({ do: move.kind, node: move.at });
    case 'ready':
      return world.becomeReady(move.at);
    case 'crash':
      return world.exit(move.at, crash);
    case 'end':
      return world.exit(move.at, { code: 0, signal: null });
    case 'obey':
      return world.alive.get(move.at)?.told
        ? world.exit(move.at, { code: null, signal: 'SIGTERM' })
        : undefined;
    case 'pass':
      return world.pass(move.ms);
    case 'echo':
      return world.echo(move.index);
    case 'stopAll':
    case 'killAll':
      return world.step({ do: move.kind });
  }
}

const rules = fc.record({
  policy: fc.constantFrom('on-failure' as const, 'always' as const, 'no' as const),
  restartsMax: fc.nat(3),
  backoffMs: fc.constantFrom(0, 500),
});

test('whatever is commanded and whatever dies: never two copies, and nodes can always be started again', (t) => {
  fc.assert(
    fc.property(rules, fc.array(moves, { maxLength: 60 }), (with_, list) => {
      const world = new World(mesh(with_));
      // The world throws on two copies, and on a state that its process contradicts.
      for (const move of list.filter(({ kind }) => kind !== 'stopAll' && kind !== 'killAll'))
        make(world, move);
      // Twice, since a node that is on its way out may have been told to stay down.
      world.settle();
      startAll(world);
      world.settle();
      return names.every((name) => phase(world, name) === 'ready');
    }),
    { numRuns: 2000 },
  );
  t.pass();
});

test('the newest command counts: a node told to stop stays down, told to restart comes back as a new one', (t) => {
  fc.assert(
    fc.property(
      rules,
      fc.array(moves, { maxLength: 40 }),
      fc.constantFrom(...names),
      (with_, list, name) => {
        const world = new World(mesh({ ...with_, restartsMax: 100 }));
        startAll(world);
        world.settle();
        for (const move of list.filter(({ kind }) => !kind.endsWith('All'))) make(world, move);
        world.step({ do: 'stop', node: name });
        world.settle();
        const down =
          !world.alive.has(name) && ['stopped', 'finished', 'gaveUp'].includes(phase(world, name));
        world.step({ do: 'start', node: name });
        world.settle();
        const before = world.alive.get(name)!.generation;
        world.step({ do: 'restart', node: name });
        world.settle();
        return down && phase(world, name) === 'ready' && world.alive.get(name)!.generation > before;
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

test('whatever was commanded before: stopping all ends with no process and nothing planned', (t) => {
  fc.assert(
    fc.property(
      rules,
      fc.boolean(),
      fc.array(moves, { maxLength: 60 }),
      fc.array(moves, { maxLength: 20 }),
      (with_, strict, before, after) => {
        const world = new World(mesh(with_), strict);
        for (const move of before) make(world, move);
        world.step({ do: 'stopAll' });
        const spawned = world.spawned.length;
        // Late commands and deaths change nothing about it.
        for (const move of after) make(world, move);
        world.settle();
        return (
          world.supervisor.idle &&
          world.alive.size === 0 &&
          world.spawned.length === spawned &&
          world.supervisor.wakeMs === Infinity
        );
      },
    ),
    { numRuns: 2000 },
  );
  t.pass();
});

test('a node that ignores being told is killed when its grace is over', (t) => {
  const world = new World([node('fetcher', [])]);
  startAll(world);
  world.becomeReady('fetcher');
  world.step({ do: 'stopAll' });
  t.is(world.supervisor.wakeMs, 5_000);
  world.pass(4_999);
  t.false(world.alive.get('fetcher')!.killed);
  world.pass(1);
  t.true(world.alive.get('fetcher')!.killed);
  world.exit('fetcher', { code: null, signal: 'SIGKILL' });
  t.is(phase(world, 'fetcher'), 'stopped');
});

test('readers start when their writer is ready and are stopped before it', (t) => {
  const world = new World(mesh());
  startAll(world);
  t.deepEqual([...world.alive.keys()], ['fetcher']);
  world.becomeReady('fetcher');
  t.deepEqual([...world.alive.keys()], ['fetcher', 'replica', 'binance']);
  world.settle();
  t.true(world.supervisor.settled);
  world.step({ do: 'stopAll' });
  t.deepEqual(world.toldToStop, ['kraken', 'binance']);
  world.settle();
  t.deepEqual(world.toldToStop, ['kraken', 'binance', 'replica', 'fetcher']);
});

test('a writer that dies later comes back without its readers being touched', (t) => {
  const world = new World(mesh());
  startAll(world);
  world.settle();
  world.exit('fetcher', { code: null, signal: 'SIGKILL' });
  t.is(phase(world, 'fetcher'), 'backoff');
  t.is(phase(world, 'binance'), 'ready');
  world.pass(500);
  world.becomeReady('fetcher');
  t.deepEqual(world.spawned, ['fetcher', 'replica', 'binance', 'kraken', 'fetcher']);
});

test('a node that keeps dying waits twice as long each time and is given up after the last restart', (t) => {
  const world = new World([node('web', [], { restartsMax: 3 })]);
  startAll(world);
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    world.becomeReady('web');
    world.exit('web', crash);
    waits.push(world.supervisor.wakeMs - world.nowMs);
    world.pass(waits.at(-1) === Infinity ? 0 : waits.at(-1)!);
  }
  t.deepEqual(waits, [500, 1000, 2000, Infinity]);
  t.is(phase(world, 'web'), 'gaveUp');
  t.true(world.supervisor.idle);
  world.step({ do: 'start', node: 'web' });
  t.is(phase(world, 'web'), 'starting');
});

test('a node that was sound for a minute starts again with the shortest wait', (t) => {
  const world = new World([node('web', [])]);
  startAll(world);
  for (const soundMs of [0, 0, 60_000]) {
    world.becomeReady('web');
    world.pass(soundMs);
    world.exit('web', crash);
    const waitMs = world.supervisor.wakeMs - world.nowMs;
    if (soundMs > 0) t.is(waitMs, 500);
    world.pass(waitMs);
  }
});

test('when a node fails before all were ready, everything is stopped and the culprit named', (t) => {
  const world = new World(mesh(), true);
  startAll(world);
  world.becomeReady('fetcher');
  world.exit('binance', crash);
  t.deepEqual(world.abandoned, ['binance']);
  world.settle();
  t.true(world.supervisor.idle);
  t.false(world.spawned.includes('kraken'));
});

test('a node that is not ready in time counts as failed', (t) => {
  const world = new World([node('slow', [])], true);
  startAll(world);
  world.pass(20_000);
  t.is(phase(world, 'slow'), 'stopping');
  world.exit('slow', { code: 0, signal: null });
  t.deepEqual(world.abandoned, ['slow']);
  t.like(world.supervisor.state('slow'), {
    phase: 'gaveUp',
    ending: { reason: 'was not ready within 20 s' },
  });
});

test('a node whose work is done is not started again, unless always is asked for', (t) => {
  for (const [policy, wanted] of [
    ['on-failure', 'finished'],
    ['no', 'finished'],
    ['always', 'backoff'],
  ] as const) {
    const world = new World([node('replay', [], { policy })], true);
    startAll(world);
    world.becomeReady('replay');
    world.exit('replay', { code: 0, signal: null });
    t.is(phase(world, 'replay'), wanted);
  }
});

test('waits double up to the longest and old failures are forgotten', (t) => {
  t.deepEqual(
    [1, 2, 3, 7, 1000].map((count) => backoffMs(count, 500, 30_000)),
    [500, 1000, 2000, 30_000, 30_000],
  );
  t.deepEqual(withinWindow([0, 10, 20], 25, 15), [20]);
});

// Real processes from here on.

/** Launches fixture nodes; `seen` waits until a node has been in a phase so many times. */
function launch(nodes: Readonly<Record<string, FixtureNode>>) {
  const history: string[] = [];
  const lines: { node: string; line: string; isError: boolean }[] = [];
  const infos = new Map<string, Ready>();
  let check = (): void => undefined;
  const launcher: Launcher = new Launcher({
    plan: fixturePlan(nodes),
    entry: fixtureEntry,
    onReady: (node, ready) => infos.set(node, ready),
    onLine: (node, line, isError) => lines.push({ node, line, isError }),
    onState: (node, state) => {
      history.push(`${node} ${state.phase}`);
      // The pid of a node is known when the step is over.
      queueMicrotask(() => check());
    },
  });
  const seen = (what: string, times = 1): Promise<void> =>
    new Promise((resolve) => {
      const before = check;
      check = () => {
        before();
        if (history.filter((each) => each === what).length >= times) resolve();
      };
      check();
    });
  return { launcher, history, lines, infos, seen };
}

test.serial(
  'nodes are started, become ready, and are stopped in reverse order with nothing left',
  async (t) => {
    const { launcher, history, infos, seen } = launch({
      writer: { mode: 'serve' },
      reader: { mode: 'serve', after: ['writer'] },
    });
    launcher.start();
    await seen('reader ready');
    const pids = [launcher.pid('writer')!, launcher.pid('reader')!];
    t.true(pids.every(isRunning));
    t.deepEqual(infos.get('writer')?.urls, { WebSocket: 'ws://127.0.0.1:1' });
    launcher.stop();
    t.deepEqual(await launcher.done, { end: 'stopped' });
    t.false(pids.some(isRunning));
    t.deepEqual(history, [
      'writer pending',
      'writer starting',
      'reader pending',
      'writer ready',
      'reader starting',
      'reader ready',
      'reader stopping',
      'reader stopped',
      'writer stopping',
      'writer stopped',
    ]);
  },
);

test.serial(
  'a publisher is started with flags that keep Node small, other nodes with Node as it comes',
  async (t) => {
    const { launcher, seen } = launch({
      publisher: { mode: 'serve', run: 'publisher' },
      fetcher: { mode: 'serve' },
    });
    const flags = (node: string): string[] =>
      readFileSync(`/proc/${launcher.pid(node)!}/cmdline`, 'utf8')
        .split('\0')
        .filter((part) => /space-size|growing|pool/.test(part));
    launcher.start();
    await Promise.all([seen('publisher ready'), seen('fetcher ready')]);
    t.deepEqual(flags('publisher'), [...publisherFlags]);
    t.deepEqual(flags('fetcher'), []);
    launcher.stop();
    await launcher.done;
  },
);

test.serial('a node that was killed is started again with a new process', async (t) => {
  const { launcher, seen } = launch({ web: { mode: 'serve' } });
  launcher.start();
  await seen('web ready');
  const before = launcher.pid('web')!;
  process.kill(before, 'SIGKILL');
  await seen('web ready', 2);
  t.not(launcher.pid('web'), before);
  launcher.stop();
  await launcher.done;
});

test.serial('a node that dies again and again is given up after the last restart', async (t) => {
  const { launcher, history } = launch({ web: { mode: 'flaky', rules: { restartsMax: 2 } } });
  launcher.start();
  t.deepEqual(await launcher.done, { end: 'finished', gaveUp: ['web'] });
  t.is(history.filter((each) => each === 'web starting').length, 3);
  t.like(launcher.state('web'), { phase: 'gaveUp', ending: { signal: 'SIGKILL' } });
});

test.serial(
  'a node that cannot start says why and what to do, and takes the others down with it',
  async (t) => {
    const { launcher, lines } = launch({
      writer: { mode: 'serve' },
      web: { mode: 'refuse', after: ['writer'] },
    });
    launcher.start();
    t.like(await launcher.done, {
      end: 'abandoned',
      node: 'web',
      late: false,
      ending: { code: 1, reason: 'port 7001 is taken', remedy: 'choose another' },
    });
    t.is(launcher.pid('writer'), undefined);
    t.false(
      lines.some(({ line }) => line.includes('    at ')),
      'no stack for what is expected',
    );
  },
);

test.serial('a defect of a node is logged with its stack', async (t) => {
  const { launcher, lines } = launch({ web: { mode: 'defect' } });
  launcher.start();
  const outcome = await launcher.done;
  t.regex(String(outcome.end === 'abandoned' && outcome.ending.reason), /^unexpected: /);
  const record = JSON.parse(lines.find(({ line }) => line.startsWith('{'))!.line) as {
    err: { stack: string };
  };
  t.regex(record.err.stack, /fixture-node/);
});

test.serial('a node that ignores its stop is killed after its grace', async (t) => {
  const { launcher, seen } = launch({ web: { mode: 'stubborn', rules: { graceMs: 200 } } });
  launcher.start();
  await seen('web ready');
  const pid = launcher.pid('web')!;
  launcher.stop();
  t.deepEqual(await launcher.done, { end: 'stopped' });
  t.false(isRunning(pid));
});

test.serial('a node that is not ready in time is stopped and named', async (t) => {
  const { launcher } = launch({ web: { mode: 'mute', rules: { readyMs: 600 } } });
  launcher.start();
  t.like(await launcher.done, {
    end: 'abandoned',
    late: true,
    ending: { reason: 'was not ready within 0.6 s' },
  });
});

test.serial('a node whose folder does not exist fails in one sentence', async (t) => {
  const { launcher } = launch({ web: { mode: 'serve', dir: '/nowhere/at/all' } });
  launcher.start();
  const outcome = await launcher.done;
  t.is(outcome.end, 'abandoned');
  t.regex(
    String(outcome.end === 'abandoned' && outcome.ending.reason),
    /^cannot be started in \/nowhere\/at\/all: /,
  );
});

test.serial('a node whose work is done ends the launch when it was the last', async (t) => {
  const { launcher } = launch({ replay: { mode: 'done' } });
  launcher.start();
  t.deepEqual(await launcher.done, { end: 'finished', gaveUp: [] });
});

test.serial(
  'whatever a node prints arrives as lines, on a terminal without its control characters',
  async (t) => {
    const { launcher, lines, seen, infos } = launch({ web: { mode: 'noisy' } });
    launcher.start();
    await seen('web ready');
    t.is(infos.get('web')?.note, 'said a lot');
    launcher.stop();
    await launcher.done;
    const records = lines.map(({ node: name, line, isError }) => toRecord(line, name, isError, 0));
    t.deepEqual(
      records
        .map(({ level, msg }) => [level, msg])
        .sort((a, b) => String(a[1]).localeCompare(String(b[1]))),
      [
        [30, 'as JSON'],
        [30, 'as text \u001b[31mred'],
        [50, 'on the other stream'],
        [30, 'unfinished'],
      ],
    );
    const pretty = new Pretty(['web', 'fetcher'], { color: false });
    const shown = records.map((record) => pretty.format('web', record)).join('\n');
    t.regex(
      shown,
      /^\d\d:\d\d:\d\d\.\d{3} web {5}\| INFO {2}as JSON {2}offset=1152921504606846976$/m,
    );
    t.false(shown.includes('\u001b'));
  },
);

test.serial('kill -9 of the supervisor leaves no node, not even one that hangs', async (t) => {
  const script = fileURLToPath(new URL('support/fixture-up.js', import.meta.url));
  const running = runScript(script, ['serve', 'stubborn', 'noisy']);
  const pids = JSON.parse(await running.line(/^\[/)) as number[];
  t.is(pids.length, 3);
  t.true(pids.every(isRunning));
  running.child.kill('SIGKILL');
  await allGone(pids);
  t.false(pids.some(isRunning));
});

test.serial('kill -9 of the supervisor while nodes are starting leaves none either', async (t) => {
  // A marker that its children inherit and no other process has.
  const marker = `tickmesh-spec-${process.pid}-${Date.now()}`;
  const script = fileURLToPath(new URL('support/fixture-up.js', import.meta.url));
  for (const waitMs of [0, 60, 150]) {
    const running = runScript(script, ['serve', 'serve'], { env: { FIXTURE_MARKER: marker } });
    await withMarker(marker, 2);
    await sleep(waitMs);
    running.child.kill('SIGKILL');
    await withMarker(marker, 0);
  }
  t.pass();
});

/** Resolves when at most (0) or at least so many processes carry the marker in their environment. */
async function withMarker(marker: string, count: number): Promise<void> {
  const carriers = (): number =>
    readdirSync('/proc').filter((name) => {
      if (!/^\d+$/.test(name)) return false;
      try {
        return (
          readFileSync(`/proc/${name}/environ`, 'latin1').includes(marker) &&
          isRunning(Number(name))
        );
      } catch {
        return false;
      }
    }).length;
  const untilMs = performance.now() + 10_000;
  for (;;) {
    const now = carriers();
    if (count === 0 ? now === 0 : now >= count) return;
    if (performance.now() > untilMs) throw new Error(`${now} processes, want ${count}`);
    await sleep(10);
  }
}

test('a log file is rotated by size and keeps so many', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'tickmesh-logs-'));
  {
    using files = new LogFiles({ dir, maxBytes: 100, keep: 2 });
    for (let i = 0; i < 10; i++) files.write('web', `line ${i} ${'x'.repeat(40)}`);
    t.is(files.lost, 0);
  }
  t.deepEqual(readdirSync(dir).sort(), ['web.log', 'web.log.1', 'web.log.2']);
  t.regex(readFileSync(join(dir, 'web.log'), 'utf8'), /^line 8 .*\nline 9 .*\n$/);
  t.throws(() => new LogFiles({ dir: join(dir, 'web.log'), maxBytes: 1, keep: 1 }), {
    code: 'LOG_UNWRITABLE',
  });
  rmSync(dir, { recursive: true });
});

test('output is cut into lines, also within a character, and an endless line is bounded', (t) => {
  const lines = new Lines();
  const bytes = Buffer.from('größe\nzwei\ndr');
  t.deepEqual(
    [...bytes].flatMap((byte) => lines.push(Buffer.from([byte]))),
    ['größe', 'zwei'],
  );
  t.deepEqual(lines.end(), ['dr']);
  for (let i = 0; i < 40; i++) lines.push(Buffer.alloc(1 << 16, 97));
  t.is(lines.end()[0]!.length, 65_536);
});

test('a message of a node that has another form is no message', (t) => {
  for (const bad of [
    null,
    1,
    'ready',
    {},
    { ready: 1 },
    { failed: { code: 1, message: 'x' } },
    { failed: {} },
  ]) {
    t.is(parseFromNode(bad), undefined);
  }
  t.deepEqual(parseFromNode({ ready: { urls: { a: 'b', c: 4 }, note: 5, more: 1 } }), {
    ready: { urls: { a: 'b' } },
  });
});

test('logs take BigInt, circles, causes and remedies', (t) => {
  const written: string[] = [];
  const logger = openLogger({ node: 'web', level: 'debug', write: (line) => written.push(line) });
  const circle: Record<string, unknown> = { offset: 2n ** 60n };
  circle['self'] = circle;
  const cause = new Error('ENOSPC');
  logger.info(circle, 'round');
  logger.error(
    {
      err: new TickmeshError('LOG_STALLED', 'full', {
        cause,
        remedy: 'make room',
        facts: { at: 1n },
      }),
    },
    'disk',
  );
  logger.child({ station: 'log' }, true).debug('child');
  logger.trace('not shown');
  const records = written.map((line) => JSON.parse(line) as Record<string, unknown>);
  t.like(records[0], {
    name: 'web',
    msg: 'round',
    offset: '1152921504606846976',
    self: { self: '[Circular]' },
  });
  t.like(records[1], {
    err: {
      code: 'LOG_STALLED',
      remedy: 'make room',
      facts: { at: '1' },
      cause: { message: 'ENOSPC' },
    },
  });
  t.false('stack' in (records[1]!['err'] as object), 'what is expected needs no stack');
  t.like(records[2], { station: 'log', msg: 'child' });
  t.is(records.length, 3);
  t.notThrows(() => silentLogger.error('nothing'));
});

test('a process stands back by so much, at most to the end, and says so where it may not come forward', async (t) => {
  const url = new URL('../lib/launch/niceness-process.js', import.meta.url).href;
  const code = `
    const { getPriority } = await import('node:os');
    const { standBack } = await import(${JSON.stringify(url)});
    const own = getPriority();
    const to = [0, 3, 3, 19].map((nice) => (standBack(nice), getPriority() - own));
    process.seteuid?.(65534);
    try {
      standBack(-1);
    } catch ({ code, message, remedy }) {
      console.log(JSON.stringify({ own, to, code, message, remedy }));
    }`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code]);
  let out = '';
  child.stdout.on('data', (text) => (out += String(text)));
  await once(child, 'close');
  const { own, to, ...error } = JSON.parse(out) as { own: number; to: number[] };
  t.deepEqual(to, [0, 3, 6, 19 - own]);
  t.like(error, { code: 'CONFIG_INVALID', message: 'the system refuses nice: -1' });
  t.regex((error as { remedy?: string }).remedy ?? '', /CAP_SYS_NICE/);
});
