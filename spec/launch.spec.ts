import test from 'ava';
import fc from 'fast-check';
import { backoffMs, withinWindow } from '../lib/launch/backoff.ts';
import type { SupervisedNode } from '../lib/launch/state.ts';
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
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('echo'), index: fc.nat(50) }) },
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
