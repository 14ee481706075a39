/**
 * Slow consumers, and large catch-ups: one who reads slowly, or has much to read, costs the others nothing and nobody
 * memory. Short by default, long with `TICKMESH_LONG=1`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import test, { type ExecutionContext } from 'ava';
import { LogReader } from '../lib/log/disk-reader.ts';
import { LogWriter } from '../lib/log/disk-writer.ts';
import { logName } from '../lib/log/name.ts';
import type { PublisherMetrics } from '../lib/publisher/metrics.ts';
import { realClock } from '../lib/world/clock.ts';
import { freePort } from './soak/flapper.ts';
import { Node } from './soak/node.ts';
import type { Ends } from './soak/node-main.ts';
import { payloadOf } from './soak/numbered.ts';
import { START_US, long, scratch } from './support/logs.ts';
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
type Slow = { event: string; frames?: number; waitingBytes?: number };
const slowOf = (publisher: Node): Slow[] => publisher.taken('slow').map(({ what }) => what as Slow);

test.serial(
  'beside a stopped reader and a stalled client eight readers and eight clients notice nothing; both lose nothing untold',
  async (t) => {
    t.timeout(180_000);
    const data = scratch(t);
    const writer = startWriter(t, data, 1_000);
    await writer.until('ready');
    const slow = { policy: 'skip', boundBytes: 256 << 10 } as const;
    const publisher = started(t, new Node({ role: 'publisher', data, log, slow }));
    const { port } = await publisher.until('ready');
    const app = join(data, 'app');
    const reader = started(t, new Node({ role: 'reader', data, logs, app, keep: false }));
    await reader.until('going');
    const eight = { role: 'audience', data, log, port: port as number, count: 8 } as const;
    const audience = started(t, new Node(eight));
    await audience.until('ready');
    const client = await RawClient.open(port as number, '/ws?fat=8000');

    type Late = { count: number; p50: number; p99: number };
    const measure = async (): Promise<Late> => {
      audience.tell('begin');
      await sleep(long ? 5_000 : 1_500);
      audience.tell('end');
      return (await audience.until('late')) as unknown as Late;
    };
    await measure();
    const without: Late[] = [];
    const beside: Late[] = [];
    const told: Slow[] = [];
    publisher.onSaid = ({ event, what }) => {
      if (event === 'slow') told.push(what as Slow);
    };
    const skipping = (): boolean => told.at(-1)?.event === 'skipping';
    // In turn, so that what else this machine does falls on both.
    for (let i = 0; i < (long ? 4 : 2); i++) {
      without.push(await measure());
      reader.signal('SIGSTOP');
      client.socket.pause();
      await until('turns are left out for it', skipping);
      beside.push(await measure());
      reader.signal('SIGCONT');
      client.socket.resume();
      // While records come: those of a last turn that was left out nobody would miss.
      await until('it has caught up', () => !skipping());
    }
    // The reader: everything.
    const ends = await pausedAt(writer);
    reader.tell({ do: 'end', ends });
    await reader.until('complete');
    // The client: everything but what was counted.
    const last = ends[log]!.lines - 1;
    const numbers = (): number[] => client.texts.map((text) => Number(/"n":(\d+)/.exec(text)![1]));
    await client.until(() => numbers().at(-1) === last);
    const got = numbers();
    const metrics = await metricsOf(publisher);
    const toldFrames = told.reduce((sum, { frames }) => sum + (frames ?? 0), 0);
    t.deepEqual(
      got,
      [...new Set(got)].sort((a, b) => a - b),
      'in order, none twice',
    );
    t.is(last - got[0]! + 1 - got.length, metrics.skippedFrames, 'left out = counted');
    t.is(toldFrames, metrics.skippedFrames, 'and = what the log says');
    t.true(metrics.skippedFrames > 0);
    t.is(metrics.slowDisconnects, 0);
    t.deepEqual(publisher.taken('failed'), []);
    // Loose: p99 of shared cores is mostly theirs. The figures are printed.
    const p99 = (of: Late[]): number =>
      of.map((late) => late.p99).sort((a, b) => a - b)[of.length >> 1]!;
    const p50 = (of: Late[]): number =>
      of.map((late) => late.p50).sort((a, b) => a - b)[of.length >> 1]!;
    t.true(p50(beside) < 2 * p50(without) + 2_000, JSON.stringify({ without, beside }));
    t.true(p99(beside) < 3 * p99(without) + 30_000, JSON.stringify({ without, beside }));
    t.log(
      `healthy p99 without ${p99(without)} us, beside ${p99(beside)} us (p50 ${p50(without)}, ${p50(beside)}); ` +
        `${last + 1} records, ${metrics.skippedFrames} frames left out and told`,
    );
  },
);

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
