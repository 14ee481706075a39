/**
 * What publishing costs the server: a server process and a process of counting clients, CPU of the server alone.
 * Frames that were sent and did not come are counted: where there are any, the figures say nothing.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { publisherFlags } from '../publisher/settings.ts';
import { TickmeshError } from '../world/error.ts';
import type {
  ClientResult,
  FromClients,
  FromServer,
  SendMode,
  ServerResult,
  ServerTask,
  ToClients,
  ToServer,
} from './publish-message.ts';
import type { ReplayLogs } from './replay-logs-disk.ts';

export type PublishOptions = {
  readonly from: ReplayLogs;
  readonly mode?: SendMode;
  readonly clients?: number;
  /** Streams that each client dials, as a path with query. */
  readonly path: string;
  /** Records that go through before the measurement begins; default 500,000, at most half of what there is. */
  readonly warmUp?: number;
  /** Records of a turn, and turns; for the modes that send from memory. */
  readonly turn?: number;
  readonly turns?: number;
  /** More flags of the server's Node, e.g. `--cpu-prof`. */
  readonly execArgv?: readonly string[];
};

export type PublishResult = ServerResult & {
  /** Frames and bytes that reached all clients together. */
  readonly frames: number;
  readonly bytes: number;
  /** Frames that were sent and did not come. Other than 0: the run says nothing. */
  readonly missing: number;
  readonly cpuSecondsPerMillion: number;
};

const entry = (name: string): string =>
  fileURLToPath(new URL(`../../nodes/bench/${name}.js`, import.meta.url));

/** A publisher runs as a launched one does, the peer on Node as it comes. */
const startServer = (mode: SendMode, flags: readonly string[] = []): ChildProcess =>
  fork(entry('publish-server'), [], {
    execArgv: [...(mode === 'ws-send' ? [] : publisherFlags), ...flags],
  });

/** The next message of a child that `pick` knows; rejects where it ends before. */
function hear<T>(child: ChildProcess, pick: (message: never) => T | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const gone = (code: number | null): void =>
      reject(
        new TickmeshError('NODE_FAILED', `a process of the bench ended with ${code}`, {
          remedy: 'read what it wrote above',
        }),
      );
    const listen = (message: unknown): void => {
      const found = pick(message as never);
      if (found === undefined) return;
      child.off('message', listen);
      child.off('exit', gone);
      resolve(found);
    };
    child.on('message', listen);
    child.once('exit', gone);
  });
}

/** One run. Throws NODE_FAILED where a process ends before its time. */
export async function measurePublish(options: PublishOptions): Promise<PublishResult> {
  const { from, clients = 1, path, execArgv = [] } = options;
  const records = options.turn === undefined ? from.records : options.turn * (options.turns ?? 0);
  const task: ServerTask = {
    warmUp: Math.min(options.warmUp ?? 500_000, Math.floor(records / 2)),
    mode: options.mode ?? 'feed',
    data: from.data,
    logs: from.logs,
    exchange: from.logs[0]!.split('/')[0]!,
    instruments: [...new Set(from.logs.map((log) => log.split('/')[1]!))],
    turn: options.turn ?? 1,
    turns: options.turns ?? 0,
    path,
  };
  const server = startServer(task.mode, execArgv);
  const crowd = fork(entry('publish-clients'), [], { execArgv: [] });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  try {
    const ask = (message: ToServer): unknown => server.send(message);
    ask({ task });
    const port = await hear(server, (said: FromServer) => ('port' in said ? said.port : undefined));
    crowd.send({ task: { port, path, clients } } satisfies ToClients);
    await hear(crowd, (said: FromClients) => ('open' in said ? said.open : undefined));
    const counting: Promise<ClientResult> = hear(crowd, (said: FromClients) =>
      'result' in said ? said.result : undefined,
    );
    const serving: Promise<ServerResult> = hear(server, (said: FromServer) =>
      'result' in said ? said.result : undefined,
    );
    ask({ go: true });
    const [result, counted] = await Promise.all([serving, counting]);
    await ended;
    const seconds = result.userSeconds + result.systemSeconds;
    return {
      ...result,
      ...counted,
      missing: result.sent - counted.frames,
      cpuSecondsPerMillion: (seconds * 1e6) / result.measuredFrames,
    };
  } finally {
    server.kill();
    crowd.kill();
  }
}

/** A publisher in a process of its own, over what is written to these logs from now on. */
export async function servePublish(
  data: string,
  logs: readonly string[],
): Promise<{ readonly port: number; stop(): void }> {
  const task: ServerTask = {
    mode: 'live',
    data,
    logs,
    exchange: logs[0]!.split('/')[0]!,
    instruments: [...new Set(logs.map((log) => log.split('/')[1]!))],
    warmUp: 0,
    turn: 1,
    turns: 0,
    path: '/ws',
  };
  const server = startServer(task.mode);
  server.send({ task } satisfies ToServer);
  const port = await hear(server, (said: FromServer) => ('port' in said ? said.port : undefined));
  return { port, stop: () => server.kill() };
}
