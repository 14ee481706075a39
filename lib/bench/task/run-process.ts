/** Tasks in processes of their own: starting them, giving them the word, taking their results. */
import { fork, type ChildProcess } from 'node:child_process';
import { TickmeshError } from '../../world/error.ts';
import type { TaskMessage, TaskOrder, TaskStart } from './task.ts';

export type Running<Result> = AsyncDisposable & {
  /** What the task said when it was ready. */
  readonly facts: unknown;
  /** The word to begin; resolves with the result. Throws NODE_FAILED. */
  go(): Promise<Result>;
};

const END_MS = 2_000;

/** Starts a task and waits until it is ready. Throws NODE_FAILED. */
export async function startTask<Result>(
  script: string,
  name: string,
  options: unknown,
  execArgv: readonly string[] = [],
): Promise<Running<Result>> {
  const start: TaskStart = { name, options };
  const child = fork(script, [JSON.stringify(start)], { execArgv: [...execArgv] });
  const { facts, result } = conversation<Result>(child, name);
  // Whoever is waiting for the result hears of a failure; before that, whoever waits for readiness does.
  result.catch(() => undefined);
  try {
    return {
      facts: await facts,
      go() {
        child.send({ task: 'go' } satisfies TaskOrder);
        return result;
      },
      [Symbol.asyncDispose]: () => end(child),
    };
  } catch (error) {
    await end(child);
    throw error;
  }
}

function conversation<Result>(
  child: ChildProcess,
  name: string,
): { facts: Promise<unknown>; result: Promise<Result> } {
  const facts = deferred<unknown>();
  const result = deferred<Result>();
  const fail = (why: string): void => {
    const error = new TickmeshError('NODE_FAILED', `bench task ${name}: ${why}`);
    facts.reject(error);
    result.reject(error);
  };
  child.on('message', (message: TaskMessage) => {
    if (message.task === 'ready') facts.resolve(message.facts);
    else if (message.task === 'done') result.resolve(message.result as Result);
    else fail(message.why);
  });
  child.on('exit', (code, by) => fail(`ended early (${code ?? by})`));
  return { facts: facts.promise, result: result.promise };
}

function deferred<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (child.connected) {
    child.send({ task: 'stop' } satisfies TaskOrder);
    child.disconnect();
  }
  const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
  await gone;
  clearTimeout(timer);
}

/** One task from start to end, alone. */
export async function runTask<Result>(
  script: string,
  name: string,
  options: unknown,
  execArgv: readonly string[] = [],
): Promise<Result> {
  await using task = await startTask<Result>(script, name, options, execArgv);
  return await task.go();
}
