import { EventEmitter } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, watch, writeFileSync, type FSWatcher } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { registerCompletionHandler } from 'ava';
import { conformance, type Register } from '../lib/conformance/conformance.ts';
import { Relay } from '../lib/notifier/ipc/relay-process.ts';
import { kinds } from '../lib/mesh/header.ts';
import { publicEndpoint } from '../lib/notifier/endpoint.ts';
import { ipc } from '../lib/notifier/ipc/ipc.ts';
import { loadPeer } from '../lib/notifier/peer.ts';
import { WatchingListener } from '../lib/notifier/watching/disk-watching.ts';
import type { TickmeshError } from '../lib/world/error.ts';
import { until } from './support/copies.ts';
import { hybridEndpoint } from '../lib/notifier/hybrid/hybrid-parts.ts';
import { freePort } from './support/ports.ts';
import { missing, rabbitServer, redisServer, type OwnServer } from './support/servers.ts';

// Clients of servers that were killed on purpose may hold the process open.
registerCompletionHandler(() => process.exit());

/** Everything; and that no server may be missing. */
const long = process.env['TICKMESH_LONG'] !== undefined;
const whole = long || process.env['NO_SKIPPED_TESTS'] !== undefined;

const register: Register = Object.assign(
  (title: string, run: () => Promise<void>) =>
    test.serial(title, async (t) => {
      await run();
      t.pass();
    }),
  {
    skip: (title: string) =>
      whole && !title.includes(LATER)
        ? test(title, (t) => t.fail('left out, and nothing may be: install what it names'))
        : test.skip(title, () => undefined),
  },
);

/** Left out unless everything is wanted. */
const LATER = 'TICKMESH_LONG=1 runs it';
const slow = long ? {} : { skip: LATER };

let counter = 0;
const socket = (): string => `ipc://@tickmesh-conformance-${process.pid}-${++counter}`;

conformance(register, { name: 'zeromq over ipc', make: async () => ({ endpoint: socket() }) });
conformance(register, {
  name: 'zeromq over tcp',
  ...slow,
  make: async () => ({ endpoint: `tcp://127.0.0.1:${await freePort()}` }),
});
conformance(register, { name: 'watching', make: async () => ({ endpoint: 'watching:' }) });
conformance(register, {
  name: 'polling by position',
  make: async () => ({ endpoint: 'polling:?interval=20ms' }),
});
conformance(register, {
  name: 'polling by modification time',
  ...slow,
  make: async () => ({ endpoint: 'polling:?by=mtime&interval=20ms' }),
});
conformance(register, {
  name: 'hybrid of all three',
  make: async () => ({
    endpoint: hybridEndpoint([socket(), 'watching:', 'polling:?interval=50ms']),
  }),
});

conformance(register, {
  name: 'ipc through the parent',
  make: async () => {
    const relay = new Relay();
    return {
      endpoint: `node-ipc:?channel=spec-${++counter}`,
      attach: (child) => relay.attach(child),
    };
  },
});

/** A server that is started with the first test that needs it. */
function lazily(make: () => Promise<OwnServer>): () => Promise<OwnServer> {
  let starting: Promise<OwnServer> | undefined;
  test.after.always(async () => (await starting)?.end());
  const start = async (): Promise<OwnServer> => {
    const server = await make();
    await server.start();
    return server;
  };
  return () => (starting ??= start());
}

/** Each test has a channel of its own on one server. */
function served(
  name: string,
  why: string | undefined,
  start: () => Promise<OwnServer>,
  endpoint: (port: number, channel: string) => string,
): void {
  conformance(register, {
    name,
    server: true,
    ...(why === undefined ? {} : { skip: why }),
    make: async () => {
      const server = await start();
      return { endpoint: endpoint(server.port, `spec-${++counter}`), server };
    },
  });
}

served(
  'redis',
  missing.redis,
  lazily(redisServer),
  (port, channel) => `redis://127.0.0.1:${port}?channel=${channel}`,
);
const rabbit = lazily(rabbitServer);
// Each start of it takes some 10 s.
const noRabbit = missing.rabbitmq ?? slow.skip;
served(
  'rabbitmq, transient',
  noRabbit,
  rabbit,
  (port, channel) => `amqp://127.0.0.1:${port}?channel=${channel}`,
);
served(
  'rabbitmq, persistent',
  noRabbit,
  rabbit,
  (port, channel) => `amqp://127.0.0.1:${port}?channel=${channel}&persistent`,
);

test.serial('a parent says it to its children directly, and hears them', async (t) => {
  const relay = new Relay();
  const [there, here] = [relay.port(), relay.port()];
  const endpoint = 'node-ipc:?channel=family';
  const log = 'kraken/BTC-USD/trade';
  const heard: number[] = [];
  const joined: string[] = [];
  await using announcer = await ipc.announce({
    endpoint,
    port: there,
    onJoin: (name) => joined.push(name),
  });
  const listener = await ipc.listen({
    endpoint,
    port: here,
    logs: [log],
    onHeard: ({ header }) => heard.push(header.position),
  });
  t.deepEqual(joined, [log]);
  announcer.announce(log, { kind: kinds.NOTICE, epoch: 1, position: 2 ** 53 - 1 });
  announcer.announce('kraken/BTC-USDT/trade', { kind: kinds.NOTICE, epoch: 1, position: 7 });
  here.send({ notice: ['family', log, 1, 'x'] }, () => undefined);
  t.deepEqual(heard, [2 ** 53 - 1]);
  t.is(listener.invalid, 1);
  await listener[Symbol.asyncDispose]();
  announcer.announce(log, { kind: kinds.NOTICE, epoch: 1, position: 8 });
  t.is(heard.length, 1);
});

test('a file system that raises no events is found out, and believed again once it does', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tickmesh-'));
  const log = 'kraken/BTC-USD/trade';
  mkdirSync(join(folder, log), { recursive: true });
  const head = join(folder, log, 'head');
  writeFileSync(head, '0');
  const events = new Map<string, () => void>();
  const states: string[] = [];
  let rings = 0;
  const listener = new WatchingListener(
    {
      endpoint: 'watching:',
      folder,
      logs: [log],
      onHeard: () => undefined,
      onRing: () => rings++,
      onState: (state) => states.at(-1) === state || states.push(state),
    },
    { judgeMs: 20, graceMs: 10 },
    (path, onEvent) => {
      events.set(path, onEvent);
      return Object.assign(new EventEmitter(), { close: () => undefined }) as unknown as FSWatcher;
    },
  );
  t.is(rings, 1, 'what was written before is looked at');
  writeFileSync(head, '01');
  await until('it is off', () => states.at(-1) === 'off');
  t.is(rings, 2, 'what it missed is looked at');
  writeFileSync(head, '012');
  events.get(head)!();
  await until('it is on', () => states.at(-1) === 'on');
  t.deepEqual(states, ['on', 'off', 'on']);
  await listener[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test('a kernel without watches to spare is said with a remedy, and tried again', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tickmesh-'));
  const log = 'kraken/BTC-USD/trade';
  mkdirSync(join(folder, log), { recursive: true });
  writeFileSync(join(folder, log, 'head'), '0');
  let full = true;
  const said: [string, Error | undefined][] = [];
  const listener = new WatchingListener(
    {
      endpoint: 'watching:',
      folder,
      logs: [log],
      onHeard: () => undefined,
      onState: (state, why) => said.push([state, why]),
    },
    { restMs: 20 },
    (path, onEvent) => {
      if (full) throw Object.assign(new Error('watch ENOSPC'), { code: 'ENOSPC' });
      return watch(path, onEvent);
    },
  );
  const [state, why] = said[0]!;
  t.is(state, 'failed');
  t.regex((why as TickmeshError).remedy!, /max_user_watches/);
  full = false;
  await until('it is on', () => said.at(-1)![0] === 'on');
  await listener[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

test('a package that is not installed is named, with what to do; other failures of it are not hidden', async (t) => {
  const gone = Object.assign(new Error("Cannot find package 'ioredis' imported from /x.js"), {
    code: 'ERR_MODULE_NOT_FOUND',
  });
  const error = await t.throwsAsync<TickmeshError>(
    loadPeer('ioredis', () => Promise.reject(gone)),
    { code: 'PEER_MISSING' },
  );
  t.is(error.remedy, 'npm install ioredis');
  const other = new Error('broken');
  t.is(await t.throwsAsync(loadPeer('ioredis', () => Promise.reject(other))), other);
});

test('user and password of a server are not shown to others', (t) => {
  t.is(publicEndpoint('redis://me:se%40cret@h:6379?channel=x'), 'redis://h:6379?channel=x');
  t.is(publicEndpoint('amqp://me:p@ss@h:5672/v'), 'amqp://h:5672/v');
  t.is(publicEndpoint('amqp://h:5672/v'), 'amqp://h:5672/v');
  const both = hybridEndpoint(['redis://me:secret@h', 'watching:']);
  t.is(publicEndpoint(both), hybridEndpoint(['redis://h', 'watching:']));
  t.is(publicEndpoint('ipc://@tickmesh-a'), 'ipc://@tickmesh-a');
  t.is(publicEndpoint('tcp://127.0.0.1:5700'), 'tcp://127.0.0.1:5700');
});
