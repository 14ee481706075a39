/**
 * One node as a process of this computer: forked with a channel, told its settings, listened to until it is gone.
 * The channel is what keeps orphans away: it closes with us, even by kill -9, and the node goes when it closes.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { Lines } from './lines.ts';
import { parseFromNode, type Failed, type Ready } from './message.ts';
import type { Ending } from './state.ts';

export type NodeProcess = {
  readonly pid: number | undefined;
  signal(signal: 'SIGTERM' | 'SIGKILL'): void;
};
export type NodeProcessOptions = {
  /** Module that the process runs. */
  readonly entry: string;
  /** Flags of its Node. */
  readonly flags?: readonly string[];
  /** Working folder: relative paths of its settings start here. */
  readonly dir: string;
  readonly settings: unknown;
  readonly onReady: (ready: Ready) => void;
  readonly onLine: (line: string, isError: boolean) => void;
  /** Given the process before it says anything, for whoever else has something to say to it. */
  readonly attach?: (child: ChildProcess) => void;
  /** Called once, when the process is gone and all it said has been heard. */
  readonly onExit: (ending: Ending) => void;
};

/** Tells a node that it has a supervisor, even when that has gone before the node could look. */
export const SUPERVISED = '--supervised';
/** A pipe may be held open by whatever the node started: the end is not waited for longer. */
const PIPES_MS = 1000;

/** Starts a node. Never throws: what goes wrong is told to `onExit`. */
export function startProcess(options: NodeProcessOptions): NodeProcess {
  const { entry, flags = [], dir, settings, onReady, onLine, onExit } = options;
  let failed: Failed | undefined;
  let gone = false;
  let exit: { code: number | null; signal: string | null } = { code: null, signal: null };
  // None of our own execArgv: a debugger's port, or a loader of ours, is not the node's.
  const child = fork(entry, [SUPERVISED], {
    cwd: dir,
    execArgv: [...flags],
    serialization: 'json',
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  options.attach?.(child);
  const end = (): void => {
    if (gone) return;
    gone = true;
    for (const [lines, isError] of outputs) for (const line of lines.end()) onLine(line, isError);
    onExit({
      ...exit,
      ...(failed ? { reason: failed.message } : {}),
      ...(failed?.remedy === undefined ? {} : { remedy: failed.remedy }),
    });
  };
  const outputs = [
    [new Lines(), false, child.stdout],
    [new Lines(), true, child.stderr],
  ] as const;
  for (const [lines, isError, stream] of outputs) {
    stream?.on('data', (bytes: Buffer) => {
      for (const line of lines.push(bytes)) onLine(line, isError);
    });
    stream?.on('error', () => undefined);
  }
  child.on('message', (raw) => {
    const message = parseFromNode(raw);
    if (message === undefined) return;
    if ('ready' in message) onReady(message.ready);
    else failed = message.failed;
  });
  child.on('error', (error) => {
    // A process that was never there has no exit.
    if (child.pid !== undefined) return;
    failed ??= { code: 'NODE_FAILED', message: `cannot be started in ${dir}: ${error.message}` };
    end();
  });
  child.on('exit', (code, signal) => {
    exit = { code, signal };
    setTimeout(end, PIPES_MS).unref();
  });
  child.on('close', end);
  // A node that dies at once makes this fail: its exit says so.
  child.send({ settings }, () => undefined);
  return {
    pid: child.pid,
    signal: (signal) => {
      child.kill(signal);
    },
  };
}
