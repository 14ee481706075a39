import { createServer } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { WebSocket } from 'ws';
import { Client, type Outlet } from '../lib/publisher/client.ts';
import { Arena, Pile } from '../lib/publisher/arena.ts';
import { framePayloads, textFrame } from '../lib/publisher/frame.ts';
import { Hub } from '../lib/publisher/hub.ts';
import { newMetrics } from '../lib/publisher/metrics.ts';
import { Pings } from '../lib/publisher/ping.ts';
import { logName } from '../lib/log/name.ts';
import { Publisher, type PublisherOptions } from '../lib/publisher/publisher.ts';
import type { PublisherSettings } from '../lib/publisher/settings.ts';
import { type SlowLimits, admit, slowDefaults } from '../lib/publisher/slow.ts';
import { TickmeshError } from '../lib/world/error.ts';
import { tellEvents } from '../nodes/told.ts';
import { type FakeOptions, HandFeed, batchOf, fakeVenue } from './support/fake-venue.ts';
import { RawClient, maskedFrame } from './support/raw-client.ts';

// ---- frames

test('a frame is what RFC 6455 says at every length where the header changes', (t) => {
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]) {
    const payload = 'x'.repeat(length);
    const frame = textFrame(payload);
    const header = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    t.is(frame.length, header + length);
    t.is(frame[0], 0x81);
    t.deepEqual([...framePayloads(frame)].map(String), [payload]);
    const span = new Arena().frame(payload);
    t.true(span.bytes.subarray(span.start, span.end).equals(frame));
    const fromBytes = new Arena().frame(Buffer.from(payload));
    t.true(fromBytes.bytes.subarray(fromBytes.start, fromBytes.end).equals(frame));
  }
  t.deepEqual(
    [...framePayloads(textFrame('{"a":"ü€😀"}'))].map(String),
    ['{"a":"ü€😀"}'],
    'length counts bytes, not characters',
  );
});

test('frames that lie side by side leave without a copy, others joined in order', (t) => {
  const arena = new Arena(1024);
  const pile = new Pile();
  const texts = ['one', 'two', 'three'];
  const spans = texts.map((text) => arena.frame(text));
  for (const span of spans) pile.add(span);
  t.is(pile.view().buffer, spans[0]!.bytes.buffer, 'a view of the arena');
  t.not(pile.copy().buffer, spans[0]!.bytes.buffer);
  for (let i = 0; i < 100; i++) {
    texts.push(`more ${i} ${'y'.repeat(i * 3)}`);
    pile.add(arena.frame(texts.at(-1)!));
  }
  t.deepEqual([...framePayloads(pile.view())].map(String), texts);
  t.is(pile.frames, texts.length);
  t.is(pile.bytes, pile.view().length);
});

// ---- hub, without sockets

class FakeOutlet implements Outlet {
  backlog = 0;
  readonly writes: string[][] = [];
  readonly pieces: Buffer[] = [];
  closed: number | undefined = undefined;
  buffered(): number {
    return this.backlog;
  }
  /** What a write answers: whether its bytes may be written over. */
  taken = false;
  write(frames: Buffer): boolean {
    this.pieces.push(frames);
    this.writes.push([...framePayloads(frames)].map(String));
    return this.taken;
  }
  close(code: number): void {
    this.closed = code;
  }
}

function hubOf(limits: Partial<SlowLimits> = {}) {
  const encodes: string[] = [];
  const metrics = newMetrics();
  let wakes = 0;
  const hub = new Hub({
    encode(topic, variant, payload) {
      encodes.push(`${topic}/${variant}`);
      return variant === 'raw' ? payload : `${variant}:${payload.toString()}`;
    },
    limits: { ...slowDefaults, ...limits },
    metrics,
    wake: () => wakes++,
  });
  const attach = (): { outlet: FakeOutlet; client: Client } => {
    const outlet = new FakeOutlet();
    return { outlet, client: hub.attach(outlet) };
  };
  return { hub, encodes, metrics, attach, wakes: () => wakes };
}

test('a payload is encoded once for each variant, whatever the number of clients', (t) => {
  const { hub, encodes, attach } = hubOf();
  const all = Array.from({ length: 30 }, attach);
  all.forEach(({ client }, i) => client.join('a', i % 2 ? 'raw' : 'combined'));
  hub.publish('a', 'x');
  hub.publish('b', 'nobody');
  hub.flush();
  t.deepEqual(encodes.sort(), ['a/combined', 'a/raw']);
  all.forEach(({ outlet }, i) => t.deepEqual(outlet.writes, [[i % 2 ? 'x' : 'combined:x']]));
});

test('a turn is one write a client, and the same bytes for clients with the same subscriptions', (t) => {
  const { hub, attach, metrics, wakes } = hubOf();
  const [one, two, three] = [attach(), attach(), attach()];
  for (const { client } of [one, two]) {
    client.join('a', 'raw');
    client.join('b', 'raw');
  }
  three.client.join('b', 'raw');
  for (let i = 0; i < 5; i++) {
    hub.publish('a', `a${i}`);
    hub.publish('b', `b${i}`);
  }
  t.is(wakes(), 1);
  hub.flush();
  const both = ['a0', 'b0', 'a1', 'b1', 'a2', 'b2', 'a3', 'b3', 'a4', 'b4'];
  t.deepEqual(one.outlet.writes, [both]);
  t.deepEqual(three.outlet.writes, [['b0', 'b1', 'b2', 'b3', 'b4']]);
  t.is(one.outlet.pieces[0], two.outlet.pieces[0], 'the very same buffer');
  t.is(metrics.writes, 3);
  t.is(metrics.frames, 25);
});

test('what is sent to one client keeps its place among what is published', (t) => {
  const { hub, attach } = hubOf();
  const { client, outlet } = attach();
  const other = attach();
  other.client.join('a', 'raw');
  hub.publish('a', '0');
  client.send('ack');
  client.join('a', 'raw');
  client.send('snapshot');
  hub.publish('a', '1');
  client.send('private');
  hub.publish('a', '2');
  client.join('b', 'raw');
  hub.publish('b', '3');
  client.leave('a', 'raw');
  hub.publish('a', 'not wanted');
  hub.publish('b', '4');
  client.send('end');
  hub.flush();
  t.deepEqual(outlet.writes.flat(), ['ack', 'snapshot', '1', 'private', '2', '3', '4', 'end']);
  t.deepEqual(other.outlet.writes.flat(), ['0', '1', '2', 'not wanted']);
});

test('answers and topics of one turn leave in one write', (t) => {
  const { hub, attach } = hubOf();
  const { client, outlet } = attach();
  client.send('ack');
  client.join('a', 'raw');
  hub.publish('a', '1');
  hub.publish('a', '2');
  hub.flush();
  t.deepEqual(outlet.writes, [['ack', '1', '2']]);
});

test('joining twice is joining once; the last leave makes a topic unwanted', (t) => {
  const { hub, attach } = hubOf();
  const { client, outlet } = attach();
  const other = attach();
  client.join('a', 'raw');
  client.join('a', 'raw');
  other.client.join('a', 'raw');
  hub.publish('a', '1');
  hub.flush();
  t.deepEqual(outlet.writes, [['1']]);
  client.leave('a', 'raw');
  client.leave('a', 'raw');
  t.true(hub.wanted('a'));
  t.deepEqual(hub.subscribers(), { a: 1 });
  hub.detach(other.client);
  t.false(hub.wanted('a'));
  hub.publish('a', '2');
  hub.flush();
  t.is(outlet.writes.length, 1);
});

test('a client with a backlog is not given views of the arena', (t) => {
  const { hub, attach } = hubOf();
  const [fast, slow] = [attach(), attach()];
  for (const { client } of [fast, slow]) client.join('a', 'raw');
  slow.outlet.backlog = 10;
  hub.publish('a', 'x');
  hub.flush();
  t.deepEqual(slow.outlet.writes, fast.outlet.writes);
  t.is(
    slow.outlet.pieces[0]!.buffer.byteLength,
    slow.outlet.pieces[0]!.length,
    'a copy of its own',
  );
  t.true(fast.outlet.pieces[0]!.buffer.byteLength > 1024);
});

test('the bound is exact under every policy', (t) => {
  const limits = (policy: SlowLimits['policy']): SlowLimits => ({
    policy,
    boundBytes: 100,
    waitMs: 1,
  });
  t.is(admit(limits('disconnect'), 40, 60, false), 'write');
  t.is(admit(limits('disconnect'), 40, 61, false), 'cut');
  t.is(admit(limits('disconnect'), 0, 1000, false), 'write', 'who owes nothing is not slow');
  t.is(admit(limits('skip'), 40, 61, false), 'skip');
  t.is(admit(limits('skip'), 51, 1, true), 'skip', 'until half the bound is free');
  t.is(admit(limits('skip'), 50, 1, true), 'write');
  t.is(admit(limits('wait'), 140, 60, false), 'write');
  t.is(admit(limits('wait'), 140, 61, false), 'cut');
});

test('a cut client gets nothing more and hurts nobody', (t) => {
  const { hub, attach, metrics } = hubOf({ boundBytes: 100 });
  const [fast, slow] = [attach(), attach()];
  for (const { client } of [fast, slow]) client.join('a', 'raw');
  slow.outlet.backlog = 99;
  for (let i = 0; i < 3; i++) {
    hub.publish('a', `${i}`);
    slow.client.send('never');
    hub.flush();
  }
  t.is(slow.outlet.closed, 1008);
  t.deepEqual(slow.outlet.writes, []);
  t.deepEqual(fast.outlet.writes.flat(), ['0', '1', '2']);
  t.is(metrics.slowDisconnects, 1);
});

// ---- pings

test('only the answer to our own ping counts, and only before the deadline', (t) => {
  const pings = new Pings({ everyMs: 20, deadlineMs: 60 }, 0);
  t.is(pings.due(19), undefined);
  t.is(pings.due(20), 'ping');
  pings.sent('p1', 20);
  pings.pong('unsolicited');
  t.is(pings.due(40), 'ping');
  pings.sent('p2', 40);
  t.is(pings.due(79), 'ping');
  pings.sent('p3', 79);
  t.is(pings.due(80), 'cut');
  pings.pong('p2');
  t.is(pings.due(80), undefined, 'an answer settles the pings before it');
  t.is(pings.due(139), 'cut');
  t.is(new Pings({ everyMs: 0, deadlineMs: 1 }, 0).due(1e9), undefined);
});

// ---- the whole, over sockets: one at a time, since some measure time

async function serve(
  t: ExecutionContext,
  options: {
    fake?: FakeOptions;
    settings?: Partial<PublisherSettings>;
    time?: PublisherOptions['time'];
  } = {},
) {
  const feed = new HandFeed();
  const failures: unknown[] = [];
  let fake: ReturnType<typeof fakeVenue> | undefined;
  const publisher = new Publisher({
    venue: ({ broadcast }) => (fake = fakeVenue(broadcast, options.fake)).venue,
    feed,
    settings: options.settings ?? {},
    ...(options.time && { time: options.time }),
    onFailure: (error) => failures.push(error),
  });
  const { port } = await publisher.start(0);
  t.teardown(() => publisher.stop(100));
  return { port, publisher, feed, failures, metrics: publisher.metrics, counts: fake!.counts };
}

/** `count` records of a topic, `0..count-1` padded to `bytes`, in batches of `each`. */
function* numbered(topic: string, count: number, bytes: number, each: number) {
  const pad = 'p'.repeat(bytes);
  for (let from = 0; from < count; from += each) {
    const size = Math.min(each, count - from);
    yield batchOf(Array.from({ length: size }, (_, i) => ({ topic, text: `${from + i} ${pad}` })));
  }
}
const numbers = (texts: readonly string[]): number[] =>
  texts.filter((text) => /^\d/.test(text)).map((text) => Number.parseInt(text));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test.serial('every client gets every record once and in order, in the fewest writes', async (t) => {
  const { port, feed, metrics, counts } = await serve(t);
  const clients = await Promise.all(
    upTo(20).map((i) =>
      RawClient.open(port, `/ws?topics=A&variant=${i < 10 ? 'raw' : 'combined'}`),
    ),
  );
  await Promise.all(clients.map((client) => client.until(() => client.texts.length === 1)));
  const writesBefore = metrics.writes;
  for (const batch of numbered('A', 10_000, 50, 10)) feed.push(batch);
  await Promise.all(clients.map((client) => client.until(() => client.texts.length === 10_001)));
  for (const client of clients.slice(0, 10)) t.deepEqual(numbers(client.texts), upTo(10_000));
  t.is(clients[19]!.texts[10_000], `{"topic":"A","data":9999 ${'p'.repeat(50)}}`);
  t.is(counts.encodes, 20_000, 'once a variant');
  t.is(metrics.writes - writesBefore, 1000 * 20, 'one a client and batch');
  t.is(metrics.records, 10_000);
  t.is(metrics.frames, 20 * 10_001);
});

test.serial('a large batch is several turns, so that others are served in between', async (t) => {
  const { port, feed, metrics } = await serve(t);
  const client = await RawClient.open(port, '/ws?topics=A');
  await client.until(() => client.texts.length === 1);
  for (const batch of numbered('A', 2048, 1, 2048)) feed.push(batch);
  await client.until(() => client.texts.length === 2049);
  t.deepEqual(numbers(client.texts), upTo(2048));
  t.true(metrics.writes >= 1 + 2048 / 512, `${metrics.writes} writes`);
});

test.serial(
  'a client of ws gets the same, and its pings are answered with their payload',
  async (t) => {
    const { port, feed } = await serve(t);
    const client = new WebSocket(`ws://127.0.0.1:${port}/ws?topics=A`, { perMessageDeflate: true });
    const texts: string[] = [];
    const done = new Promise<void>((resolve) => {
      client.on('message', (data) => {
        texts.push((data as Buffer).toString());
        if (texts.length === 1) for (const batch of numbered('A', 3000, 200, 7)) feed.push(batch);
        if (texts.length === 3001) resolve();
      });
    });
    await done;
    t.deepEqual(numbers(texts), upTo(3000));
    t.is(client.extensions, '', 'the offer to compress is not taken');
    const pong = new Promise<string>((resolve) =>
      client.once('pong', (data) => resolve(String(data))),
    );
    client.ping('are you there');
    t.is(await pong, 'are you there');
    client.close();
  },
);

test.serial('with compression, and without the direct writes, clients get the same', async (t) => {
  for (const settings of [{ compression: true }, { direct: false }]) {
    const { port, feed } = await serve(t, { settings });
    const raw = await RawClient.open(port, '/ws?topics=A');
    const client = new WebSocket(`ws://127.0.0.1:${port}/ws?topics=A`);
    const texts: string[] = [];
    await new Promise<void>((resolve) => {
      client.on('message', (data) => {
        texts.push((data as Buffer).toString());
        // Half of the payloads are above the threshold of compression, so frames queue behind each other.
        if (texts.length === 1) {
          for (let i = 0; i < 400; i++) {
            feed.push(batchOf([{ topic: 'A', text: `${i} ${'z'.repeat(i % 2 ? 3000 : 10)}` }]));
          }
        }
        if (texts.length === 401) resolve();
      });
    });
    t.deepEqual(numbers(texts), upTo(400));
    t.is(client.extensions !== '', 'compression' in settings);
    await raw.until(() => raw.texts.length === 401);
    t.deepEqual(numbers(raw.texts), upTo(400));
    client.close();
  }
});

/** A client that stops reading, one that reads, and enough data to fill every buffer between. */
async function withStalled(t: ExecutionContext, slow: SlowLimits) {
  const served = await serve(t, { settings: { slow } });
  const stalled = await RawClient.open(served.port, '/ws?topics=A');
  const reader = await RawClient.open(served.port, '/ws?topics=A');
  await Promise.all(
    [stalled, reader].map((client) => client.until(() => client.texts.length === 1)),
  );
  stalled.socket.pause();
  return { ...served, stalled, reader };
}
const COUNT = 3000;
const BYTES = 10_000;

test.serial(
  'disconnect: a stalled client is cut with 1008 at its bound, the others get everything',
  async (t) => {
    const boundBytes = 1 << 20;
    const { feed, metrics, stalled, reader, publisher } = await withStalled(t, {
      ...slowDefaults,
      boundBytes,
    });
    for (const batch of numbered('A', COUNT, BYTES, 10)) feed.push(batch);
    await reader.until(() => reader.texts.length === COUNT + 1);
    t.deepEqual(numbers(reader.texts), upTo(COUNT));
    t.is(metrics.slowDisconnects, 1);
    t.deepEqual(publisher.topics, { A: 2 }, 'it has a while to answer the close');
    stalled.socket.resume();
    await stalled.until(() => stalled.closeCode !== undefined);
    t.is(stalled.closeCode, 1008);
    t.regex(stalled.closeReason, /too slow/);
    const got = numbers(stalled.texts);
    t.deepEqual(got, upTo(got.length), 'what it got before is whole and in order');
    t.is(metrics.frames, COUNT + 1 + got.length + 1, 'every frame is accounted for');
    t.true(got.length < COUNT);
  },
);

test.serial(
  'skip: whole turns are left out for the stalled client, and each is counted',
  async (t) => {
    const { feed, metrics, stalled, reader } = await withStalled(t, {
      ...slowDefaults,
      policy: 'skip',
      boundBytes: 1 << 20,
    });
    for (const batch of numbered('A', COUNT, BYTES, 10)) feed.push(batch);
    await reader.until(() => reader.texts.length === COUNT + 1);
    t.true(metrics.skippedFrames > 0);
    stalled.socket.resume();
    await stalled.until(() => stalled.texts.length === COUNT + 1 - metrics.skippedFrames);
    feed.push(batchOf([{ topic: 'A', text: `${COUNT}` }]));
    await stalled.until(() => numbers(stalled.texts).at(-1) === COUNT);
    const got = numbers(stalled.texts);
    t.is(got.length, COUNT + 1 - metrics.skippedFrames, 'got + skipped = published');
    t.is(metrics.skippedTurns * 10, metrics.skippedFrames, 'whole turns');
    t.deepEqual(
      got,
      [...new Set(got)].sort((a, b) => a - b),
      'in order, none twice',
    );
    t.is(metrics.slowDisconnects, 0);
  },
);

test.serial(
  'wait: the feed is not read on until the stalled client has drained, and nothing is lost',
  async (t) => {
    const boundBytes = 1 << 20;
    const { feed, metrics, stalled, reader } = await withStalled(t, {
      ...slowDefaults,
      policy: 'wait',
      boundBytes,
    });
    for (const batch of numbered('A', COUNT, BYTES, 10)) feed.push(batch);
    // The reader has all that was taken, and turns of the event loop go by in each of which more would be.
    for (let still = 0, before = -1; still < 100; before = feed.taken) {
      await nextTurn();
      const served = reader.texts.length === feed.taken * 10 + 1;
      still = served && feed.taken === before ? still + 1 : 0;
    }
    t.true(feed.taken < COUNT / 10, 'the feed stands still');
    stalled.socket.resume();
    await Promise.all([stalled, reader].map((c) => c.until(() => c.texts.length === COUNT + 1)));
    t.deepEqual(numbers(stalled.texts), upTo(COUNT));
    t.deepEqual(numbers(reader.texts), upTo(COUNT));
    t.is(metrics.slowDisconnects, 0);
  },
);

test.serial('wait: a client that makes no room in time is cut, and the others go on', async (t) => {
  const { feed, metrics, stalled, reader } = await withStalled(t, {
    policy: 'wait',
    boundBytes: 1 << 20,
    waitMs: 200,
  });
  for (const batch of numbered('A', COUNT, BYTES, 10)) feed.push(batch);
  await reader.until(() => reader.texts.length === COUNT + 1);
  t.deepEqual(numbers(reader.texts), upTo(COUNT));
  t.is(metrics.slowDisconnects, 1);
  stalled.socket.resume();
  await stalled.until(() => stalled.closeCode !== undefined);
  t.is(stalled.closeCode, 1008);
});

test.serial(
  'a client that asks and asks and does not read is cut, under every policy',
  async (t) => {
    for (const policy of ['disconnect', 'skip', 'wait'] as const) {
      const { stalled, metrics } = await withStalled(t, {
        ...slowDefaults,
        policy,
        boundBytes: 1 << 20,
      });
      for (let i = 0; i < 500; i++) stalled.send('{"big":60000}');
      while (metrics.slowDisconnects === 0) await new Promise((resolve) => setImmediate(resolve));
      stalled.socket.resume();
      await stalled.until(() => stalled.closeCode === 1008);
      t.is(metrics.slowDisconnects, 1, policy);
    }
  },
);

test.serial(
  'a client that answers pings stays; one that does not is cut at the deadline',
  async (t) => {
    const { port, metrics } = await serve(t, { fake: { ping: { everyMs: 40, deadlineMs: 200 } } });
    const good = await RawClient.open(port, '/ws');
    const silent = await RawClient.open(port, '/ws');
    silent.answerPings = false;
    const liar = await RawClient.open(port, '/ws');
    liar.answerPings = false;
    const lying = setInterval(() => liar.send('made up', 10), 20);
    t.teardown(() => clearInterval(lying));
    await Promise.all(
      [silent, liar].map((client) => client.until(() => client.closeCode === 1008)),
    );
    t.is(metrics.silentDisconnects, 2);
    t.regex(good.pings[0]!.toString(), /^\d{13}$/);
    await good.until(() => good.pings.length >= 10);
    t.is(good.closeCode, undefined);
  },
);

test.serial(
  'garbage, oversized, unmasked and broken frames end only the client that sent them',
  async (t) => {
    const { port, feed, metrics } = await serve(t);
    const good = await RawClient.open(port, '/ws?topics=A');
    const bad: [string, Buffer, number | undefined][] = [
      ['random bytes', Buffer.from('GET / HTTP/1.1\r\n\r\n garbage \xff\xfe', 'latin1'), 1002],
      ['an unmasked frame', Buffer.from([0x81, 0x01, 0x41]), 1002],
      ['a reserved opcode', maskedFrame('x', 3), 1002],
      ['text that is not UTF-8', maskedFrame(Buffer.from([0xff, 0xff])), 1007],
      ['a message over 64 KiB', maskedFrame('x'.repeat(70_000)), 1009],
      ['a length of 2^63', Buffer.from([0x81, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4]), 1009],
      ['JSON that is none (the fake venue throws)', maskedFrame('{'), 1011],
      ['a continuation of nothing', maskedFrame('x', 0), 1002],
    ];
    for (const [what, bytes, code] of bad) {
      const client = await RawClient.open(port, '/ws?topics=A');
      client.socket.write(bytes);
      await client.until(() => client.closeCode !== undefined || client.ended);
      t.is(client.closeCode, code, what);
      client.socket.destroy();
    }
    // Not even a handshake.
    const stray = await RawClient.open(port, '/ws', { 'Sec-WebSocket-Version': '1' });
    t.not(stray.status, 101);
    for (const batch of numbered('A', 100, 10, 10)) feed.push(batch);
    await good.until(() => good.texts.length === 101);
    t.deepEqual(numbers(good.texts), upTo(100));
    t.is(metrics.malformed, bad.length - 1);
    t.is(metrics.failures, 1);
  },
);

test.serial('one client with 50,000 requests does not starve another', async (t) => {
  const { port, feed, metrics } = await serve(t);
  const good = await RawClient.open(port, '/ws?topics=A');
  const flood = await RawClient.open(port, '/ws');
  const frame = maskedFrame('{"echo":1}');
  flood.socket.write(Buffer.concat(Array.from({ length: 50_000 }, () => frame)));
  let worst = 0;
  let alive = 0;
  while (flood.texts.length < 50_001) {
    const sent = performance.now();
    const have = good.texts.length;
    feed.push(batchOf([{ topic: 'A', text: '1' }]));
    await good.until(() => good.texts.length > have);
    worst = Math.max(worst, performance.now() - sent);
    alive++;
  }
  t.true(worst < 1000, `${worst} ms for one record`);
  t.true(alive > 3);
  t.is(metrics.received, 50_000);
  t.true(metrics.writes < 10_000, `answers are put together: ${metrics.writes} writes`);
});

test.serial(
  'requests that take long are answered in order, and others are served between',
  async (t) => {
    const { port, feed } = await serve(t);
    const good = await RawClient.open(port, '/ws?topics=A');
    const heavy = await RawClient.open(port, '/ws');
    await Promise.all([good, heavy].map((client) => client.until(() => client.texts.length === 1)));
    // 1.5 s of work in one packet.
    const frames = upTo(300).flatMap((i) => [
      maskedFrame('{"work":5}'),
      maskedFrame(`{"echo":${i}}`),
    ]);
    heavy.socket.write(Buffer.concat(frames));
    let worst = 0;
    while (heavy.texts.length < 601) {
      const sent = performance.now();
      const have = good.texts.length;
      feed.push(batchOf([{ topic: 'A', text: '1' }]));
      await good.until(() => good.texts.length > have);
      worst = Math.max(worst, performance.now() - sent);
    }
    t.deepEqual(
      heavy.texts.slice(1),
      upTo(300).flatMap((i) => ['worked', `echo ${i}`]),
    );
    t.true(worst < 400, `${worst} ms for one record`);
  },
);

test.serial('REST answers within a second while a long history is read in', async (t) => {
  const { port, feed, publisher } = await serve(t, { fake: { workMs: 0.2 } });
  const texts = Array.from({ length: 5_000 }, (_, i) => ({ topic: 'A', text: `${i}` }));
  feed.push(batchOf(texts, false));
  feed.push(batchOf([], false, [{ state: 'caughtUp' }]));
  const base = `http://127.0.0.1:${port}`;
  let worst = 0;
  let asked = 0;
  while (!publisher.ready) {
    const sent = performance.now();
    const response = await fetch(`${base}/-/ready`);
    await response.arrayBuffer();
    worst = Math.max(worst, performance.now() - sent);
    if (!publisher.ready) t.is(response.status, 503);
    asked++;
  }
  await publisher.caughtUp;
  t.true(asked > 5);
  t.true(worst < 1000, `${worst} ms`);
  t.is((await fetch(`${base}/-/ready`)).status, 200);
});

test.serial(
  'REST takes GET queries and POST forms, bounds the body, and survives the venue',
  async (t) => {
    const { port, failures } = await serve(t);
    const base = `http://127.0.0.1:${port}`;
    const get = await fetch(`${base}/a%20b?x=1&y=%22z%22&x=2`);
    t.deepEqual(await get.json(), {
      method: 'GET',
      path: '/a b',
      params: [
        ['x', '1'],
        ['y', '"z"'],
        ['x', '2'],
      ],
    });
    t.regex(get.headers.get('content-type')!, /^application\/json/);
    const post = await fetch(`${base}/p?q=0`, {
      method: 'POST',
      body: new URLSearchParams({ pair: 'XBT/USD' }),
    });
    t.deepEqual(await post.json(), {
      method: 'POST',
      path: '/p',
      params: [
        ['q', '0'],
        ['pair', 'XBT/USD'],
      ],
    });
    t.is((await fetch(`${base}/nothing`)).status, 404);
    t.is((await fetch(`${base}/%ff`)).status, 400);
    t.is((await fetch(`${base}/throw`)).status, 500);
    t.is(failures.length, 1);
    const large = await fetch(`${base}/p`, { method: 'POST', body: 'x'.repeat(70_000) });
    t.is(large.status, 413);
    const huge = await fetch(`${base}/p`, { method: 'POST', body: 'x'.repeat(1_000_000) });
    t.is(huge.status, 413);
    const metrics = (await (await fetch(`${base}/-/metrics`)).json()) as Record<string, unknown>;
    t.is(metrics['failures'], 1);
    t.deepEqual(metrics['topics'], {});
  },
);

test.serial(
  'a path the venue does not know, a foreign origin: refused before the upgrade',
  async (t) => {
    const { port, metrics } = await serve(t, { settings: { origins: ['https://ours.example'] } });
    t.is((await RawClient.open(port, '/other')).status, 404);
    t.is((await RawClient.open(port, '/ws', { Origin: 'https://evil.example' })).status, 403);
    t.is((await RawClient.open(port, '/ws', { Origin: 'https://ours.example' })).status, 101);
    t.is((await RawClient.open(port, '/ws')).status, 101);
    t.is(metrics.refused, 2);
  },
);

test.serial(
  'a record the venue cannot take is reported, and the next ones are served',
  async (t) => {
    const { port, feed, failures, metrics } = await serve(t);
    const client = await RawClient.open(port, '/ws?topics=A');
    feed.push(batchOf(['0', 'poison', '1'].map((text) => ({ topic: 'A', text }))));
    await client.until(() => client.texts.length === 3);
    t.deepEqual(numbers(client.texts), [0, 1]);
    t.is(failures.length, 1);
    t.is(metrics.failures, 1);
  },
);

test.serial(
  'in a replay the venue is ticked by the time of the records, before the record that passes it',
  async (t) => {
    const { feed, counts, metrics } = await serve(t, {
      time: 'records',
      fake: { tickMs: 1000 },
    });
    const startUs = 1_700_000_000_000_000;
    feed.push(
      batchOf(upTo(100).map((i) => ({ topic: 'A', text: `${i}`, timeUs: startUs + i * 250_000 }))),
    );
    feed.end();
    while (metrics.records < 100) await new Promise((resolve) => setImmediate(resolve));
    t.deepEqual(
      counts.ticks.slice(0, 25),
      upTo(25).map((i) => startUs / 1000 + i * 1000),
    );
  },
);

test.serial('a client that goes, however it goes, leaves nothing behind', async (t) => {
  const { port, publisher, counts } = await serve(t);
  const clients = await Promise.all(upTo(60).map(() => RawClient.open(port, '/ws?topics=A,B')));
  await Promise.all(clients.map((client) => client.until(() => client.texts.length === 1)));
  t.deepEqual(publisher.topics, { A: 60, B: 60 });
  clients.forEach((client, i) => {
    if (i % 3 === 0) client.socket.resetAndDestroy();
    else if (i % 3 === 1) client.socket.end();
    else client.send(Buffer.from([3, 232]), 8);
  });
  while (publisher.metrics.clients > 0) await new Promise((resolve) => setImmediate(resolve));
  t.deepEqual(publisher.topics, {});
  t.is(counts.closed, 60);
});

test.serial('a taken port is said so, with what to do', async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  t.teardown(() => other.close());
  const { port } = other.address() as { port: number };
  const publisher = new Publisher({
    venue: ({ broadcast }) => fakeVenue(broadcast).venue,
    feed: new HandFeed(),
  });
  const error = await t.throwsAsync(publisher.start(port), { instanceOf: TickmeshError });
  t.is(error.code, 'PORT_TAKEN');
  t.regex(error.message, new RegExp(String(port)));
  t.truthy(error.remedy);
  await publisher.stop();
});

test.serial(
  'stop closes every client with 1001 after its last frame, and frees the port',
  async (t) => {
    const { port, feed, publisher, counts } = await serve(t);
    const clients = await Promise.all(upTo(10).map(() => RawClient.open(port, '/ws?topics=A')));
    await Promise.all(clients.map((client) => client.until(() => client.texts.length === 1)));
    const kept = await fetch(`http://127.0.0.1:${port}/keep-alive`);
    await kept.text();
    feed.push(batchOf([{ topic: 'A', text: '0' }]));
    await clients[0]!.until(() => clients[0]!.texts.length === 2);
    for (const client of clients) {
      void client
        .until(() => client.closeCode !== undefined)
        .then(() => client.send(Buffer.from([3, 233]), 8));
    }
    await publisher.stop();
    await publisher.stop();
    await publisher.done;
    for (const client of clients) {
      await client.until(() => client.ended);
      t.is(client.closeCode, 1001);
      t.deepEqual(numbers(client.texts), [0]);
    }
    t.is(counts.closed, 10);
    t.is(publisher.metrics.clients, 0);
    const next = createServer();
    await new Promise<void>((resolve) => next.listen(port, '127.0.0.1', resolve));
    next.close();
    t.pass();
  },
);

test.serial('a feed that fails is told by `done`; clients are still served', async (t) => {
  const failing: AsyncIterable<never> = {
    [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error('disk gone')) }),
  };
  const publisher = new Publisher({
    venue: ({ broadcast }) => fakeVenue(broadcast).venue,
    feed: failing,
  });
  const { port } = await publisher.start(0);
  await t.throwsAsync(publisher.done, { message: 'disk gone' });
  t.is((await fetch(`http://127.0.0.1:${port}/x`)).status, 200);
  await publisher.stop();
});

test.serial("what a feed tells of its notices and its logs stands in the node's log", async (t) => {
  const said: [level: string, text: string, facts: object][] = [];
  const at = (level: string) => (facts: object, text: string) =>
    void said.push([level, text, facts]);
  const logger = { info: at('info'), warn: at('warn'), error: at('error') };
  const feed = new HandFeed();
  const publisher = new Publisher({
    venue: ({ broadcast }) => fakeVenue(broadcast).venue,
    feed,
    onEvent: tellEvents(logger as unknown as Parameters<typeof tellEvents>[0]),
  });
  await publisher.start(0);
  const log = logName('fake/A/trade');
  const endpoint = 'ipc:///tmp/feed';
  feed.push(
    batchOf([], false, [
      { state: 'live', log },
      { state: 'notifier', notifier: 'zeromq', endpoint, is: 'off', why: 'gone' },
      { state: 'degraded', log },
    ]),
  );
  feed.push(
    batchOf([{ topic: 'A', text: '0' }], true, [
      { state: 'notifier', notifier: 'zeromq', endpoint, is: 'on' },
      { state: 'live', log },
      { state: 'damaged', log, position: 7 },
      { state: 'gap', log, from: 0, to: 9 },
      { state: 'rewound', log, from: 3, to: 9, lines: 2 },
    ]),
  );
  feed.end();
  await publisher.done;
  await publisher.stop();
  t.deepEqual(said, [
    [
      'warn',
      'a way of being told is off: the others and polling go on',
      { notifier: 'zeromq', endpoint, why: 'gone' },
    ],
    ['warn', 'no notices come of a log: it is polled', { log }],
    ['info', 'a way of being told is back', { notifier: 'zeromq', endpoint }],
    ['info', 'notices come again', { log }],
    ['error', 'announced bytes of a log cannot be read', { log, position: 7 }],
    ['warn', 'records were taken by retention before they were read', { log, from: 0, to: 9 }],
    ['warn', 'a log was cut back: what follows is read anew', { log, from: 3, to: 9, lines: 2 }],
  ]);
});
