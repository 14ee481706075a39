/** One run: forks the two processes, lets them find each other, send, and finish, and joins what they leave. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { newBase } from '../clock-process.ts';
import { processCpuMs, watchMachine } from '../machine-disk.ts';
import { schedule, warmedUp, type Shape } from '../schedule.ts';
import { readColumn, writeColumn } from '../stamps-disk.ts';
import type { Transport } from '../transport/transport.ts';
import { measureUsage, type Usage } from '../usage-process.ts';
import { TickmeshError } from '../../world/error.ts';
import type { Faults, Job } from './message.ts';
import { Pair, type Scripts } from './pair-process.ts';
import { join, judge, type Run } from './run.ts';

export type RunOptions = {
  readonly transport: Transport;
  readonly rate: number;
  readonly size: number;
  readonly shape: Shape;
  readonly warmMs: number;
  readonly durationMs: number;
  readonly round: number;
  readonly scripts: Scripts;
  readonly servers: Readonly<Record<string, { readonly address: string; readonly pid: number }>>;
  /** Where the run's files go; a folder of its own is made in it and removed. */
  readonly dir?: string;
  readonly faults?: Faults;
  readonly signal?: AbortSignal;
};

const START_MS = 30_000;
const GRACE_MS = 2_000;

/** Throws NODE_FAILED when a process dies or does not answer. */
export async function runOnce(options: RunOptions): Promise<Run> {
  const { transport, rate, size, round } = options;
  if (transport.needs && !options.servers[transport.needs])
    throw new TickmeshError('PEER_MISSING', `${transport.needs} is not running`);
  const folder = mkdtempSync(joinPath(options.dir ?? tmpdir(), 'tickmesh-bench-'));
  const settling = Math.ceil((rate * options.warmMs) / 1_000);
  const count = settling + Math.ceil((rate * options.durationMs) / 1_000);
  const { dueNs, warm: brisk } = warmedUp(schedule(options.shape, rate, count), rate);
  const warm = brisk + settling;
  writeColumn(folder, 'due', dueNs);
  const job: Job = {
    transport: transport.name,
    folder,
    size,
    servers: Object.fromEntries(
      Object.entries(options.servers).map(([name, { address }]) => [name, address]),
    ),
    baseNs: newBase(),
    count: dueNs.length,
    warm,
    faults: options.faults ?? {},
    readerScript: options.scripts.reader,
  };
  const pair = new Pair(job, transport, options);
  try {
    await pair.all(pair.who, 'ready', START_MS);
    pair.order({ bench: 'probe', to: 'writer' });
    if (!transport.silent) await pair.all(['reader'], 'heard', START_MS);
    const machine = watchMachine();
    const middle = watchMiddle(options);
    pair.order({ bench: 'begin', to: 'writer' });
    await pair.all(['writer'], 'sent', 2 * (dueNs.at(-1)! / 1e6) + START_MS);
    if (!transport.silent) await pair.soon('reader', 'all', GRACE_MS + 3 * (transport.slowMs ?? 0));
    const broker = middle?.();
    const { busy, steal } = machine();
    for (const to of pair.who) pair.order({ bench: 'finish', to });
    const [writer, reader] = await pair.all(pair.who, 'done', START_MS);
    const joined = join(
      {
        due: readColumn(folder, 'due'),
        begun: readColumn(folder, 'begun'),
        written: readColumn(folder, 'written'),
        told: readColumn(folder, 'told'),
        noticed: reader ? readColumn(folder, 'noticed') : new Float64Array(dueNs.length),
        read: reader ? readColumn(folder, 'read') : new Float64Array(dueNs.length),
      },
      warm,
    );
    const account = reader?.account ?? { sent: 0, lost: 0, doubled: 0, reordered: 0 };
    return {
      transport: transport.name,
      rate,
      size,
      round,
      joined,
      account,
      usage: {
        ...(writer!.usage ? { writer: writer!.usage } : {}),
        ...(reader?.usage ? { reader: reader.usage } : {}),
        ...(broker ? { middle: broker } : {}),
      },
      busy,
      steal,
      ...judge(account, joined.lateness, steal),
    };
  } finally {
    await pair.end();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The broker's cost, or ours where we relay. */
function watchMiddle({ transport, servers }: RunOptions): (() => Usage) | undefined {
  if (transport.parent === 'relay' || transport.parent === 'supervisor') return measureUsage();
  return transport.needs && watchProcess(servers[transport.needs]!.pid);
}

function watchProcess(pid: number): () => Usage {
  const before = processCpuMs(pid) ?? 0;
  const sinceMs = performance.now();
  return () => ({
    cpuMs: (processCpuMs(pid) ?? before) - before,
    elapsedMs: performance.now() - sinceMs,
    waits: 0,
    rssBytes: 0,
  });
}
