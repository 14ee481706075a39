/**
 * A writer in a process of its own, that can be stopped and killed. Forked from the specs; says what it does as lines of
 * JSON on its standard output.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export type Said = { readonly event: string } & Record<string, unknown>;

export type WriterProcess = {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly exited: Promise<unknown>;
  /** Resolves with the next (or an earlier, unread) line of that event; rejects when the process ends before. */
  until(event: string): Promise<Said>;
  /** Asks it to end in order and waits. */
  end(): Promise<void>;
  kill(): Promise<void>;
};

/** Starts `writer-main.ts` with these settings. */
export function forkWriter(
  t: { teardown(fn: () => void | Promise<void>): void },
  settings: { readonly mode: string; readonly limitKiB?: number } & Record<string, unknown>,
): WriterProcess {
  const main = fileURLToPath(new URL('./writer-main.js', import.meta.url));
  const argument = JSON.stringify(settings);
  const child =
    settings.limitKiB === undefined
      ? spawn(process.execPath, [main, argument], { stdio: ['pipe', 'pipe', 'inherit'] })
      : spawn(
          'bash',
          [
            '-c',
            `trap '' XFSZ; ulimit -f ${settings.limitKiB}; exec "$0" "$@"`,
            process.execPath,
            main,
            argument,
          ],
          { stdio: ['pipe', 'pipe', 'inherit'] },
        );
  const exited = once(child, 'exit');
  const heard: Said[] = [];
  let ended = false;
  let wake: (() => void) | undefined;
  const lines = createInterface({ input: child.stdout! });
  lines.on('line', (line) => {
    heard.push(JSON.parse(line) as Said);
    wake?.();
  });
  lines.on('close', () => {
    ended = true;
    wake?.();
  });
  const kill = async (): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  };
  t.teardown(kill);
  return {
    child,
    pid: child.pid!,
    exited,
    async until(event) {
      for (;;) {
        const at = heard.findIndex((said) => said.event === event);
        if (at >= 0) return heard.splice(at, 1)[0]!;
        if (ended) throw new Error(`the writer ended before it said "${event}"`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    async end() {
      child.stdin!.end();
      await exited;
    },
    kill,
  };
}

/** Runs it to its own end; killed after 20 s. */
export async function runScript(
  t: { teardown(fn: () => void | Promise<void>): void },
  settings: { readonly mode: string } & Record<string, unknown>,
): Promise<{ code: number | null; text: string }> {
  const main = fileURLToPath(new URL('./writer-main.js', import.meta.url));
  const child = spawn(process.execPath, [main, JSON.stringify(settings)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 20_000,
    killSignal: 'SIGKILL',
  });
  t.teardown(() => void child.kill('SIGKILL'));
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(child, 'close');
  return { code: child.exitCode, text };
}
