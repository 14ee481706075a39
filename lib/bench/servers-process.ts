/** Servers that peers need, started on ports and folders of the bench's own and stopped after it; none that already run. */
import { spawn, type ChildProcess } from 'node:child_process';
import {
  accessSync,
  constants,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerName } from './transport/transport.ts';

export type Server = { readonly address: string; readonly pid: number };

export type Servers = AsyncDisposable & {
  readonly running: Readonly<Partial<Record<ServerName, Server>>>;
  /** Why one is not there. */
  readonly missing: readonly string[];
};

type Started = Server & { stop(): Promise<void> };

const READY_MS: Readonly<Record<ServerName, number>> = { redis: 10_000, rabbitmq: 90_000 };

/** Starts those of `names` that are installed. Never throws for one that is not, or does not come up. */
export async function startServers(names: readonly ServerName[]): Promise<Servers> {
  const started = new Map<ServerName, Started>();
  const missing: string[] = [];
  await Promise.all(
    names.map(async (name) => {
      try {
        started.set(name, await (name === 'redis' ? startRedis() : startRabbitmq()));
      } catch (error) {
        missing.push(`${name}: ${(error as Error).message}`);
      }
    }),
  );
  return {
    running: Object.fromEntries(started),
    missing,
    async [Symbol.asyncDispose]() {
      await Promise.all([...started.values()].map((server) => server.stop()));
    },
  };
}

/** Path of the first that is installed. */
function installed(...paths: readonly string[]): string {
  for (const path of paths) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one, then.
    }
  }
  throw new Error(`not installed (looked for ${paths.join(', ')})`);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

/** Resolves when something listens at the port; rejects when the process ends or too much time has passed. */
async function listening(port: number, child: ChildProcess, limitMs: number): Promise<void> {
  const untilMs = performance.now() + limitMs;
  for (;;) {
    if (child.exitCode !== null) throw new Error(`ended with code ${child.exitCode}`);
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
    if (open) return;
    if (performance.now() > untilMs) throw new Error(`does not listen after ${limitMs / 1_000} s`);
    await sleep(100);
  }
}

/** Ends a process with all that it started: it leads a group of its own. */
async function stopGroup(child: ChildProcess, folder: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    signalGroup(child, 'SIGTERM');
    const timer = setTimeout(() => signalGroup(child, 'SIGKILL'), 10_000);
    await gone;
    clearTimeout(timer);
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  try {
    process.kill(-child.pid!, signal);
  } catch {
    // It went by itself.
  }
}

async function startRedis(): Promise<Started> {
  const command = installed('/usr/bin/redis-server', '/usr/local/bin/redis-server');
  const folder = mkdtempSync(join(tmpdir(), 'tickmesh-redis-'));
  const port = await freePort();
  const child = spawn(
    command,
    [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
    ],
    { stdio: 'ignore', detached: true },
  );
  const stop = (): Promise<void> => stopGroup(child, folder);
  try {
    await listening(port, child, READY_MS.redis);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `redis://127.0.0.1:${port}`, pid: child.pid!, stop };
}

async function startRabbitmq(): Promise<Started> {
  const command = installed(
    '/usr/lib/rabbitmq/bin/rabbitmq-server',
    '/usr/local/sbin/rabbitmq-server',
  );
  const nameServer = installed('/usr/bin/epmd', '/usr/local/bin/epmd');
  const folder = mkdtempSync(join(tmpdir(), 'tickmesh-rabbitmq-'));
  mkdirSync(join(folder, 'home'));
  const plugins = join(folder, 'plugins');
  writeFileSync(plugins, '[].\n');
  const [port, far, names] = [await freePort(), await freePort(), await freePort()];
  const env = {
    ...process.env,
    HOME: join(folder, 'home'),
    // Erlang's name server too is our own: the machine's may belong to somebody else's broker.
    ERL_EPMD_PORT: `${names}`,
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `tickmesh${process.pid}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: `${port}`,
    RABBITMQ_DIST_PORT: `${far}`,
    RABBITMQ_MNESIA_BASE: join(folder, 'data'),
    RABBITMQ_LOG_BASE: join(folder, 'log'),
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_CONFIG_FILE: join(folder, 'none'),
    RABBITMQ_PID_FILE: join(folder, 'pid'),
  };
  const epmd = spawn(nameServer, ['-port', `${names}`], { env, stdio: 'ignore' });
  epmd.once('error', () => undefined);
  const child = spawn(command, [], { env, stdio: 'ignore', detached: true });
  const stop = async (): Promise<void> => {
    await stopGroup(child, folder);
    epmd.kill();
  };
  try {
    await listening(port, child, READY_MS.rabbitmq);
  } catch (error) {
    await stop();
    throw error;
  }
  return { address: `amqp://guest:guest@127.0.0.1:${port}`, pid: erlangOf(child.pid!), stop };
}

/** The virtual machine among the processes of a group: it does the work. */
function erlangOf(group: number): number {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (stat.includes('(beam.smp)') && Number(fields[2]) === group) return Number(pid);
    } catch {
      // It has ended meanwhile.
    }
  }
  return group;
}
