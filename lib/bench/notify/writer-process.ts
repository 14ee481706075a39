/** The writing process of a latency run: probes until the reader hears, then sends record after record when it is due. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { standBack } from '../../launch/niceness-process.ts';
import { benchClock } from '../clock-process.ts';
import { pace } from '../pacer-process.ts';
import { PROBE } from '../record.ts';
import { readColumn, writeColumn } from '../stamps-disk.ts';
import { transportNamed } from '../transport/registry.ts';
import type { ServerName, Stamps } from '../transport/transport.ts';
import { measureUsage, type Usage } from '../usage-process.ts';
import { SETTLE_MS, isOrder, isTold, type Job, type Order, type Told } from './message.ts';
import { standStill } from './stand-still-process.ts';

const PROBE_MS = 5;
/** From the order to begin to the first record. */
const HEAD_START_NS = 10e6;

const tell = (told: Omit<Told, 'by'>): void => void process.send?.({ ...told, by: 'writer' });

/** The reader as this process's child: what it tells goes on to the runner. */
function forkReader(job: Job): { child: ChildProcess; done: Promise<void> } {
  const child = fork(job.readerScript, [JSON.stringify(job)]);
  const done = new Promise<void>((resolve) => {
    child.on('message', (message) => {
      if (!isTold(message)) return;
      process.send?.(message);
      if (message.bench === 'done' || message.bench === 'failed') resolve();
    });
  });
  return { child, done };
}

/** Runs until the runner says that it is over. */
export async function runWriter(job: Job): Promise<void> {
  const transport = transportNamed(job.transport);
  const now = benchClock(job.baseNs);
  const { count, warm, folder } = job;
  const stamps: Stamps = {
    begunNs: new Float64Array(count),
    writtenNs: new Float64Array(count),
    toldNs: new Float64Array(count),
  };
  const reader = transport.parent === 'writer' ? forkReader(job) : undefined;
  const orders = new Orders((order) => void reader?.child.send(order));
  const writing = await transport.write({
    folder,
    size: job.size,
    servers: job.servers as Partial<Record<ServerName, string>>,
    now,
    stamps,
    ...(reader ? { reader: reader.child } : {}),
  });
  standBack(transport.writerNice ?? 0);
  tell({ bench: 'ready' });
  await orders.next('probe');
  const heard = Promise.race([
    orders.next('begin').then(() => true),
    orders.next('rest').then(() => false),
  ]);
  let begins: boolean | undefined;
  void heard.then((begin) => (begins = begin));
  while (begins === undefined) {
    await writing.send(PROBE, PROBE + 1);
    await Promise.race([heard, sleep(PROBE_MS)]);
  }
  if (!begins) {
    await sleep(SETTLE_MS);
    const rested = measureUsage();
    await orders.next('finish');
    const usage = rested();
    await writing[Symbol.asyncDispose]();
    return tell({ bench: 'done', usage });
  }
  let stop: (() => Usage) | undefined;
  const dueNs = readColumn(folder, 'due');
  const startNs = now() + HEAD_START_NS;
  await pace(dueNs, startNs, now, (from, to) => {
    if (stop === undefined && to > warm) stop = measureUsage();
    const { late } = job.faults;
    if (late && from <= late.number && late.number < to) standStill(late.ms);
    return writing.send(from, to);
  });
  const usage = stop?.();
  tell({ bench: 'sent' });
  await orders.next('finish');
  // Offsets become moments of the bench's clock.
  writeColumn(
    folder,
    'due',
    dueNs.map((offsetNs) => startNs + offsetNs),
  );
  writeColumn(folder, 'begun', stamps.begunNs);
  writeColumn(folder, 'written', stamps.writtenNs);
  writeColumn(folder, 'told', stamps.toldNs);
  if (reader) {
    await reader.done;
    reader.child.disconnect();
    if (reader.child.exitCode === null) await once(reader.child, 'exit');
  }
  await writing[Symbol.asyncDispose]();
  tell({ bench: 'done', ...(usage ? { usage } : {}) });
}

/** Orders as they come: each is waited for once. Those for the reader are passed on. */
class Orders {
  readonly #come = new Map<Order['bench'], () => void>();
  readonly #promises = new Map<Order['bench'], Promise<void>>();

  constructor(passOn: (order: Order) => void) {
    for (const bench of ['probe', 'begin', 'rest', 'finish'] as const)
      this.#promises.set(bench, new Promise((resolve) => this.#come.set(bench, resolve)));
    process.on('message', (message) => {
      if (!isOrder(message)) return;
      if (message.to === 'reader') passOn(message);
      else this.#come.get(message.bench)?.();
    });
  }

  next(bench: Order['bench']): Promise<void> {
    return this.#promises.get(bench)!;
  }
}
