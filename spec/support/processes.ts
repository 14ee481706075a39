/** Processes of the specs: is one there, wait until it is not, run one to its end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** False for one that is gone, or only waits for its parent to look. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !/\) [ZX] /.test(stat);
  } catch {
    return false;
  }
}

/** Resolves when none of `pids` runs any more; rejects after `limitMs`. */
export async function allGone(pids: readonly number[], limitMs = 10_000): Promise<void> {
  const untilMs = performance.now() + limitMs;
  while (pids.some(isRunning)) {
    if (performance.now() > untilMs)
      throw new Error(`still running: ${pids.filter(isRunning).join(', ')}`);
    await sleep(20);
  }
}

type Run = { readonly code: number | null; readonly out: string; readonly err: string };

export type Running = {
  readonly child: ChildProcess;
  /** Resolves with the first line of its output that matches; rejects when it ends without one. */
  line(form: RegExp): Promise<string>;
  readonly ended: Promise<Run>;
};

/** Runs a script of `dist` with Node. */
export function runScript(
  script: string,
  args: readonly string[],
  options: { readonly cwd?: string; readonly env?: Record<string, string> } = {},
): Running {
  const child = spawn(process.execPath, [script, ...args], {
    cwd: options.cwd ?? '.',
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  let err = '';
  const waiting: { form: RegExp; resolve: (line: string) => void }[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => {
    lines.push(line);
    for (const waiter of waiting) if (waiter.form.test(line)) waiter.resolve(line);
  });
  child.stderr.on('data', (text: Buffer) => (err += text.toString()));
  const ended = new Promise<Run>((resolve) => {
    child.on('close', (code) => resolve({ code, out: lines.join('\n'), err }));
  });
  return {
    child,
    ended,
    line: (form) =>
      new Promise((resolve, reject) => {
        const found = lines.find((line) => form.test(line));
        if (found !== undefined) return resolve(found);
        waiting.push({ form, resolve });
        void ended.then((run) =>
          reject(new Error(`ended without ${form.source}: ${run.out}\n${run.err}`)),
        );
      }),
  };
}
