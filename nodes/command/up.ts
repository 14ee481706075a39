/** `tickmesh up`: this host's nodes as processes, until told to stop. All or nothing at the start. */
import { resolve } from 'node:path';
import { LogFiles } from '../../lib/launch/disk.ts';
import { Launcher, type Outcome } from '../../lib/launch/launcher-process.ts';
import type { Ready } from '../../lib/launch/message.ts';
import { Pretty, toRecord, type LogRecord } from '../../lib/launch/pretty.ts';
import type { Ending, NodeState } from '../../lib/launch/state.ts';
import type { NodeKind } from '../../lib/topology/node.ts';
import { nearest } from '../../lib/topology/nearest.ts';
import { TickmeshError } from '../../lib/world/error.ts';
import { openLogger, type Logger } from '../../lib/world/logger.ts';
import { load, type Given, type Loaded } from './load.ts';

const SELF = 'tickmesh';
/** npm passes a Ctrl-C on that the terminal has sent us already: so soon it is no second one. */
const ECHO_MS = 500;

export type UpOptions = Given & {
  /** Names of nodes, with commas between: these alone are started. */
  readonly only?: string | undefined;
  /** Module of a kind of node. */
  readonly entry?: (kind: NodeKind) => string;
};

const builtIn = (kind: NodeKind): string => new URL(`../${kind}.js`, import.meta.url).pathname;

/** Runs the mesh; resolves with the exit code once nothing is left running. */
export async function up(options: UpOptions, env: NodeJS.ProcessEnv): Promise<number> {
  const loaded = onlyThese(await load(options, env), options.only);
  if (loaded.plan.nodes.length === 0) {
    throw new TickmeshError(
      'CONFIG_INVALID',
      `no node of ${loaded.shown} runs on host "${loaded.plan.host}"`,
      {
        remedy: 'name another: --host',
      },
    );
  }
  const { log } = loaded.settings;
  using files = new LogFiles({
    dir: resolve(loaded.dir, log.dir),
    maxBytes: log.max_size,
    keep: log.keep,
  });
  const screen = new Screen(loaded, files);
  const startedMs = performance.now();
  const launcher: Launcher = new Launcher({
    plan: loaded.plan,
    entry: options.entry ?? builtIn,
    onLine: (node, line, isError) => screen.line(node, line, isError),
    onReady: (node, ready) => screen.ready(node, launcher.pid(node), ready),
    onState: (node, state, pid) => screen.state(node, state, pid),
    onSettled: () => screen.settled(performance.now() - startedMs),
  });
  let forced = false;
  let first: { signal: NodeJS.Signals; atMs: number } | undefined;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (first === undefined) {
      first = { signal, atMs: performance.now() };
      screen.say('info', 'stopping; once more kills');
      launcher.stop();
    } else if (performance.now() - first.atMs > ECHO_MS) {
      forced = true;
      launcher.kill();
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  // A closed terminal or pipe is the end of whoever watched.
  const onClosed = (): void => onSignal('SIGHUP');
  process.stdout.on('error', onClosed);
  try {
    launcher.start();
    const outcome = await launcher.done;
    return screen.ended(outcome, forced ? 'forced' : first?.signal);
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}

/** The same with some of the nodes: a reader does not wait for a writer that somebody else starts. */
function onlyThese(loaded: Loaded, only: string | undefined): Loaded {
  if (only === undefined) return loaded;
  const { plan } = loaded;
  const here = plan.nodes.map(({ name }) => name);
  const wanted = only.split(',').map((name) => name.trim());
  for (const name of wanted) {
    if (here.includes(name)) continue;
    const meant = nearest(name, here);
    throw new TickmeshError(
      'CONFIG_INVALID',
      `--only: no node ${JSON.stringify(name)} on host "${plan.host}"`,
      { remedy: meant === undefined ? `nodes are: ${here.join(', ')}` : `did you mean ${meant}?` },
    );
  }
  const nodes = plan.nodes
    .filter(({ name }) => wanted.includes(name))
    .map((node) => ({ ...node, after: node.after.filter((name) => wanted.includes(name)) }));
  return { ...loaded, plan: { ...plan, nodes } };
}

/** What the terminal and the log files get to see. */
class Screen {
  readonly #loaded: Loaded;
  readonly #files: LogFiles;
  readonly #pretty: Pretty;
  readonly #logger: Logger;
  readonly #json: boolean;
  readonly #urls = new Map<string, Ready>();
  /** When each node was last started, monotonic ms. */
  readonly #startedMs = new Map<string, number>();
  #settled = false;

  constructor(loaded: Loaded, files: LogFiles) {
    this.#loaded = loaded;
    this.#files = files;
    const { plan, settings, shown } = loaded;
    this.#json = settings.log.format === 'json';
    const color = process.stdout.isTTY && !('NO_COLOR' in process.env);
    const names = plan.nodes.map(({ name }) => name);
    this.#pretty = new Pretty([SELF, ...names], {
      color: color || Boolean(process.env['FORCE_COLOR']),
    });
    this.#logger = openLogger({
      node: SELF,
      level: settings.log.level,
      write: (text) => this.line(SELF, text.trimEnd(), false),
    });
    this.say('info', `${shown}: project ${plan.project}, starting ${names.join(', ')}`);
  }

  say(level: 'debug' | 'info' | 'warn' | 'error', message: string, fields: object = {}): void {
    this.#logger[level](fields, message);
  }

  /** A line of a node: as it is to its file, readable to the terminal. */
  line(node: string, line: string, isError: boolean): void {
    const record = toRecord(line, node, isError, Date.now());
    const json =
      line.startsWith('{') && record['pid'] !== undefined ? line : JSON.stringify(record);
    this.#files.write(node, json);
    // Why a node ended is said by us, once.
    if (record['final'] === true && !('stack' in ((record['err'] ?? {}) as object))) return;
    this.#print(node, record, json);
  }

  #print(node: string, record: LogRecord, json: string): void {
    process.stdout.write(`${this.#json ? json : this.#pretty.format(node, record)}\n`);
  }

  ready(node: string, nodePid: number | undefined, ready: Ready): void {
    this.#urls.set(node, ready);
    const tookMs = performance.now() - (this.#startedMs.get(node) ?? 0);
    const note = ready.note === undefined ? '' : `, ${ready.note}`;
    this.say('info', `${node} is ready after ${(tookMs / 1000).toFixed(1)} s${note}`, {
      node,
      nodePid,
    });
  }

  state(node: string, state: NodeState, pid: number | undefined): void {
    switch (state.phase) {
      case 'starting':
        this.#startedMs.set(node, performance.now());
        return this.say('debug', `starting ${node}`, { generation: state.generation });
      case 'stopping':
        return this.say('debug', `stopping ${node}`, { pid });
      case 'backoff': {
        const waitMs = Math.max(0, state.untilMs - performance.now());
        const wait = `${(waitMs / 1000).toFixed(1)} s`;
        return this.say(
          'warn',
          `${node} ${endingText(state.ending)}; it is started again in ${wait}`,
          remedyOf(state.ending),
        );
      }
      case 'gaveUp':
        // Before all were ready this ends everything: it is said at the end.
        if (!this.#settled) return;
        return this.say(
          'error',
          `${node} ${endingText(state.ending)}; it is not started again`,
          remedyOf(state.ending),
        );
      case 'finished':
        return this.say('info', `${node} has finished`);
      case 'pending':
      case 'ready':
      case 'stopped':
    }
  }

  settled(tookMs: number): void {
    const { plan, settings } = this.#loaded;
    this.#settled = true;
    this.say(
      'info',
      `all ${plan.nodes.length} nodes are ready after ${(tookMs / 1000).toFixed(1)} s; JSON logs in ${settings.log.dir}; Ctrl-C stops`,
    );
    if (this.#json) return;
    const width = Math.max(...plan.nodes.map(({ name }) => name.length));
    const rows = [...this.#urls].flatMap(([node, { urls = {} }]) =>
      Object.entries(urls).map(
        ([what, url]) => `  ${node.padEnd(width)}  ${what.padEnd(9)}  ${url}\n`,
      ),
    );
    if (rows.length > 0) process.stdout.write(`\n${rows.join('')}\n`);
  }

  /** The last words, and the exit code. */
  ended(outcome: Outcome, by: NodeJS.Signals | 'forced' | undefined): number {
    switch (outcome.end) {
      case 'abandoned': {
        const { node, ending, late } = outcome;
        this.say('error', 'nothing was left running');
        process.stderr.write(`tickmesh: ${node} ${endingText(ending)}\n`);
        if (ending.remedy !== undefined) process.stderr.write(`  -> ${ending.remedy}\n`);
        return late ? 4 : 1;
      }
      case 'finished':
        this.say('info', 'all nodes have ended');
        return outcome.gaveUp.length > 0 ? 1 : 0;
      case 'stopped':
        this.say('info', by === 'forced' ? 'killed' : 'all nodes are stopped');
        return by === 'forced' ? 130 : by === 'SIGTERM' ? 143 : by === 'SIGHUP' ? 129 : 0;
    }
  }
}

/** "failed: port 7001 is taken", "exited with code 1", "was killed by SIGSEGV". */
function endingText({ reason, code, signal }: Ending): string {
  if (reason !== undefined) return /^(?:was|cannot) /.test(reason) ? reason : `failed: ${reason}`;
  return signal === null ? `exited with code ${code}` : `was killed by ${signal}`;
}

const remedyOf = ({ remedy }: Ending): object => (remedy === undefined ? {} : { remedy });
