/** Keys: who is let in, who is not, and what refuses to start. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import test from 'ava';
import { Subscriber, XPublisher } from 'zeromq';
import { keyText, secretKeyFile } from '../lib/mesh/curve.ts';
import { readKeyPair, readPublicKey, writeKeyPair } from '../lib/mesh/disk-keys.ts';
import { staysHere } from '../lib/mesh/loopback.ts';
import { dial, newKeys, Security } from '../lib/mesh/security-zeromq.ts';
import { messages } from '../lib/mesh/messages-zeromq.ts';
import {
  bindSocket,
  feedSocket,
  inboxSocket,
  laneSocket,
  requestsSocket,
} from '../lib/mesh/zeromq.ts';
import { kinds } from '../lib/mesh/header.ts';
import { ZeromqAnnouncer, ZeromqListener } from '../lib/notifier/zeromq/zeromq-socket.ts';
import { TickmeshError } from '../lib/world/error.ts';
import { copyBy, feedBy, inFolders, segmentsOf, trades, until, wires } from './support/copies.ts';
import { closeZap, keyedPair, zapOfThisProcess } from './support/keyed.ts';

test.after.always(closeZap);

const TCP = 'tcp://127.0.0.1:*';
const head = { kind: kinds.HEAD, epoch: 1, lines: 1, position: 100 } as const;

/** Announces until `heard` says enough. */
async function announceUntil(announcer: ZeromqAnnouncer, enough: () => boolean): Promise<void> {
  await until(
    'it is heard',
    () => {
      announcer.announce(trades, head);
      return enough();
    },
    5_000,
  );
}

/** A closed socket's port is free a moment later. */
async function bindAgain(endpoint: string, security: Security): Promise<ZeromqAnnouncer> {
  for (;;) {
    try {
      return await ZeromqAnnouncer.bind({ endpoint, security });
    } catch (error) {
      if ((error as TickmeshError).code !== 'PORT_TAKEN') throw error;
      await nextTurn();
    }
  }
}

test('a listed node hears notices over CURVE, over tcp and over ipc', async (t) => {
  for (const endpoint of [TCP, `ipc://@tickmesh-spec-${process.pid}-curve`]) {
    const pair = await keyedPair();
    await using announcer = await ZeromqAnnouncer.bind({ endpoint, security: pair.fetcher });
    let heard = 0;
    await using _listener = new ZeromqListener({
      endpoint: announcer.endpoint,
      logs: [trades],
      security: pair.replica,
      writer: pair.fetcher.node,
      onHeard: () => heard++,
    });
    await announceUntil(announcer, () => heard > 0);
    t.true(heard > 0);
  }
});

test('everything between a fetcher and its replica works over CURVE', async (t) => {
  await inFolders(2, async (here, there) => {
    const pair = await keyedPair();
    const by = wires();
    const reader = pair.replica.node;
    const fed = await feedBy({
      node: pair.fetcher.node,
      data: here!,
      feed: TCP,
      catchup: { endpoint: by.catchup, readers: { [reader]: by.inbox } },
      security: pair.fetcher,
    });
    fed.source.push(trades, 5_000, 100);
    const { replica } = await copyBy(by, {
      node: reader,
      data: there!,
      from: {
        writer: pair.fetcher.node,
        feed: fed.fetcher.announcer!.endpoint,
        catchup: by.catchup,
      },
      security: pair.replica,
    });
    const writer = fed.fetcher.writers.get(trades)!;
    const copied = (lines: number): boolean =>
      writer.lines === lines && replica.positions.get(trades) === writer.position;
    await until('history is copied', () => copied(5_000));
    fed.source.push(trades, 1_000, 10);
    await until('what comes is copied', () => copied(6_000));
    t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
    await replica[Symbol.asyncDispose]();
    await fed.stop();
  });
});

test('a guarded inbox takes messages of every size, and outlives a wake-up for nothing', async (t) => {
  for (const size of [1_000, 80_000, 200_000, 1_000_000]) {
    const pair = await keyedPair();
    const inbox = inboxSocket();
    pair.replica.guard(inbox, 'inbox');
    const at = await bindSocket(inbox, TCP);
    const lane = laneSocket();
    pair.fetcher.dial(lane, at, pair.keys.replica.publicKey);
    let came = 0;
    const taking = (async () => {
      for await (const parts of messages(inbox)) {
        t.is(parts[2]?.length, size);
        if (++came === 30) inbox.close();
      }
    })();
    for (let i = 0; i < 30; i++) {
      const parts = [Buffer.alloc(64), 'log', Buffer.alloc(size)];
      await lane.send(parts).catch(() => lane.send(parts));
    }
    await taking;
    lane.close();
    t.is(came, 30);
  }
});

test('a node that is listed later is let in by itself', async (t) => {
  const zap = await zapOfThisProcess();
  const keys = newKeys();
  const late = newKeys();
  const fetcher = (readers: Record<string, string>): Promise<Security> =>
    Security.open({ node: 'late-fetcher', keys, readers, zap });
  const reader = await Security.open({
    node: 'late',
    keys: late,
    writers: { 'late-fetcher': keys.publicKey },
    zap,
  });
  let announcer = await ZeromqAnnouncer.bind({ endpoint: TCP, security: await fetcher({}) });
  const { endpoint } = announcer;
  let heard = 0;
  await using _listener = new ZeromqListener({
    endpoint,
    logs: [trades],
    security: reader,
    writer: 'late-fetcher',
    onHeard: () => heard++,
  });
  await until('it is refused', () => reader.stats.refused > 0);
  announcer.announce(trades, head);
  t.is(heard, 0);
  t.is(zap.lastDenial?.publicKey, late.publicKey);
  await announcer[Symbol.asyncDispose]();
  const knows = await fetcher({ late: late.publicKey });
  announcer = await bindAgain(endpoint, knows);
  await announceUntil(announcer, () => heard > 0);
  await announcer[Symbol.asyncDispose]();
  t.pass();
});

test('no plain socket binds where other computers could reach it, and it says what to do', async (t) => {
  const outside = [
    'tcp://*:*',
    'tcp://0.0.0.0:*',
    'tcp://[::]:*',
    'tcp://10.1.2.3:5701',
    'tcp://eth0:5701',
    'tcp://localhost.example.org:5701',
    'tcp://127.0.0.1.example.org:5701',
    'ws://127.0.0.1:5701',
    'udp://127.0.0.1:5701',
  ];
  for (const endpoint of outside) {
    for (const make of [feedSocket, requestsSocket, inboxSocket]) {
      const socket = make();
      const error = await t.throwsAsync(bindSocket(socket, endpoint), {
        instanceOf: TickmeshError,
      });
      t.is((error as TickmeshError).code, 'INSECURE', endpoint);
      t.regex((error as TickmeshError).remedy!, /keys new/);
      socket.close();
    }
  }
  for (const endpoint of ['tcp://127.0.0.1:1', 'tcp://[::1]:1', 'ipc://@a', 'inproc://a'])
    t.true(staysHere(endpoint), endpoint);
});

test('keys without an enforced domain do not count: libzmq would let any key in', async (t) => {
  const { secretKey } = newKeys();
  const socket = new XPublisher({ curveServer: true, curveSecretKey: secretKey, zapDomain: 'x' });
  await t.throwsAsync(bindSocket(socket, 'tcp://*:*'), { instanceOf: TickmeshError });
  socket.zapEnforceDomain = true;
  t.regex(await bindSocket(socket, 'tcp://*:*'), /^tcp:\/\/0\.0\.0\.0:\d+$/);
  socket.close();
});

test('a key in its 32 bytes is the key in its 40 characters', (t) => {
  // RFC 32: the first words of its test vector.
  const bytes = Buffer.from(
    '8e0bdd697628b91d8f245587ee95c5b04d48963f79259877b49cd9063aead3b7',
    'hex',
  );
  t.is(keyText(bytes), 'JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6');
});

/** An empty folder, gone after `work`. */
async function inFolder(work: (folder: string) => void | Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tickmesh-keys-'));
  try {
    await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const code = (error: Error | undefined): string => (error as TickmeshError).code;

test('a secret key is written for its owner alone, and refused when others can read it', async (t) => {
  await inFolder((folder) => {
    const keys = newKeys();
    const dir = join(folder, 'keys');
    writeKeyPair(dir, 'a', keys);
    const file = secretKeyFile(dir, 'a');
    t.is(statSync(file).mode & 0o777, 0o600);
    t.is(statSync(dir).mode & 0o777, 0o700);
    t.deepEqual(readKeyPair(file), keys);
    t.is(readPublicKey(dir, 'a'), keys.publicKey);
    t.false(readFileSync(join(dir, 'a.pub'), 'latin1').includes(keys.secretKey));
    t.is(readFileSync(join(dir, '.gitignore'), 'latin1'), '*.key\n');
    for (const mode of [0o640, 0o604, 0o660, 0o666, 0o644, 0o601]) {
      chmodSync(file, mode);
      const error = t.throws(() => readKeyPair(file), { instanceOf: TickmeshError });
      t.is(code(error), 'INSECURE', mode.toString(8));
      t.false(JSON.stringify(error).includes(keys.secretKey));
    }
  });
});

test('a secret key of somebody else is refused', async (t) => {
  await inFolder((folder) => {
    writeKeyPair(folder, 'a', newKeys());
    const file = secretKeyFile(folder, 'a');
    if (process.getuid?.() === 0) {
      chownSync(file, 12_345, 12_345);
      const error = t.throws(() => readKeyPair(file), { instanceOf: TickmeshError });
      t.is(code(error), 'INSECURE');
    } else t.log('only root can give a file away: not tried');
    t.pass();
  });
});

test('what is no key file is refused: a link, a folder, a pipe, junk, half a key', async (t) => {
  await inFolder((folder) => {
    writeKeyPair(folder, 'a', newKeys());
    const file = secretKeyFile(folder, 'a');
    const text = readFileSync(file, 'latin1');
    const other = secretKeyFile(folder, 'b');
    const refused = (what: string): void => {
      const error = t.throws(() => readKeyPair(other), { instanceOf: TickmeshError }, what);
      t.is(code(error), 'CONFIG_INVALID', what);
    };
    refused('missing');
    symlinkSync(file, other);
    refused('a link');
    rmSync(other);
    mkdirSync(other);
    refused('a folder');
    rmdirSync(other);
    for (const junk of ['', 'x', text.slice(0, -20), `${text}more`, 'y'.repeat(5_000)]) {
      writeFileSync(other, junk, { mode: 0o600 });
      refused(`junk: ${junk.slice(0, 20)}`);
    }
  });
});

test('a peer is asked for by name, and only those of the topology have one', async (t) => {
  const { fetcher } = await keyedPair();
  t.is(fetcher.keyOf('readers', 'constructor'), undefined);
  t.is(fetcher.keyOf('writers', 'anybody'), undefined);
  const socket = new Subscriber();
  t.notThrows(() => dial(socket, 'tcp://127.0.0.1:1'));
  socket.close();
});
