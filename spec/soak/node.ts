/** The other side of `node-main.ts`: starts it, tells it what to do, stops, kills and starts it again. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { AudienceSettings } from './audience-main.ts';
import type { Command, NodeSettings, Said } from './node-main.ts';

const mainOf = ({ role }: { readonly role: string }): string => {
  const name = role === 'publisher' || role === 'audience' ? 'audience' : 'node';
  return fileURLToPath(new URL(`./${name}-main.js`, import.meta.url));
};

export class Node {
  readonly settings: NodeSettings | AudienceSettings;
  /** Called with everything that it says. */
  onSaid: (said: Said) => void = () => undefined;
  /** What it said of itself last. */
  last: Said = { event: 'none' };
  starts = 0;
  #child: ChildProcess | undefined;
  #closed: Promise<unknown> = Promise.resolve();
  #heard: Said[] = [];
  readonly #waiting = new Set<() => void>();
  /** True while it is meant to run: an end is then a failure. */
  #wanted = false;
  /** Why it ended though nobody had asked it to. */
  #failure: string | undefined;
  readonly #wrap: readonly string[];

  /** `wrap`: a command that runs it, such as a shell that sets a limit. */
  constructor(settings: NodeSettings | AudienceSettings, wrap: readonly string[] = []) {
    this.settings = settings;
    this.#wrap = wrap;
  }

  get pid(): number {
    return this.#child!.pid!;
  }
  get failure(): string | undefined {
    return this.#failure;
  }

  start(): void {
    this.starts++;
    this.#wanted = true;
    const [command, ...args] = [
      ...this.#wrap,
      process.execPath,
      mainOf(this.settings),
      JSON.stringify(this.settings),
    ];
    const child = spawn(command!, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child = child;
    this.#heard = [];
    child.stdin!.on('error', () => undefined);
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const said = JSON.parse(line) as Said;
      if (said.event === 'broken') this.#failure ??= String(said['message']);
      if (said.event === 'at') this.last = said;
      else this.#heard.push(said);
      this.onSaid(said);
      this.#wake();
    });
    this.#closed = once(child, 'close').then(([code, signal]) => {
      if (this.#child === child && this.#wanted)
        this.#failure ??= `${this.settings.role} ended by itself: ${String(signal ?? code)}`;
      this.#wake();
    });
  }

  /** The first of what it said (since it was started) that is such an event. Rejects when it ends before, or later than that. */
  async until(event: string, withinMs = 30_000): Promise<Said> {
    const endMs = performance.now() + withinMs;
    for (;;) {
      const at = this.#heard.findIndex((said) => said.event === event);
      if (at >= 0) return this.#heard.splice(at, 1)[0]!;
      if (this.#failure !== undefined) throw new Error(this.#failure);
      const leftMs = endMs - performance.now();
      if (leftMs <= 0)
        throw new Error(`${this.settings.role} said no "${event}" within ${withinMs} ms`);
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, leftMs);
        this.#waiting.add(wake);
      });
    }
  }

  /** What it said of that kind up to now; forgotten here. */
  taken(event: string): Said[] {
    const found = this.#heard.filter((said) => said.event === event);
    this.#heard = this.#heard.filter((said) => said.event !== event);
    return found;
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  tell(command: Command | string): void {
    this.#child!.stdin!.write(`${JSON.stringify(command)}\n`);
  }
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child!.kill(name);
  }

  /** kill -9; resolves when it is gone and all that it had said was heard. */
  async kill(): Promise<void> {
    this.#wanted = false;
    this.#child?.kill('SIGKILL');
    await this.#closed;
  }
  /** Asks it to end in order. */
  async end(): Promise<void> {
    this.#wanted = false;
    this.#child?.stdin!.end();
    await this.#closed;
  }
}
