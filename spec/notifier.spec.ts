import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'ava';
import fc from './support/property.ts';
import { Publisher, Subscriber, XSubscriber } from 'zeromq';
import { logName } from '../lib/log/name.ts';
import { kinds, type HeaderFields } from '../lib/mesh/header.ts';
import { MESSAGE_MAX } from '../lib/mesh/zeromq.ts';
import {
  dataTopic,
  encodeData,
  encodeNotice,
  noticeTopic,
  readNotice,
  type Heard,
} from '../lib/notifier/notice.ts';
import { Listeners } from '../lib/notifier/listeners-timer.ts';
import type { Notifier, OnState } from '../lib/notifier/notifier.ts';
import { ZeromqAnnouncer, ZeromqListener } from '../lib/notifier/zeromq/zeromq-socket.ts';
import { TickmeshError } from '../lib/world/error.ts';
import { freePort } from './support/ports.ts';
import { scratch, trades } from './support/logs.ts';
import { eventually, record, runFetcher, someEndpoint } from './support/push-source.ts';

const part = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{0,20}$/);
const names = fc.tuple(part, part, part).map((parts) => parts.join('/'));
const u32 = fc.integer({ min: 0, max: 4_294_967_295 });
const u64 = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const notices = fc.record({
  kind: fc.constantFrom(kinds.NOTICE, kinds.HEAD, kinds.END),
  epoch: u32,
  lines: u64,
  position: u64,
  length: u32,
  count: u32,
  lastEpoch: u32,
  recordEpoch: u32,
  aux: u64,
  tag: u64,
});

// --- the message ---

test('a notice survives the trip; one of a log with the longest parts fits a small message', (t) => {
  fc.assert(
    fc.property(names, notices, (log, fields) => {
      const heard = readNotice(encodeNotice(noticeTopic(log), fields))!;
      t.is(heard.log, log);
      t.deepEqual(heard.header, fields);
      t.is(heard.bytes.length, 0);
    }),
  );
  const name = logName(`${'e'.repeat(16)}/${'i'.repeat(32)}/${'c'.repeat(13)}`);
  t.true(encodeNotice(noticeTopic(name), { kind: kinds.HEAD }).length <= 128);
});

test('bytes that come along survive the trip, and are checked', (t) => {
  fc.assert(
    fc.property(names, notices, fc.uint8Array({ maxLength: 500 }), (log, fields, lines) => {
      const message = encodeData(
        dataTopic(log),
        { ...fields, kind: kinds.DATA },
        Buffer.from(lines),
      );
      const heard = readNotice(message)!;
      t.is(heard.log, log);
      t.deepEqual(heard.bytes, Buffer.from(lines));
      t.is(heard.header.length, lines.length);
      if (lines.length === 0) return;
      message[message.length - 1]! ^= 1;
      t.is(readNotice(message), undefined);
    }),
  );
});

test('no bytes whatever make the reader of notices throw, and damage is never taken for a notice', (t) => {
  const whole = encodeNotice(noticeTopic(trades), { kind: kinds.NOTICE, position: 77 });
  const inline = encodeData(dataTopic(trades), { kind: kinds.DATA }, Buffer.from('line\n'));
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      t.is(readNotice(Buffer.from(bytes)), undefined);
    }),
    { numRuns: 2_000 },
  );
  for (const message of [whole, inline]) {
    for (let cut = 0; cut < message.length; cut++)
      t.is(readNotice(message.subarray(0, cut)), undefined);
    t.is(readNotice(Buffer.concat([message, Buffer.from([0])])), undefined);
    const nul = message.indexOf(0);
    for (let at = nul; at < message.length; at++) {
      const damaged = Buffer.from(message);
      damaged[at]! ^= 0x81;
      t.is(readNotice(damaged), undefined, `byte ${at}`);
    }
  }
  // Headers of other purposes are no notices, on whatever topic.
  for (const kind of Object.values(kinds)) {
    const spoken = kind === kinds.NOTICE || kind === kinds.HEAD || kind === kinds.END;
    t.is(readNotice(encodeNotice(noticeTopic(trades), { kind })) !== undefined, spoken);
    if (kind !== kinds.DATA)
      t.is(readNotice(encodeData(dataTopic(trades), { kind }, Buffer.from('x'))), undefined);
  }
  t.is(readNotice(Buffer.concat([Buffer.alloc(300, 65), whole])), undefined, 'a name without end');
});

// --- over sockets ---

type Hearing = { heard: Heard[]; listener: ZeromqListener };

function hear(
  t: { teardown(fn: () => Promise<void>): void },
  endpoint: string,
  logs: readonly string[] | 'all',
  data = false,
): Hearing {
  const heard: Heard[] = [];
  const listener = new ZeromqListener({ endpoint, logs, data, onHeard: (one) => heard.push(one) });
  t.teardown(() => listener[Symbol.asyncDispose]());
  return { heard, listener };
}

/** An announcer that repeats `head` to whoever joins, and counts who did. */
async function announcer(
  t: { teardown(fn: () => Promise<void>): void },
  head: HeaderFields = { kind: kinds.HEAD, position: 1 },
): Promise<{ out: ZeromqAnnouncer; joins: string[] }> {
  const joins: string[] = [];
  const out = await ZeromqAnnouncer.bind({
    endpoint: someEndpoint(),
    onJoin: (log) => {
      joins.push(log);
      out.announce(log, head);
    },
  });
  t.teardown(() => out[Symbol.asyncDispose]());
  return { out, joins };
}

test('who joins late is told the end at once, every time', async (t) => {
  const { out } = await announcer(t, { kind: kinds.HEAD, position: 4711, epoch: 3 });
  for (let i = 0; i < 20; i++) {
    const { heard, listener } = hear(t, out.endpoint, [trades]);
    await eventually(() => heard.length > 0, 'the head');
    t.is(heard[0]!.header.kind, kinds.HEAD);
    t.is(heard[0]!.header.position, 4711);
    await listener[Symbol.asyncDispose]();
  }
});

test('a subscription matches its log and nothing that begins or ends like it', async (t) => {
  const { out, joins } = await announcer(t);
  const log = 'test/BTC-USD/trade';
  // Somebody who wants everything: nothing stays unsent.
  const all = new Subscriber({ linger: 0 });
  t.teardown(() => Promise.resolve(all.close()));
  all.connect(out.endpoint);
  all.subscribe();
  let sent = 0;
  void (async () => {
    for await (const [message] of all) sent += message ? 1 : 0;
  })();
  await eventually(() => {
    out.announce('test/other/trade', { kind: kinds.NOTICE });
    return sent > 0;
  }, 'everything');
  const { heard, listener } = hear(t, out.endpoint, [log], true);
  await eventually(() => heard.length === 1, 'joining');
  const lines = Buffer.from('x\n');
  for (const other of [
    'test/BTC-USDT/trade',
    'test/BTC-USD/trade2',
    'test/BTC-USD/trad',
    'test/BTC-USD',
    'xtest/BTC-USD/trade',
    '',
  ]) {
    out.announce(other, { kind: kinds.NOTICE, position: 1 });
    out.sendData(other, { kind: kinds.DATA }, lines);
  }
  out.announce(log, { kind: kinds.NOTICE, position: 2 });
  out.sendData(log, { kind: kinds.DATA, position: 2 }, lines);
  await eventually(() => heard.length >= 3, 'its own');
  t.deepEqual(
    heard.map(({ log: name, header }) => [name, header.kind, header.position]),
    [
      [log, kinds.HEAD, 1],
      [log, kinds.NOTICE, 2],
      [log, kinds.DATA, 2],
    ],
  );
  t.is(listener.invalid, 0);
  t.deepEqual(joins, [log]);
});

test('a listener that rests hears heartbeats and the end only, until it is woken', async (t) => {
  const { out, joins } = await announcer(t);
  const { heard, listener } = hear(t, out.endpoint, [trades]);
  const positions = (): number[] => heard.map(({ header }) => header.position);
  await eventually(() => heard.length > 0, 'joining');
  out.announce(trades, { kind: kinds.NOTICE, position: 2 });
  await eventually(() => positions().includes(2), 'a notice');
  listener.rest(true);
  // A subscription travels. Once it is there, of a notice and a heartbeat only the heartbeat comes.
  let position = 10;
  await eventually(() => {
    const kindsOf = heard.slice(-2).map(({ header }) => header.kind);
    out.announce(trades, { kind: kinds.NOTICE, position: ++position });
    out.announce(trades, { kind: kinds.HEAD, position });
    return heard.length > 3 && kindsOf.every((kind) => kind === kinds.HEAD);
  }, 'notices to stop');
  const joined = joins.length;
  listener.rest(false);
  await eventually(() => joins.length > joined, 'joining again: the end is repeated');
  out.announce(trades, { kind: kinds.NOTICE, position: 4711 });
  await eventually(() => positions().includes(4711), 'notices again');
  t.is(listener.invalid, 0);
});

test('while the quickest works the others rest; when it stops they are awake again', async (t) => {
  const rests: boolean[] = [];
  const states: OnState[] = [];
  const nothing = async (): Promise<void> => undefined;
  const fake = (scheme: string, quickest: boolean): Notifier => ({
    name: scheme,
    supports: {
      acrossHosts: false,
      data: false,
      needsServer: false,
      needsFiles: false,
      heartbeats: !quickest,
      quickest,
      channels: false,
      endpointSchemes: [scheme],
    },
    announce: () => Promise.reject(new Error('not here')),
    async listen({ onState }) {
      if (quickest) states.push(onState!);
      return {
        invalid: 0,
        rest: (resting) => rests.push(resting),
        [Symbol.asyncDispose]: nothing,
      };
    },
  });
  const among = [fake('slow', false), fake('quick', true)];
  const all = new Listeners({ logs: [trades], among, onHeard: () => undefined });
  t.teardown(() => all[Symbol.asyncDispose]());
  all.add('slow:');
  all.add('quick:');
  await eventually(() => states.length === 1, 'both to open');
  const [say] = states;
  t.deepEqual(rests, []);
  say!('on');
  t.deepEqual(rests, [true]);
  say!('off', new Error('no events'));
  t.deepEqual(rests, [true, false]);
  say!('on');
  all.add('slow:later');
  await eventually(() => rests.length === 4, 'one that comes later rests too');
  t.deepEqual(rests, [true, false, true, true]);
});

test('a stranger who says that all have left silences nobody for longer than to the next heartbeat', async (t) => {
  const endpoint = `tcp://127.0.0.1:${await freePort()}`;
  const out = await ZeromqAnnouncer.bind({ endpoint, logs: [trades] });
  t.teardown(() => out[Symbol.asyncDispose]());
  const { heard } = hear(t, endpoint, [trades], true);
  await eventually(() => out.wantsData(trades), 'the wish');
  out.announce(trades, { kind: kinds.NOTICE, position: 1 });
  await eventually(() => heard.length === 1, 'the first');

  // By hand: a socket of ZeroMQ does not say that it leaves what it never joined.
  const stranger = connect(Number(endpoint.slice(endpoint.lastIndexOf(':') + 1)), '127.0.0.1');
  t.teardown(() => void stranger.destroy());
  const greeting = Buffer.alloc(64);
  greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3]);
  greeting.write('NULL', 12);
  const ready = Buffer.from('\x05READY\x0bSocket-Type\0\0\0\x03SUB', 'latin1');
  const frame = (flags: number, body: Buffer) =>
    Buffer.concat([Buffer.from([flags, body.length]), body]);
  let answer = '';
  stranger.on('data', (bytes) => (answer += bytes.toString('latin1')));
  stranger.write(Buffer.concat([greeting, frame(4, ready)]));
  // Who speaks before the other one is ready is cut.
  await eventually(() => answer.includes('READY'), 'the handshake');
  for (const topic of [noticeTopic(trades), dataTopic(trades)])
    stranger.write(frame(0, Buffer.concat([Buffer.from([0]), topic])));
  await eventually(() => !out.wantsData(trades), 'the lie to be believed');

  out.announce(trades, { kind: kinds.NOTICE, position: 2 });
  out.announce(trades, { kind: kinds.HEAD, position: 2 });
  await eventually(() => out.wantsData(trades), 'the wish, said again');
  out.announce(trades, { kind: kinds.NOTICE, position: 3 });
  await eventually(() => heard.at(-1)!.header.position === 3, 'notices');
  t.deepEqual(
    heard.map(({ header }) => [header.kind, header.position]),
    [
      [kinds.NOTICE, 1],
      [kinds.HEAD, 2],
      [kinds.NOTICE, 3],
    ],
  );
});

test('bytes are sent along only while somebody asks for them', async (t) => {
  const { out } = await announcer(t);
  t.false(out.wantsData(trades));
  const one = hear(t, out.endpoint, [trades], true);
  const two = hear(t, out.endpoint, [trades], true);
  await eventually(() => out.wantsData(trades), 'the wish');
  await eventually(() => one.heard.length > 0 && two.heard.length > 0, 'both');
  await one.listener[Symbol.asyncDispose]();
  const three = hear(t, out.endpoint, [trades]);
  await eventually(() => three.heard.length > 0, 'the third');
  t.true(out.wantsData(trades), 'one still does');
  await two.listener[Symbol.asyncDispose]();
  await eventually(() => !out.wantsData(trades), 'nobody left');
});

test('what is no notice is dropped and counted, and the next notice is heard', async (t) => {
  const endpoint = someEndpoint();
  const socket = new Publisher({ linger: 0 });
  await socket.bind(endpoint);
  t.teardown(() => socket.close());
  const { heard, listener } = hear(t, endpoint, [trades]);
  const good = encodeNotice(noticeTopic(trades), { kind: kinds.NOTICE, position: 5 });
  // A PUB drops what nobody subscribes to yet: repeat until it is heard.
  while (heard.length === 0) {
    await socket.send(good);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const topic = noticeTopic(trades);
  const bad = [
    topic,
    Buffer.concat([topic, Buffer.alloc(64)]),
    Buffer.concat([topic, Buffer.alloc(100_000, 255)]),
    good.subarray(0, -1),
  ];
  for (const message of bad) await socket.send(message);
  await socket.send([good, good]);
  await socket.send([topic, good.subarray(topic.length)]);
  const before = heard.length;
  await socket.send(good);
  await eventually(() => heard.length > before, 'the good one');
  t.is(listener.invalid, bad.length + 2);
});

test('a message beyond all bounds costs its sender the connection, not us our life', async (t) => {
  const endpoint = someEndpoint();
  const socket = new Publisher({ linger: 0 });
  await socket.bind(endpoint);
  t.teardown(() => socket.close());
  const { heard } = hear(t, endpoint, [trades]);
  const good = encodeNotice(noticeTopic(trades), { kind: kinds.NOTICE, position: 5 });
  const untilHeard = async (): Promise<void> => {
    const before = heard.length;
    while (heard.length === before) {
      await socket.send(good);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  await untilHeard();
  for (let i = 0; i < 2; i++) {
    await socket.send(Buffer.concat([noticeTopic(trades), Buffer.alloc(2 * MESSAGE_MAX)]));
    // What was sent before it may still arrive: two more are certain to come after.
    await untilHeard();
    await untilHeard();
  }
  t.true(heard.every((one) => one.bytes.length === 0));
});

test('strangers at the door of an announcer disturb nobody', async (t) => {
  const out = await ZeromqAnnouncer.bind({ endpoint: 'tcp://127.0.0.1:*' });
  t.teardown(() => out[Symbol.asyncDispose]());
  const port = Number(/:(\d+)$/.exec(out.endpoint)![1]);
  const { heard } = hear(t, out.endpoint, [trades], true);
  await eventually(() => out.wantsData(trades), 'joining');
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    Buffer.alloc(4_096, 255),
    Buffer.concat([Buffer.from([255, 0, 0, 0, 0, 0, 0, 0, 1, 127, 3, 0]), Buffer.alloc(5_000, 7)]),
    Buffer.alloc(0),
  ]) {
    const stranger = connect(port, '127.0.0.1');
    stranger.on('error', () => undefined);
    await once(stranger, 'connect');
    stranger.end(bytes);
    t.teardown(() => void stranger.destroy());
  }
  // A well-mannered peer that says nonsense: no subscription, one too long, another's bytes not wanted any more.
  const rude = new XSubscriber({ linger: 0 });
  t.teardown(() => rude.close());
  rude.connect(out.endpoint);
  await rude.send(Buffer.concat([Buffer.from([2]), dataTopic(trades)]));
  await rude.send(Buffer.alloc(0));
  await rude.send(Buffer.from([1, 0]));
  await rude.send(Buffer.concat([Buffer.from([1]), Buffer.alloc(3_000, 66)]));
  const polite = new Subscriber({ linger: 0 });
  t.teardown(() => polite.close());
  polite.connect(out.endpoint);
  polite.subscribe(dataTopic('test/late/comer'));
  await eventually(() => out.wantsData('test/late/comer'), 'the announcer to have read it all');
  await rude.send(Buffer.alloc(100_000, 1));
  t.true(out.wantsData(trades), 'nobody speaks for others');
  out.announce(trades, { kind: kinds.NOTICE, position: 9 });
  await eventually(() => heard.some(({ header }) => header.position === 9), 'the notice');
});

test('announcing to nobody, to very many logs, or after the end, throws nothing', async (t) => {
  const { out } = await announcer(t);
  for (let i = 0; i < 20_000; i++)
    out.announce(`test/l${i % 50}/trade`, { kind: kinds.NOTICE, position: i });
  await out[Symbol.asyncDispose]();
  t.notThrows(() => out.announce(trades, { kind: kinds.NOTICE }));
  await new Promise((resolve) => setImmediate(resolve));
});

test('a listener finds an announcer that comes later, and one that comes back', async (t) => {
  const endpoint = someEndpoint();
  const { heard } = hear(t, endpoint, [trades]);
  for (let round = 1; round <= 3; round++) {
    const out = await ZeromqAnnouncer.bind({
      endpoint,
      onJoin: (log) => out.announce(log, { kind: kinds.HEAD, position: round }),
    });
    await eventually(() => heard.some(({ header }) => header.position === round), `round ${round}`);
    await out[Symbol.asyncDispose]();
  }
  t.pass();
});

test('an endpoint that is taken is refused with what to do', async (t) => {
  const { out } = await announcer(t);
  const error = await t.throwsAsync(ZeromqAnnouncer.bind({ endpoint: out.endpoint }), {
    code: 'PORT_TAKEN',
  });
  t.true(error!.message.includes(out.endpoint));
  await t.throwsAsync(ZeromqAnnouncer.bind({ endpoint: 'ipc:///nowhere/at/all' }), {
    code: 'BIND_FAILED',
  });
  await t.throwsAsync(ZeromqAnnouncer.bind({ endpoint: 'nonsense' }), {
    instanceOf: TickmeshError,
  });
});

test("a fetcher's listeners hear notices as it writes, heads while it rests, and its end", async (t) => {
  const data = scratch(t);
  const feed = someEndpoint();
  const { source, stop } = await runFetcher(t, data, { feed });
  const { heard } = hear(t, feed, [trades]);
  await eventually(() => heard.length > 0, 'joining');
  source.push(record('{"n":1}'));
  source.push(record('{"n":2}'));
  await eventually(() => heard.some(({ header }) => header.lines === 2), 'two lines');
  const end = heard.find(({ header }) => header.lines === 2)!.header.position;
  const heads = (): Heard[] =>
    heard.filter(({ header }) => header.kind === kinds.HEAD && header.position === end);
  await eventually(() => heads().length >= 5, 'five heartbeats in half a second');
  await stop();
  await eventually(() => heard.at(-1)!.header.kind === kinds.END, 'its last word');
  t.is(heard.at(-1)!.header.position, end);
  const positions = heard.map(({ header }) => header.position);
  t.deepEqual(
    positions,
    positions.toSorted((a, b) => a - b),
  );
});
