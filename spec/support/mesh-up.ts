/** Meshes of real processes: a topology in a folder of its own, started by the real command, on free ports. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { allGone, isRunning, runScript, type Running } from './processes.ts';

const script = fileURLToPath(new URL('../../nodes/tickmesh.js', import.meta.url));
/** A machine that is busy with other specs is slow, not broken. */
const patient = { TICKMESH_READY_TIMEOUT: '120s' };
let made = 0;

type Teardown = { teardown(end: () => unknown): void };

/** A port that nobody listens on now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

/** Waits until `look` finds something; rejects after `limitMs`, saying what was waited for. */
async function found<T>(what: string, look: () => T | undefined, limitMs = 60_000): Promise<T> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    const got = look();
    if (got !== undefined) return got;
    if (performance.now() > untilMs) throw new Error(`waited in vain for ${what}`);
    await sleep(10);
  }
}

export class MeshFolder {
  readonly dir: string;
  /** Names sockets: no two meshes of a machine share one. */
  readonly project: string;
  readonly #running: Running[] = [];

  constructor(t: Teardown) {
    this.dir = realpathSync(mkdtempSync(join(tmpdir(), 'tickmesh-mesh-')));
    this.project = `mesh-${process.pid}-${++made}`;
    t.teardown(async () => {
      for (const { child } of this.#running) child.kill('SIGKILL');
      await Promise.all(this.#running.map(({ ended }) => ended));
      await allGone(this.leftRunning());
      rmSync(this.dir, { recursive: true, force: true });
    });
  }

  get data(): string {
    return join(this.dir, 'data');
  }

  /** Writes a topology; its head is added. */
  write(nodes: string, name = 'mesh.yaml', head = ''): string {
    mkdirSync(this.dir, { recursive: true });
    writeFileSync(
      join(this.dir, name),
      `version: 1\nproject: ${this.project}\n${head}\nnodes:\n${nodes}`,
    );
    return name;
  }

  /** Runs the command in this folder. */
  run(args: readonly string[], env: Record<string, string> = {}): Running {
    const running = runScript(script, args, { cwd: this.dir, env: { ...patient, ...env } });
    this.#running.push(running);
    // Looked at by whoever wants to know.
    running.ended.catch(() => undefined);
    return running;
  }

  /** `up`, until all is ready. */
  async up(args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
    const running = this.run(['up', ...args], env);
    await running.line(/all \d+ nodes? (?:is|are) ready/);
    return running;
  }

  /** What the supervisors have logged, in order. */
  log(): { msg: string; node?: string; nodePid?: number }[] {
    let text = '';
    try {
      text = readFileSync(join(this.dir, '.tickmesh/logs/tickmesh.log'), 'utf8');
    } catch {
      // Not started yet.
    }
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as { msg: string });
  }

  /** Processes of a node (of all without one) that have ever been ready, in order. */
  pids(node?: string): number[] {
    return this.log().flatMap((line) =>
      line.nodePid !== undefined && (node === undefined || line.node === node)
        ? [line.nodePid]
        : [],
    );
  }

  /** Kills a node's process and waits for the next one to be ready; `meanwhile` is called while there is none. */
  async killNode(node: string, meanwhile: () => void = () => undefined): Promise<void> {
    const before = this.pids(node);
    const pid = before.at(-1)!;
    process.kill(pid, 'SIGKILL');
    await allGone([pid]);
    meanwhile();
    await found(`${node} to be ready again`, () =>
      this.pids(node).length > before.length ? true : undefined,
    );
  }

  /** Node processes of this folder that run now, ready or not, sorted. */
  leftRunning(): number[] {
    const isOurs = (pid: string): boolean => {
      try {
        const node = readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('--supervised');
        return node && readlinkSync(`/proc/${pid}/cwd`) === this.dir;
      } catch {
        return false;
      }
    };
    const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && isOurs(name));
    return pids
      .map(Number)
      .filter(isRunning)
      .sort((a, b) => a - b);
  }
}
