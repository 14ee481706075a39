/**
 * Slow consumers, and large catch-ups: one who reads slowly, or has much to read, costs the others nothing and nobody
 * memory. Short by default, long with `TICKMESH_LONG=1`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { LogReader } from '../lib/log/disk-reader.ts';
import { LogWriter } from '../lib/log/disk-writer.ts';
import { logName } from '../lib/log/name.ts';
import type { PublisherMetrics } from '../lib/publisher/metrics.ts';
import { realClock } from '../lib/world/clock.ts';
import type { Late } from './soak/audience-main.ts';
import { freePort } from './soak/flapper.ts';
import { Node } from './soak/node.ts';
import type { Ends } from './soak/node-main.ts';
import { payloadOf } from './soak/numbered.ts';
import { START_US, long, scratch } from './support/logs.ts';
import { ratioOf, type Ratio } from './support/ratios.ts';
import { RawClient } from './support/raw-client.ts';

const log = logName('test/SLOW-USD/trade');
const logs = [log];
let count = 0;
const at = (what: string): string => `ipc://@tickmesh-slow-${process.pid}-${count++}-${what}`;

function startWriter(t: ExecutionContext, data: string, perSecond: number, serve?: Serve): Node {
  const readers = { replica: serve?.inbox ?? at('inbox') };
  const catchup = { endpoint: serve?.catchup ?? at('catchup'), readers };
  const feed = serve?.feed ?? at('feed');
  const rollBytes = 64 << 20;
  const node = new Node({ role: 'writer', data, logs, perSecond, feed, rollBytes, catchup });
  return started(t, node);
}
type Serve = { readonly feed: string; readonly catchup: string; readonly inbox: string };

function started(t: ExecutionContext, node: Node): Node {
  t.teardown(() => node.kill());
  node.start();
  return node;
}

const pausedAt = async (writer: Node): Promise<Ends> => {
  writer.tell({ do: 'pause' });
  return (await writer.until('paused'))['ends'] as Ends;
};
const metricsOf = async (publisher: Node): Promise<PublisherMetrics> => {
  publisher.tell('metrics');
  return (await publisher.until('metrics'))['metrics'] as PublisherMetrics;
};
type Slow = { event: string; peer: string; frames?: number; waitingBytes?: number };
const slowOf = (publisher: Node): Slow[] => publisher.taken('slow').map(({ what }) => what as Slow);

type Lates = { readonly feeds: Late; readonly clients: Late };
type Beside = {
  readonly p50: Ratio;
  readonly feeds: Ratio;
  readonly clients: Ratio;
  readonly without: readonly Lates[];
};

/** A mesh's processes go first, where that is allowed: what else the machine does is not what is asked about. */
function prefer(...nodes: readonly Node[]): void {
  try {
    for (const { pid } of nodes) setPriority(pid, -10);
  } catch {
    // Then the noise is larger, and the interval with it.
  }
}

/**
 * Eight feeds and eight clients, so many times without and beside a stopped reader and a client that takes nothing. Each of
 * those clients gets all that was not counted as left out; the reader gets everything.
 */
async function measureBeside(
  t: ExecutionContext,
  pairs: number,
  windowMs: number,
  waits: boolean,
): Promise<Beside> {
  const data = scratch(t);
  const writer = startWriter(t, data, 1_000);
  await writer.until('ready');
  const slow = { policy: 'skip', boundBytes: 256 << 10 } as const;
  const publisher = started(t, new Node({ role: 'publisher', data, log, slow, waits }));
  const { port } = (await publisher.until('ready')) as unknown as { port: number };
  const app = join(data, 'app');
  const reader = started(t, new Node({ role: 'reader', data, logs, app, keep: false }));
  await reader.until('going');
  const audience = started(t, new Node({ role: 'audience', data, log, port, count: 8 }));
  await audience.until('ready');
  prefer(writer, publisher, audience);
  const measure = async (): Promise<Lates> => {
    audience.tell('begin');
    await sleep(windowMs);
    audience.tell('end');
    return (await audience.until('late')) as unknown as Lates;
  };
  const told: Slow[] = [];
  publisher.onSaid = ({ event, what }) => {
    if (event === 'slow') told.push(what as Slow);
  };
  const framesIn = (of: readonly Slow[]): number =>
    of.reduce((sum, { frames }) => sum + (frames ?? 0), 0);
  await measure();
  const without = [await measure()];
  const beside: Lates[] = [];
  for (let i = 0; i < pairs; i++) {
    // Large enough to fill its sockets soon; what it takes to make much larger frames would be felt by others, stalled or not.
    const client = await RawClient.open(port, '/ws?fat=4000');
    const { localPort } = client.socket;
    const toldOf = (): Slow[] => told.filter(({ peer }) => peer.endsWith(`:${localPort}`));
    const skipping = (): boolean => toldOf().at(-1)?.event === 'skipping';
    reader.signal('SIGSTOP');
    client.socket.pause();
    await until('turns are left out for it', skipping);
    beside.push(await measure());
    reader.signal('SIGCONT');
    client.socket.resume();
    // While records come: those of a last turn that was left out nobody would miss.
    await until('it has caught up', () => !skipping());
    const numbers = (): number[] => client.texts.map((text) => Number(/"n":(\d+)/.exec(text)![1]));
    const lost = (): number => numbers().at(-1)! - numbers()[0]! + 1 - numbers().length;
    await until('what it has not got is what was told', () => lost() === framesIn(toldOf()));
    const got = numbers();
    t.deepEqual(
      got,
      [...new Set(got)].sort((a, b) => a - b),
      'in order, none twice',
    );
    t.true(got.length < got.at(-1)! - got[0]! + 1);
    client.socket.destroy();
    without.push(await measure());
  }
  const ends = await pausedAt(writer);
  reader.tell({ do: 'end', ends });
  await reader.until('complete');
  const metrics = await metricsOf(publisher);
  t.is(framesIn(told), metrics.skippedFrames, 'told = counted');
  t.true(metrics.skippedFrames > 0);
  t.is(metrics.slowDisconnects, 0);
  t.deepEqual(publisher.taken('failed'), []);
  const ratio = (of: (lates: Lates) => number): Ratio => ratioOf(without.map(of), beside.map(of));
  return {
    p50: ratio(({ clients }) => clients.p50),
    feeds: ratio(({ feeds }) => feeds.p99),
    clients: ratio(({ clients }) => clients.p99),
    without,
  };
}

const worded = ({ median, low, high }: Ratio): string =>
  `${median.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`;
const TENTH = 1.1;

test.serial(
  'beside a stopped reader and a stalled client eight readers and eight clients notice nothing; both lose nothing untold',
  async (t) => {
    t.timeout(500_000);
    const [pairs, windowMs] = long ? [60, 1_000] : [8, 250];
    const { p50, feeds, clients, without } = await measureBeside(t, pairs, windowMs, false);
    const middle = without.map((lates) => lates.clients.p99).sort((a, b) => a - b)[pairs >> 1];
    t.log(
      `beside/without, median of ${pairs} windows (99 % interval): p99 of feeds ${worded(feeds)}, ` +
        `p99 of clients ${worded(clients)}, p50 of clients ${worded(p50)}; p99 without ${middle} us`,
    );
    // Fails when it is sure that they are hurt by more than a tenth.
    for (const [what, { low, ratios }] of Object.entries({ p50, feeds, clients }))
      t.true(low <= TENTH, `${what}: ${ratios.map((ratio) => ratio.toFixed(2)).join(' ')}`);
  },
);

test.serial('a publisher that waits for a slow client would be seen', async (t) => {
  t.timeout(180_000);
  const { clients, p50 } = await measureBeside(t, 8, 150, true);
  t.log(`with the fault: p99 of clients ${worded(clients)}, p50 ${worded(p50)}`);
  t.true(Math.max(clients.low, p50.low) > TENTH, JSON.stringify({ clients, p50 }));
});

test.serial(
  'a client that stalls under "disconnect" is cut once, counted once and told once',
  async (t) => {
    t.timeout(60_000);
    const data = scratch(t);
    const writer = startWriter(t, data, 1_000);
    await writer.until('ready');
    const slow = { policy: 'disconnect', boundBytes: 256 << 10 } as const;
    const publisher = started(t, new Node({ role: 'publisher', data, log, slow }));
    const { port } = await publisher.until('ready');
    const healthy = await RawClient.open(port as number, '/ws?fat=10');
    const client = await RawClient.open(port as number, '/ws?fat=16000');
    client.socket.pause();
    const said = (await publisher.until('slow'))['what'] as Slow;
    t.is(said.event, 'cut');
    // One turn may be larger than the bound: it still goes out to an empty buffer.
    t.true(said.waitingBytes! > 0);
    const before = healthy.texts.length;
    await healthy.until(() => healthy.texts.length > before + 100);
    client.socket.resume();
    await client.until(() => client.closeCode !== undefined);
    t.is(client.closeCode, 1008);
    t.is((await metricsOf(publisher)).slowDisconnects, 1);
    t.deepEqual(slowOf(publisher), []);
  },
);

// ---- catch-up

const statusOf = (pid: number, field: 'VmRSS' | 'VmHWM'): number => {
  const text = readFileSync(`/proc/${pid}/status`, 'latin1');
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(text)![1]) / 1024;
};
/** What a process holds now, its highest mark reset to it where that is allowed. */
function mark(pid: number): number {
  try {
    writeFileSync(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // Then the mark since its start is what counts: stricter.
  }
  return statusOf(pid, 'VmRSS');
}

/** CPU seconds that a process has used: what a rate would be with cores of its own. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function fill(data: string, records: number): Promise<number> {
  await using writer = await LogWriter.open({ data, log, node: 'fill', clock: realClock });
  for (let i = 0; i < records; i++) {
    writer.stage(START_US + i, START_US + i, Buffer.from(payloadOf(log, i), 'latin1'));
    if (i % 2_000 !== 1_999) continue;
    writer.write();
    writer.announce();
  }
  writer.write();
  writer.announce();
  return writer.position;
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const endMs = performance.now() + 120_000;
  while (!holds()) {
    if (performance.now() > endMs) throw new Error(`waited in vain until ${what}`);
    await sleep(1);
  }
}

test.serial(
  'a million records are caught up with in constant memory, over loopback and beside the log',
  async (t) => {
    if (process.platform !== 'linux') return t.log('skipped: reads /proc');
    t.timeout(240_000);
    const records = long ? 1_000_000 : 200_000;
    const [data, copy] = [scratch(t), scratch(t)];
    const position = await fill(data, records);
    const tcp = async (): Promise<string> => `tcp://127.0.0.1:${await freePort()}`;
    const serve = { feed: await tcp(), catchup: await tcp(), inbox: await tcp() };
    const writer = startWriter(t, data, 0, serve);
    await writer.until('ready');
    await sleep(300);
    const writerBefore = mark(writer.pid);
    const { feed, catchup, inbox } = serve;
    const replica = new Node({
      role: 'replica',
      data: copy,
      logs,
      from: { feed, catchup },
      inbox,
      feed: at('copy'),
    });
    started(t, replica);
    await replica.until('ready');
    const replicaBefore = mark(replica.pid);
    using head = new LogReader(copy, log);
    const cpu = (): number[] => [writer.pid, replica.pid].map(cpuSeconds);
    const cpuBefore = cpu();
    const beganMs = performance.now();
    const began = head.head()?.position ?? 0;
    await until('all is copied', () => (head.head()?.position ?? 0) >= position);
    const copiedMs = performance.now() - beganMs;
    const cpuTook = Math.max(...cpu().map((after, i) => after - cpuBefore[i]!));
    const writerGrew = statusOf(writer.pid, 'VmHWM') - writerBefore;
    const replicaGrew = statusOf(replica.pid, 'VmHWM') - replicaBefore;

    const app = join(data, 'app');
    const reader = started(t, new Node({ role: 'reader', data, logs, app, keep: false }));
    await reader.until('ready');
    const readerBefore = mark(reader.pid);
    const readMs = performance.now();
    reader.tell({ do: 'end', ends: await pausedAt(writer) });
    await reader.until('complete', 120_000);
    const tookMs = performance.now() - readMs;
    const readerGrew = statusOf(reader.pid, 'VmHWM') - readerBefore;

    const rate = (bytes: number, ms: number): number => Math.round(bytes / 1e6 / (ms / 1e3));
    t.log(
      `${records} records, ${Math.round(position / 1e6)} MB: copied over loopback at ${rate(position - began, copiedMs)} MB/s ` +
        `(${rate(position - began, cpuTook * 1e3)} MB per CPU second of the busier end), ` +
        `read and every record checked beside the log at ${rate(position, tookMs)} MB/s; ` +
        `memory grew by ${writerGrew.toFixed(1)} MiB (source), ${replicaGrew.toFixed(1)} MiB (replica), ${readerGrew.toFixed(1)} MiB (reader)`,
    );
    t.true(writerGrew < 64, `source: ${writerGrew} MiB`);
    t.true(replicaGrew < 64, `replica: ${replicaGrew} MiB`);
    t.true(readerGrew < 64, `reader: ${readerGrew} MiB`);
  },
);
