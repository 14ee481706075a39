/** One run: forks the two processes, lets them find each other, send, and finish, and joins what they leave. */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { newBase } from '../clock-process.ts';
import { processCpuMs, watchMachine } from '../machine-disk.ts';
import { schedule, type Shape } from '../schedule.ts';
import { readColumn, writeColumn } from '../stamps-disk.ts';
import type { Transport } from '../transport/transport.ts';
import { measureUsage, type Usage } from '../usage-process.ts';
import { TickmeshError } from '../../world/error.ts';
import { isTold, type Faults, type Job, type Order, type Told } from './message.ts';
import { join, judge, type Run } from './run.ts';

export type RunOptions = {
  readonly transport: Transport;
  readonly rate: number;
  readonly size: number;
  readonly shape: Shape;
  readonly warmMs: number;
  readonly durationMs: number;
  readonly round: number;
  readonly scripts: { readonly writer: string; readonly reader: string };
  readonly servers: Readonly<Record<string, { readonly address: string; readonly pid: number }>>;
  /** Where the run's files go; a folder of its own is made in it and removed. */
  readonly dir?: string;
  readonly faults?: Faults;
  readonly signal?: AbortSignal;
};

const START_MS = 15_000;
const GRACE_MS = 2_000;

/** Throws NODE_FAILED when a process dies or does not answer. */
export async function runOnce(options: RunOptions): Promise<Run> {
  const { transport, rate, size, round } = options;
  if (transport.needs && !options.servers[transport.needs])
    throw new TickmeshError('PEER_MISSING', `${transport.needs} is not running`);
  const folder = mkdtempSync(joinPath(options.dir ?? tmpdir(), 'tickmesh-bench-'));
  const warm = Math.ceil((rate * options.warmMs) / 1_000);
  const dueNs = schedule(
    options.shape,
    rate,
    warm + Math.ceil((rate * options.durationMs) / 1_000),
  );
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
  if (transport.parent === 'relay') return measureUsage();
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

type Who = 'reader' | 'writer';

/** The two processes as the runner sees them. */
class Pair {
  readonly #children: ChildProcess[] = [];
  readonly #byName = new Map<Who, ChildProcess>();
  readonly #told = new Map<string, Told>();
  readonly #waiting = new Set<() => void>();
  readonly #relays: boolean;
  #failed: string | undefined;
  #over = false;
  readonly #signal: AbortSignal | undefined;
  readonly #stop = (): void => this.#fail('stopped');

  constructor(job: Job, transport: Transport, { scripts, signal }: RunOptions) {
    const start = (who: Who): ChildProcess => {
      const child = fork(scripts[who], [JSON.stringify(job)]);
      this.#children.push(child);
      child.on('message', (message) => this.#hear(message));
      child.on('exit', (code, by) => {
        if (!this.#told.has(`${who} done`)) this.#fail(`the ${who} ended early (${code ?? by})`);
      });
      return child;
    };
    const writer = start('writer');
    this.#byName.set('writer', writer);
    if (!transport.silent)
      this.#byName.set('reader', transport.parent === 'writer' ? writer : start('reader'));
    this.#relays = transport.parent === 'relay';
    this.#signal = signal;
    signal?.addEventListener('abort', this.#stop);
    if (signal?.aborted) this.#stop();
  }

  #hear(message: unknown): void {
    if (!isTold(message)) {
      if (this.#relays) this.#byName.get('reader')!.send(message as object);
      return;
    }
    if (message.bench === 'failed') return this.#fail(`the ${message.by}: ${message.why}`);
    this.#told.set(`${message.by} ${message.bench}`, message);
    this.#wake();
  }

  #fail(why: string): void {
    if (this.#over) return;
    this.#failed ??= why;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Those that take part. */
  get who(): readonly Who[] {
    return [...this.#byName.keys()];
  }

  order(order: Order): void {
    const child = this.#byName.get(order.to)!;
    if (child.connected) child.send(order);
  }

  /** What they told, in the order asked. Throws NODE_FAILED when one dies or `limitMs` have passed. */
  async all(who: readonly Who[], bench: Told['bench'], limitMs: number): Promise<Told[]> {
    const told = await this.#until(who, bench, limitMs);
    if (told) return told;
    throw new TickmeshError('NODE_FAILED', `bench: no "${bench}" of ${who.join(' and ')} in time`);
  }

  /** Waits for it, but not for ever. */
  async soon(who: Who, bench: Told['bench'], limitMs: number): Promise<void> {
    await this.#until([who], bench, limitMs);
  }

  async #until(
    who: readonly Who[],
    bench: Told['bench'],
    limitMs: number,
  ): Promise<Told[] | undefined> {
    const untilMs = performance.now() + limitMs;
    for (;;) {
      if (this.#failed !== undefined)
        throw new TickmeshError('NODE_FAILED', `bench: ${this.#failed}`);
      const told = who.map((each) => this.#told.get(`${each} ${bench}`));
      if (told.every((each) => each !== undefined)) return told;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** Ends both, whatever they are doing. */
  async end(): Promise<void> {
    this.#over = true;
    this.#signal?.removeEventListener('abort', this.#stop);
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        // One that is done closes by itself when the channel does; one that is not is killed.
        if (child.connected) child.disconnect();
        const timer = setTimeout(() => child.kill('SIGKILL'), 1_000);
        await gone;
        clearTimeout(timer);
      }),
    );
  }
}
