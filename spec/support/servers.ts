/** Redis and RabbitMQ of the specs' own: on ports of their own, with nothing kept, stopped with the spec. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from './ports.ts';

export type OwnServer = {
  readonly port: number;
  start(): Promise<void>;
  /** As a crash would. */
  kill(): Promise<void>;
  /** The same, and nothing is left on disk. */
  end(): Promise<void>;
};

const redisPath = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'].find((path) =>
  existsSync(path),
);
/** The script beside the one for administrators, which insists on its own user. */
const rabbitPath = ['/usr/lib/rabbitmq/bin/rabbitmq-server'].find((path) => existsSync(path));

export const missing = {
  redis: redisPath === undefined ? 'redis-server is not installed' : undefined,
  rabbitmq: rabbitPath === undefined ? 'rabbitmq-server is not installed' : undefined,
};

/** True when somebody answers on a port. */
const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });

class Program implements OwnServer {
  readonly port: number;
  readonly #folder: string;
  readonly #spawn: (folder: string) => ChildProcess;
  readonly #forget: () => void;
  #child: ChildProcess | undefined;
  #ended: Promise<unknown> = Promise.resolve();
  #output = '';

  constructor(
    port: number,
    folder: string,
    start: (folder: string) => ChildProcess,
    forget: () => void = () => undefined,
  ) {
    this.port = port;
    this.#folder = folder;
    this.#spawn = start;
    this.#forget = forget;
    process.on('exit', () => this.#signal());
  }

  async start(): Promise<void> {
    if (this.#child) return;
    const child = (this.#child = this.#spawn(this.#folder));
    let ended = false;
    child.stdout?.on('data', (text) => (this.#output += String(text)));
    child.stderr?.on('data', (text) => (this.#output += String(text)));
    this.#ended = new Promise((resolve) => child.on('close', resolve)).then(() => (ended = true));
    const untilMs = performance.now() + 90_000;
    while (!(await answers(this.port))) {
      if (ended || performance.now() > untilMs)
        throw new Error(`no server on port ${this.port}: ${this.#output.slice(-2_000)}`);
      await sleep(50);
    }
  }

  /** The whole group: what is started by a script is its child. */
  #signal(): void {
    if (this.#child?.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }

  async kill(): Promise<void> {
    if (!this.#child) return;
    this.#signal();
    await this.#ended;
    this.#child = undefined;
    while (await answers(this.port)) await sleep(20);
  }

  async end(): Promise<void> {
    await this.kill();
    this.#forget();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

export async function redisServer(): Promise<OwnServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'tickmesh-redis-'));
  const options = ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  return new Program(port, folder, () =>
    spawn(redisPath!, [...options, '--dir', folder], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
}

/** Takes some 10 s to start. Its port mapper (epmd) is its own too, and ends with it. */
export async function rabbitServer(): Promise<OwnServer> {
  const [port, distPort, mapperPort] = [await freePort(), await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'tickmesh-rabbitmq-'));
  const env = {
    ...process.env,
    HOME: folder,
    RABBITMQ_NODENAME: `tickmesh${process.pid}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${distPort}`,
    RABBITMQ_MNESIA_BASE: join(folder, 'mnesia'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(folder, 'plugins'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
    RABBITMQ_CONF_ENV_FILE: join(folder, 'none'),
    ERL_EPMD_PORT: `${mapperPort}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
  };
  return new Program(
    port,
    folder,
    () => spawn(rabbitPath!, [], { env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] }),
    // The port mapper is a daemon of its own.
    () => spawnSync('epmd', ['-kill'], { env }),
  );
}
