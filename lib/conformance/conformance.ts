/**
 * What every notifier promises, as tests for whatever runner there is: `conformance(test, { name, make })` registers them.
 * `make` gives each test a world of its own. Everything happens between processes, over real files.
 *
 *   import test from 'node:test';
 *   import { conformance } from 'tickmesh/conformance';
 *   conformance(test, { name: 'pigeons', make: async () => ({ endpoint: 'pigeon:loft-7', module: import.meta.resolve('./pigeons.js') }) });
 */
import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notifiersWith } from '../notifier/all.ts';
import { requireNotifier } from '../notifier/find.ts';
import type { Notifier } from '../notifier/notifier.ts';
import { Actor } from './actors-process.ts';
import type { FromActor } from './message.ts';

/** A server that the notifier needs, to be killed and started again at the same place. */
export type Server = { kill(): Promise<void>; start(): Promise<void> };

export type World = {
  /** Where to say and to hear; nobody else uses it. */
  readonly endpoint: string;
  /** URL of a module that exports a `notifier`, when it is none of the built-in ones. */
  readonly module?: string;
  readonly server?: Server;
  /** Told of every process, before it does anything. */
  readonly attach?: (child: ChildProcess) => void;
  readonly close?: () => Promise<void>;
};

export type Subject = {
  readonly name: string;
  make(): Promise<World>;
  /** Its worlds have a server that can be killed. */
  readonly server?: boolean;
  /** Why it cannot be tested here. */
  readonly skip?: string;
};

/** A test runner's way to register a test; ava's, node:test's, and most others'. */
export type Register = {
  (title: string, run: () => Promise<void>): unknown;
  skip?(title: string, run: () => Promise<void>): unknown;
};

const BTC_USD = 'kraken/BTC-USD/trade';
const BTC_USDT = 'kraken/BTC-USDT/trade';

/** A test's world, with the actors in it. */
type Play = World & {
  readonly data: string;
  readonly notifier: Notifier;
  actor(name: string): Actor;
};

async function inWorld(subject: Subject, run: (play: Play) => Promise<void>): Promise<void> {
  const world = await subject.make();
  const data = mkdtempSync(join(tmpdir(), 'tickmesh-'));
  const actors: Actor[] = [];
  try {
    const { endpoint, module, attach } = world;
    const own =
      module === undefined ? [] : [((await import(module)) as { notifier: Notifier }).notifier];
    const actor = (name: string): Actor => {
      const one = new Actor(name, { endpoint, data, ...(module ? { module } : {}) }, attach);
      actors.push(one);
      return one;
    };
    await run({ ...world, data, notifier: requireNotifier(endpoint, notifiersWith(own)), actor });
  } finally {
    await Promise.all(actors.map((one) => one.kill()));
    await world.close?.();
    rmSync(data, { recursive: true, force: true });
  }
}

type Heard = Extract<FromActor, { is: 'heard' }>;
type Said = Extract<FromActor, { is: 'said' }>;

const heard =
  (id: string, { log, epoch, position }: Said) =>
  (message: FromActor): boolean =>
    message.is === 'heard' &&
    message.id === id &&
    message.log === log &&
    message.epoch === epoch &&
    message.position >= position;

/** Says again and again, until it is heard: what was said before a connection stood may be lost. */
async function sayUntilHeard(
  speaker: Actor,
  listener: Actor,
  id: string,
  log: string,
): Promise<void> {
  const untilMs = performance.now() + 60_000;
  for (;;) {
    const from = listener.said.length;
    const said = await speaker.ask({ do: 'say', log }, 'said');
    const last = performance.now() > untilMs;
    const found = await listener
      .find(`${id} hears ${log}`, heard(id, said), from, last ? 1_000 : 250)
      .catch((error: unknown) => error);
    if (!(found instanceof Error)) return;
    if (last) throw found;
  }
}

/** Registers the suite for one notifier. */
export function conformance(test: Register, subject: Subject): void {
  const { name, skip } = subject;
  const promise = (title: string, run: (play: Play) => Promise<void>): void => {
    const whole = `${name}: ${title}`;
    if (skip !== undefined && test.skip) test.skip(`${whole} (${skip})`, async () => undefined);
    else if (skip === undefined) test(whole, () => inWorld(subject, run));
  };

  promise(
    'what is said is heard, by who came before and who came after, and under its own name only',
    async (play) => {
      const listener = play.actor('listener');
      await listener.ask({ do: 'listen', id: 'early', logs: [BTC_USD] }, 'open');
      const speaker = play.actor('speaker');
      await speaker.ask({ do: 'announce', logs: [BTC_USD, BTC_USDT] }, 'open');
      await sayUntilHeard(speaker, listener, 'early', BTC_USD);
      const said = await speaker.ask({ do: 'say', log: BTC_USD }, 'said');
      await listener.find('the early one hears the next', heard('early', said));

      await speaker.ask({ do: 'say', log: BTC_USDT }, 'said');
      await listener.ask({ do: 'listen', id: 'late', logs: [BTC_USD] }, 'open');
      await listener.find(
        'the late one hears the end, though nothing more is said',
        heard('late', said),
      );

      // Old news said again, in any order, changes nothing: the largest counts.
      for (const number of [0, 1, 0]) speaker.tell({ do: 'repeat', log: BTC_USD, said: number });
      const end = await speaker.ask({ do: 'say', log: BTC_USD }, 'said');
      for (const id of ['early', 'late'])
        await listener.find(`${id} hears the last`, heard(id, end));
      for (const message of listener.said) {
        if (message.is !== 'heard') continue;
        assert.equal(message.log, BTC_USD, 'a name that begins alike was heard');
        assert.ok(message.position <= end.position, 'heard what was never said');
      }
      await listener.ask({ do: 'leave', id: 'early' }, 'closed');
      const from = listener.said.length;
      const after = await speaker.ask({ do: 'say', log: BTC_USD }, 'said');
      await listener.find('who stays still hears', heard('late', after), from);
      assert.ok(
        !listener.said.slice(from).some((one) => one.is === 'heard' && one.id === 'early'),
        'who left still hears',
      );
    },
  );

  promise('a writer that is killed and comes back is heard again', async (play) => {
    const listener = play.actor('listener');
    await listener.ask({ do: 'listen', id: 'one', logs: [BTC_USD] }, 'open');
    let epoch = 0;
    for (let life = 0; life < 3; life++) {
      const speaker = play.actor(`speaker ${life}`);
      await speaker.ask({ do: 'announce', logs: [BTC_USD] }, 'open');
      await sayUntilHeard(speaker, listener, 'one', BTC_USD);
      const last = listener.said.findLast((one): one is Heard => one.is === 'heard')!;
      assert.ok(last.epoch > epoch, 'each life has an epoch of its own');
      epoch = last.epoch;
      await speaker.kill();
    }
  });

  promise(
    'under load, with notices lost, repeated and late, and the writer killed twice, a feed loses nothing',
    async (play) => {
      const logs = [BTC_USD, BTC_USDT];
      const reader = play.actor('reader');
      await reader.ask({ do: 'read', logs, lost: 0.3 }, 'open');
      const load = { do: 'write', logs, perSecond: 5_000, garbled: 0.3 } as const;
      for (const enough of [1_000, 2_500]) {
        const writer = play.actor('writer');
        await writer.ask({ ...load, until: 1e9 }, 'open');
        await reader.find(
          `${enough} records are read`,
          (one) => one.is === 'wrong' || (one.is === 'read' && one.records >= enough),
        );
        await writer.kill();
      }
      const writer = play.actor('writer');
      await writer.ask({ ...load, until: 4_000 }, 'open');
      const written = await writer.find('it has written all', (one) => one.is === 'written');
      assert.ok(written.is === 'written');
      const read = await reader.find(
        'all is read',
        (one) =>
          one.is === 'wrong' ||
          (one.is === 'read' && logs.every((log) => one.last[log] === written.last[log])),
      );
      assert.deepEqual(
        reader.said.filter((one) => one.is === 'wrong'),
        [],
      );
      assert.ok(read.is === 'read');
      assert.deepEqual(read.late, [], 'records came late for no reason');
      assert.equal(
        read.records,
        logs.reduce((sum, log) => sum + written.last[log]! + 1, 0),
      );
      assert.ok(read.told > 0, 'it was never told anything');
    },
  );

  promise('closing leaves nothing: the process ends by itself', async (play) => {
    const actor = play.actor('both');
    await actor.ask({ do: 'announce', logs: [BTC_USD] }, 'open');
    await actor.ask({ do: 'listen', id: 'one', logs: [BTC_USD] }, 'open');
    await sayUntilHeard(actor, actor, 'one', BTC_USD);
    await actor.ask({ do: 'close' }, 'closed');
    assert.deepEqual(await within(10_000, actor.ended), { code: 0, signal: null });
  });

  promise('an endpoint that is wrong is refused, not ignored', async ({ data, notifier }) => {
    for (const scheme of notifier.supports.endpointSchemes) {
      const endpoint = `${scheme}:?pigeon=1`;
      const onHeard = (): void => undefined;
      await assert.rejects(notifier.listen({ endpoint, logs: [BTC_USD], folder: data, onHeard }));
    }
  });

  if (!subject.server) return;
  promise('a server that dies and comes back costs nothing but time', async (play) => {
    const listener = play.actor('listener');
    await listener.ask({ do: 'listen', id: 'one', logs: [BTC_USD] }, 'open');
    const speaker = play.actor('speaker');
    await speaker.ask({ do: 'announce', logs: [BTC_USD] }, 'open');
    await sayUntilHeard(speaker, listener, 'one', BTC_USD);
    const from = listener.said.length;
    await play.server!.kill();
    await listener.find('it notices', (one) => one.is === 'state' && one.state === 'off', from);
    // What nobody can hear must not stop who says it.
    for (let i = 0; i < 100; i++) await speaker.ask({ do: 'say', log: BTC_USD }, 'said');
    await play.server!.start();
    await sayUntilHeard(speaker, listener, 'one', BTC_USD);
    await listener.find('it says so', (one) => one.is === 'state' && one.state === 'on', from);
  });

  promise(
    'a server that comes later than everybody is found; without it closing is no harder',
    async (play) => {
      await play.server!.kill();
      const listener = play.actor('listener');
      await listener.ask({ do: 'listen', id: 'one', logs: [BTC_USD] }, 'open');
      const speaker = play.actor('speaker');
      await speaker.ask({ do: 'announce', logs: [BTC_USD] }, 'open');
      await speaker.ask({ do: 'say', log: BTC_USD }, 'said');
      await play.server!.start();
      await sayUntilHeard(speaker, listener, 'one', BTC_USD);
      await play.server!.kill();
      try {
        for (const actor of [listener, speaker]) {
          await actor.ask({ do: 'close' }, 'closed');
          assert.deepEqual(await within(10_000, actor.ended), { code: 0, signal: null });
        }
      } finally {
        await play.server!.start();
      }
    },
  );
}

async function within<T>(limitMs: number, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${limitMs / 1000} s`)), limitMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
