/**
 * Attacks on a running mesh: a fetcher with keys and a publisher in a process of their own, and beside every attack a
 * replica, a feed and a WebSocket client that mean well. They lose nothing, the process does not grow beyond a stated
 * bound, and what happened is counted and said. Everything on loopback, bounded, and over in seconds.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import test, { type ExecutionContext } from 'ava';
import { Context, type Pull, Push, Subscriber, XPublisher, XSubscriber } from 'zeromq';
import { decodeReply, encodeRequest } from '../lib/catchup/frames.ts';
import { openFeed, type Feed } from '../lib/feed/feed.ts';
import { onEvent } from '../lib/mesh/events-zeromq.ts';
import { messages } from '../lib/mesh/messages-zeromq.ts';
import { newKeys, Security } from '../lib/mesh/security-zeromq.ts';
import { bindSocket, inboxSocket } from '../lib/mesh/zeromq.ts';
import type { Replica } from '../lib/replica/replica.ts';
import type { Attacked, AttackedNow, AttackedSettings } from './support/attack-main.ts';
import { copyBy, endpoint, trades, until } from './support/copies.ts';
import { closeZap, zapOfThisProcess } from './support/keyed.ts';
import { FrameClient } from './support/mesh-client.ts';
import { maskedFrame, RawClient } from './support/raw-client.ts';

const keys = { fetcher: newKeys(), healthy: newKeys(), second: newKeys() };
const inboxes = { healthy: endpoint('inbox'), second: endpoint('inbox-2') };
const folder = mkdtempSync(join(tmpdir(), 'tickmesh-attack-'));
let child: ChildProcess;
let attacked: Attacked;
let replica: Replica;
let feed: Feed;
let client: FrameClient;
let healthy: Security;
let second: Security;
/** What the feed has handed out. */
const read = { records: 0, gaps: 0 };

const idOf = (text: string): number => Number(/"t":(\d+)/.exec(text)?.[1] ?? -1);

async function now(): Promise<AttackedNow> {
  const answer = once(child, 'message');
  child.send('now');
  return (await answer)[0] as AttackedNow;
}

test.serial.before(async () => {
  const main = fileURLToPath(new URL('./support/attack-main.js', import.meta.url));
  child = fork(main, [], { execArgv: [] });
  const settings: AttackedSettings = {
    data: join(folder, 'here'),
    keys: keys.fetcher,
    readers: { healthy: keys.healthy.publicKey, second: keys.second.publicKey },
    inboxes,
  };
  const ready = once(child, 'message');
  child.send(settings);
  attacked = (await ready)[0] as Attacked;
  const zap = await zapOfThisProcess();
  const writers = { fetcher: keys.fetcher.publicKey };
  healthy = await Security.open({ node: 'healthy', keys: keys.healthy, writers, zap });
  second = await Security.open({ node: 'second', keys: keys.second, writers, zap });
  const { feed: notices, catchup } = attacked;
  const by = { feed: notices, catchup, inbox: inboxes.healthy };
  const from = { writer: 'fetcher', feed: notices, catchup };
  const data = join(folder, 'there');
  ({ replica } = await copyBy(by, { node: 'healthy', data, from, security: healthy }));
  feed = openFeed({
    data: settings.data,
    logs: [trades],
    from: 'start',
    notices: 'auto',
    security: healthy,
  });
  void (async () => {
    for await (const { records } of feed)
      for (const record of records) {
        if (idOf(record.payload.toString()) !== read.records) read.gaps++;
        read.records++;
      }
  })();
  client = new FrameClient(`ws://127.0.0.1:${attacked.port}/ws/btcusdt@trade`);
  await client.until(() => client.frames.length > 0);
});

test.after.always(async () => {
  client?.close();
  await feed?.[Symbol.asyncDispose]();
  await replica?.[Symbol.asyncDispose]();
  await closeZap();
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  rmSync(folder, { recursive: true, force: true });
});

const MIB = 1 << 20;
const rss = (): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))![1]) * 1024;

/** All that was written until now has reached those who mean well, once and in order. */
async function nothingLost(t: ExecutionContext): Promise<void> {
  const { records, position } = await now();
  await until('the feed has it', () => read.records >= records, 10_000);
  await until('the replica has it', () => replica.positions.get(trades)! >= position, 10_000);
  const last = (): number => idOf(client.frames.at(-1)!.toString());
  await until('the WebSocket client has it', () => last() >= records - 1, 10_000);
  t.is(read.gaps, 0);
  t.true(client.isOpen);
  t.is(client.connections.length, 1);
  const ids = client.frames.map((frame) => idOf(frame.toString()));
  t.deepEqual(
    ids,
    ids.map((_, at) => ids[0]! + at),
    'trades of the WebSocket client',
  );
}

/** Attacks, and looks after the others. `counted`: what must be counted and said of it. */
async function attack(
  t: ExecutionContext,
  rule: { readonly mib: number; readonly counted?: string },
  run: () => Promise<string>,
): Promise<void> {
  const before = await now();
  const startBytes = rss();
  let peakBytes = startBytes;
  const sampler = setInterval(() => (peakBytes = Math.max(peakBytes, rss())), 20);
  const startMs = performance.now();
  let what: string;
  try {
    what = await run();
    await nothingLost(t);
  } finally {
    clearInterval(sampler);
  }
  const grownMib = Math.round((peakBytes - startBytes) / MIB);
  t.log(`${what}; grew ${grownMib} MiB, ${Math.round(performance.now() - startMs)} ms`);
  t.true(grownMib <= rule.mib, `grew ${grownMib} MiB, the limit is ${rule.mib}`);
  const { counted } = rule;
  if (counted === undefined) return;
  const rose = async (): Promise<boolean> => {
    const { counts, said } = await now();
    const risen = counts[counted]! > (before.counts[counted] ?? 0);
    return risen && said.slice(before.said.length).some((line) => line.includes(counted));
  };
  const endMs = performance.now() + 3_000;
  while (!(await rose())) {
    if (performance.now() > endMs) return t.fail(`"${counted}" was not counted and said`);
    await sleep(50);
  }
}

/** Subscribes to everything; counts what comes until `refused`, and a while longer. */
async function eavesdrop(
  options: ConstructorParameters<typeof Subscriber>[0],
  refused: string,
): Promise<number> {
  const socket = new Subscriber({ linger: 0, reconnectInterval: 10, ...options });
  let bytes = 0;
  let told = false;
  onEvent(socket, (type) => (told ||= type === refused));
  socket.subscribe();
  socket.connect(attacked.feed);
  void (async () => {
    for await (const parts of socket) bytes += parts.reduce((sum, part) => sum + part.length, 0);
  })();
  await until(`it is refused (${refused})`, () => told, 5_000);
  // Hundreds of notices go out meanwhile.
  await sleep(300);
  socket.close();
  return bytes;
}

const curve = (own: typeof keys.second, serverKey: string) => ({
  curvePublicKey: own.publicKey,
  curveSecretKey: own.secretKey,
  curveServerKey: serverKey,
});

test.serial('a stranger with a key of its own receives nothing', async (t) => {
  await attack(t, { mib: 24, counted: 'unlisted keys' }, async () => {
    const options = curve(newKeys(), keys.fetcher.publicKey);
    const bytes = await eavesdrop(options, 'handshake:error:auth');
    t.is(bytes, 0);
    return `unknown key: ${bytes} bytes received`;
  });
});

test.serial('a stranger without a key receives nothing', async (t) => {
  await attack(t, { mib: 24, counted: 'connections without our keys' }, async () => {
    const bytes = await eavesdrop({}, 'handshake:error:protocol');
    t.is(bytes, 0);
    return `no key: ${bytes} bytes received`;
  });
});

test.serial('a node that expects another server says nothing and receives nothing', async (t) => {
  await attack(t, { mib: 24, counted: 'connections without our keys' }, async () => {
    const options = curve(keys.second, newKeys().publicKey);
    const bytes = await eavesdrop(options, 'handshake:error:other');
    t.is(bytes, 0);
    return `wrong server key: ${bytes} bytes received`;
  });
});

test.serial('without a handler a guarded socket lets nobody in, listed or not', async (t) => {
  // A context of its own: the handler is one a context.
  const context = new Context();
  const zap = await zapOfThisProcess();
  const readers = { second: keys.second.publicKey };
  const guard = await Security.open({ node: 'alone', keys: keys.fetcher, readers, zap });
  const server = new XPublisher({ context, linger: 0, sendTimeout: 0 });
  guard.guard(server, 'feed');
  const at = await bindSocket(server, 'tcp://127.0.0.1:*');
  const reader = new Subscriber({
    ...curve(keys.second, keys.fetcher.publicKey),
    linger: 0,
    reconnectInterval: 10,
  });
  let bytes = 0;
  const seen = new Set<string>();
  onEvent(server, (type) => seen.add(type));
  reader.subscribe();
  reader.connect(at);
  void (async () => {
    for await (const [message] of reader) bytes += message!.length;
  })();
  await until('it has dialled', () => seen.has('accept'), 5_000);
  for (let i = 0; i < 200; i++) {
    server.send('secret').catch(() => undefined);
    await sleep(2);
  }
  reader.close();
  server.close();
  t.false(seen.has('handshake'), [...seen].join(', '));
  t.is(bytes, 0);
});

/** Asks as the second reader does. */
async function askAs(count: number, node = 'second', log: string = trades): Promise<void> {
  const socket = new Push({ linger: 500, sendHighWaterMark: 100_000 });
  second.dial(socket, attacked.catchup, keys.fetcher.publicKey);
  for (let tag = 1; tag <= count; tag++) {
    const ask = { lastEpoch: 0, position: 0, maxBytes: 1 << 20 };
    await socket.send(encodeRequest({ node, log, ask, tag }));
  }
  socket.close();
}

test.serial("whoever sits in a reader's inbox without its key receives nothing", async (t) => {
  await attack(t, { mib: 24, counted: 'refusals by peers' }, async () => {
    const received: string[] = [];
    const inhabit = async (what: string, prepare: (socket: Pull) => void): Promise<Pull> => {
      for (;;) {
        const socket = inboxSocket();
        prepare(socket);
        try {
          await bindSocket(socket, inboxes.second);
        } catch {
          socket.close();
          await sleep(10);
          continue;
        }
        void (async () => {
          for await (const parts of messages(socket))
            received.push(`${what}: ${decodeReply(parts)?.answer.kind ?? parts.length}`);
        })().catch(() => undefined);
        return socket;
      }
    };
    const plain = await inhabit('plain', () => undefined);
    await askAs(1);
    await sleep(600);
    plain.close();
    const other = await Security.open({
      node: 'impostor',
      keys: newKeys(),
      writers: { fetcher: keys.fetcher.publicKey },
      zap: await zapOfThisProcess(),
    });
    const curved = await inhabit('another key', (socket) => other.guard(socket, 'inbox'));
    await askAs(1);
    await sleep(600);
    curved.close();
    t.deepEqual(received, []);
    // And whose inbox it is gets its bytes: so they were on offer.
    const own = await inhabit('own key', (socket) => second.guard(socket, 'inbox'));
    for (let tries = 0; received.length === 0 && tries < 40; tries++) {
      await askAs(1);
      await sleep(200);
    }
    own.close();
    t.deepEqual([...new Set(received)], ['own key: chunk']);
    return 'impostor inbox: 0 bytes received, plain and with another key';
  });
});

const portOf = (where: string): number => Number(where.slice(where.lastIndexOf(':') + 1));

/** A TCP connection that says nothing by itself; `over` once it is closed. */
function rawTcp(port: number): { socket: Socket; over: Promise<unknown> } {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  return { socket, over: new Promise((resolve) => socket.once('close', resolve)) };
}

/** ZMTP 3.0 with the mechanism NULL, as a PUSH: greeting and READY (RFC 23). */
const greeting = Buffer.concat([
  Buffer.from([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]),
  Buffer.from('NULL'.padEnd(20, '\0'), 'latin1'),
  Buffer.alloc(32),
]);
const ready = Buffer.from('\x04\x1a\x05READY\x0bSocket-Type\0\0\0\x04PUSH', 'latin1');

test.serial('an endless message of a stranger is not taken in', async (t) => {
  await attack(t, { mib: 24, counted: 'connections without our keys' }, async () => {
    const { socket, over } = rawTcp(portOf(attacked.catchup));
    socket.write(Buffer.concat([greeting, ready]));
    const part = Buffer.alloc(202);
    part[0] = 1;
    part[1] = 200;
    const many = Buffer.concat(Array.from({ length: 5_000 }, () => part));
    let sent = 0;
    let ended = false;
    void over.then(() => (ended = true));
    while (!ended && sent < 64 * MIB) {
      if (!socket.write(many)) await Promise.race([once(socket, 'drain').catch(() => 0), over]);
      sent += many.length;
    }
    t.true(ended, 'it was cut');
    return `endless multipart: cut after ${Math.round(sent / 1024)} KiB`;
  });
});

test.serial('a message beyond the limit cuts even a node that is listed', async (t) => {
  const counted = 'connections that left, or were cut for a message beyond the limit';
  await attack(t, { mib: 48, counted }, async () => {
    const socket = new Push({ linger: 0, sendTimeout: 2_000 });
    let cut = 0;
    onEvent(socket, (type) => (cut += type === 'disconnect' ? 1 : 0));
    second.dial(socket, attacked.catchup, keys.fetcher.publicKey);
    const before = (await now()).counts['messages that were no requests'];
    await socket.send(Buffer.alloc(32 * MIB));
    await until('it is cut', () => cut > 0, 5_000);
    t.is((await now()).counts['messages that were no requests'], before);
    socket.close();
    return 'oversize frame: 32 MiB where 4 KiB are allowed, cut';
  });
});

test.serial('peers that connect and say nothing are cut after two seconds', async (t) => {
  await attack(t, { mib: 24, counted: 'connections without our keys' }, async () => {
    const startMs = performance.now();
    const all = Array.from({ length: 100 }, (_, i) =>
      rawTcp(portOf(i % 2 === 0 ? attacked.feed : attacked.catchup)),
    );
    await Promise.all(all.map(({ over }) => over));
    const tookMs = performance.now() - startMs;
    t.true(tookMs < 8_000, `${tookMs}`);
    return `silent peers: 100 connections cut after ${Math.round(tookMs)} ms`;
  });
});

test.serial(
  'a flood of subscriptions cuts all listeners, who come back by themselves',
  async (t) => {
    const counted = 'floods of subscriptions, all listeners cut';
    await attack(t, { mib: 160, counted }, async () => {
      const socket = new XSubscriber({ linger: 0, sendHighWaterMark: 100_000 });
      second.dial(socket, attacked.feed, keys.fetcher.publicKey);
      for (let i = 0; i < 60_000; i++) await socket.send(`\x01flood-${i}\0`);
      const shed = async (): Promise<number> => (await now()).counts[counted]!;
      const endMs = performance.now() + 10_000;
      while ((await shed()) === 0 && performance.now() < endMs) await sleep(20);
      socket.close();
      t.true((await shed()) > 0);
      const { notices } = feed.stats;
      // Its sockets rest while the files are watched: a heartbeat a second is what they hear.
      await until('notices come again', () => feed.stats.notices > notices + 2, 10_000);
      return 'subscription flood: 60,000 topics, all listeners cut once and back';
    });
  },
);

test.serial('a flood of requests runs into its budget, and costs the others nothing', async (t) => {
  await attack(t, { mib: 64, counted: 'requests beyond the budget' }, async () => {
    const inbox = inboxSocket();
    second.guard(inbox, 'inbox');
    await bindSocket(inbox, inboxes.second);
    let answers = 0;
    void (async () => {
      for await (const parts of messages(inbox)) answers += parts.length > 0 ? 1 : 0;
    })().catch(() => undefined);
    // Many logs: requests for one and the same would fold into one.
    const socket = new Push({ linger: 0, sendTimeout: 2_000 });
    second.dial(socket, attacked.catchup, keys.fetcher.publicKey);
    const ask = { lastEpoch: 0, position: 0, maxBytes: 1 << 20 };
    for (let tag = 1; tag <= 20_000; tag++) {
      const log = tag % 2 === 0 ? trades : `binance/BTC-USDT/x${tag % 999}`;
      await socket.send(encodeRequest({ node: 'second', log, ask, tag }));
    }
    const over = async (): Promise<number> =>
      (await now()).counts['requests beyond the budget'] ?? 0;
    for (let tries = 0; (await over()) === 0 && tries < 100; tries++) await sleep(50);
    socket.close();
    inbox.close();
    return `fetch flood: 20,000 requests, ${answers} answers so far`;
  });
});

test.serial('requests in the name of nobody are counted, not answered', async (t) => {
  await attack(t, { mib: 24, counted: 'requests of strangers' }, async () => {
    await askAs(1_000, 'nobody');
    return 'unknown node: 1,000 requests, none answered';
  });
});

test.serial(
  'slow headers, slow bodies and silent connections are cut when they are due',
  async (t) => {
    await attack(t, { mib: 32, counted: 'requests that took too long to come' }, async () => {
      const startMs = performance.now();
      const heads = [
        'GET /api/v3/time HTTP/1.1\r\nHost: x\r\nX-Slow: ',
        'POST /api/v3/time HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n',
        '',
      ];
      const all = Array.from({ length: 90 }, (_, i) => {
        const raw = rawTcp(attacked.port);
        const head = heads[i % 3]!;
        if (head !== '') raw.socket.write(head);
        const drip = head === '' ? undefined : setInterval(() => raw.socket.write('a'), 200);
        void raw.over.then(() => clearInterval(drip));
        return raw;
      });
      await Promise.all(all.map(({ over }) => over));
      const tookMs = performance.now() - startMs;
      t.true(tookMs < 16_000, `${tookMs}`);
      return `slowloris: 90 connections, the last cut after ${Math.round(tookMs)} ms`;
    });
  },
);

test.serial('a client with 50,000 requests in one go waits in its own socket', async (t) => {
  const counted = 'times that a client had to wait with its requests';
  await attack(t, { mib: 64, counted }, async () => {
    const raw = await RawClient.open(attacked.port, '/ws');
    const frames: Buffer[] = [];
    for (let id = 1; id <= 50_000; id++)
      frames.push(
        maskedFrame(`{"method":"SUBSCRIBE","params":["btcusdt@kline_${id}m"],"id":${id}}`),
      );
    raw.socket.write(Buffer.concat(frames));
    await raw.until(() => raw.texts.length >= 50_000 || raw.ended);
    const { length } = raw.texts;
    raw.socket.destroy();
    t.true(length > 16_384 || raw.ended);
    return `50,000 SUBSCRIBE: ${length} answered, each in its turn`;
  });
});

test.serial('a compressed bomb is refused before it has unfolded', async (t) => {
  const counted = 'clients that sent no WebSocket frames';
  await attack(t, { mib: 48, counted }, async () => {
    const bomb = deflateRawSync(Buffer.alloc(64 * MIB));
    const raw = await RawClient.open(attacked.port, '/ws', {
      'Sec-WebSocket-Extensions': 'permessage-deflate; client_no_context_takeover',
    });
    const frame = maskedFrame(bomb.subarray(0, 60_000));
    frame[0]! |= 0x40;
    raw.socket.write(frame);
    await raw.until(() => raw.ended);
    t.is(raw.closeCode, 1009);
    return `compressed bomb: 64 MiB in ${bomb.length} bytes, closed with 1009`;
  });
});

test.serial('a page that is not listed may not connect', async (t) => {
  await attack(t, { mib: 24, counted: 'connections refused' }, async () => {
    for (const origin of ['https://evil.example', 'null', 'https://good.example.evil.example']) {
      const raw = await RawClient.open(attacked.port, '/ws', { Origin: origin });
      t.is(raw.status, 403, origin);
      raw.socket.destroy();
    }
    const good = await RawClient.open(attacked.port, '/ws', { Origin: 'https://good.example' });
    t.is(good.status, 101);
    good.socket.destroy();
    return 'hostile Origin: 403';
  });
});
