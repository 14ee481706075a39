/**
 * The frame of every node process: settings in, logger up, signals and the supervisor's death turned into one abort
 * signal, errors turned into one line and an exit code. What the node does is passed in; it returns when it has stopped.
 *
 *   process.exitCode = await runNode<FetcherSettings>(async (settings, { signal, logger, ready }) => { … });
 */
import { readFileSync } from 'node:fs';
import { TickmeshError } from '../world/error.ts';
import { openLogger, type LogLevel, type Logger } from '../world/logger.ts';
import { parseToNode, type FromNode, type Ready } from './message.ts';
import { SUPERVISED } from './process.ts';

export type NodeContext = {
  /** Aborts when the node shall stop. */
  readonly signal: AbortSignal;
  readonly logger: Logger;
  /** Says that the node serves; the first call counts. */
  readonly ready: (what?: Ready) => void;
};
export type Serve<Settings> = (settings: Settings, context: NodeContext) => Promise<void>;

/** Without a supervisor nobody kills a node that hangs in its last steps: it gives itself this long. */
const ORPHAN_MS = 3000;

/** Runs a node. Resolves with the exit code; the caller ends the process with it, whatever else still runs in it. */
export async function runNode<
  Settings extends { readonly node: string; readonly logLevel: LogLevel },
>(serve: Serve<Settings>): Promise<number> {
  const supervised = process.argv.includes(SUPERVISED);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  let logger = openLogger({ node: 'node', write: writeLine });
  // A terminal sends Ctrl-C to us and to the supervisor alike: there it is the supervisor that stops us, in order.
  for (const signal of ['SIGINT', 'SIGHUP'] as const)
    process.on(signal, supervised ? () => undefined : stop);
  process.on('SIGTERM', stop);
  process.stdout.on('error', () => undefined);
  process.stderr.on('error', () => undefined);

  return new Promise((resolve) => {
    const failed = (error: unknown): void => {
      logger.fatal({ err: error, final: true }, messageOf(error));
      // Not before the reason has left this process.
      tell({ failed: describe(error) }, () => resolve(1));
    };
    process.on('uncaughtException', failed);
    process.on('unhandledRejection', failed);
    const orphaned = (): void => {
      stop();
      setTimeout(() => resolve(1), ORPHAN_MS).unref();
    };
    if (supervised) {
      process.on('disconnect', orphaned);
      if (!process.connected) return resolve(1);
    }
    const main = async (): Promise<void> => {
      const settings = await (supervised
        ? receiveSettings<Settings>(stopping.signal)
        : readSettings<Settings>());
      if (settings === undefined) return;
      logger = openLogger({ node: settings.node, level: settings.logLevel, write: writeLine });
      let said = false;
      const ready = (what: Ready = {}): void => {
        if (said) return;
        said = true;
        tell({ ready: what });
        if (!supervised) logger.info({ ...what }, 'ready');
      };
      await serve(settings, { signal: stopping.signal, logger, ready });
    };
    main().then(() => resolve(0), failed);
  });
}

/** Synchronous on pipes and files: the last words before a crash are not lost. */
function writeLine(line: string): void {
  process.stdout.write(line);
}

function tell(message: FromNode, done: () => void = () => undefined): void {
  if (process.send === undefined || !process.connected) return done();
  process.send(message, undefined, undefined, () => done());
}

/** The settings that the supervisor sends first; undefined when told to stop before. */
const receiveSettings = <Settings>(signal: AbortSignal): Promise<Settings | undefined> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(undefined));
    process.once('message', (message) => resolve(parseToNode(message)?.settings as Settings));
  });

/** By hand: `node dist/nodes/fetcher.js settings.json`. */
function readSettings<Settings>(): Settings {
  const file = process.argv[2];
  const remedy =
    'nodes are started by "tickmesh up"; by hand: node dist/nodes/<kind>.js settings.json';
  if (file === undefined) throw new TickmeshError('CONFIG_INVALID', 'no settings', { remedy });
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Settings;
  } catch (cause) {
    throw new TickmeshError('CONFIG_INVALID', `cannot read settings from ${file}`, {
      remedy,
      cause,
    });
  }
}

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

const describe = (error: unknown): { code: string; message: string; remedy?: string } =>
  error instanceof TickmeshError
    ? {
        code: error.code,
        message: error.message,
        ...(error.remedy === undefined ? {} : { remedy: error.remedy }),
      }
    : { code: 'NODE_FAILED', message: `unexpected: ${messageOf(error)}` };
