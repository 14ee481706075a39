/** The suite's hold on its actors: starts them, tells them, waits for what they say. */
import { fork, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { FromActor, Stage, ToActor } from './message.ts';

const LIMIT_MS = 30_000;
const SCRIPT = new URL('./actor-process.js', import.meta.url);

export class Actor {
  readonly said: FromActor[] = [];
  /** How it ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  readonly #child: ChildProcess;
  readonly #name: string;
  #waiting: (() => void)[] = [];
  #gone = false;
  #errors = '';

  constructor(name: string, stage: Stage, attach?: (child: ChildProcess) => void) {
    this.#name = name;
    this.#child = fork(SCRIPT, [JSON.stringify(stage)], {
      execArgv: [],
      stdio: ['pipe', 'pipe', 'pipe', 'ipc'],
    });
    attach?.(this.#child);
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.said.push(JSON.parse(line) as FromActor);
      this.#wake();
    });
    this.#child.stderr!.on('data', (text) => (this.#errors += String(text)));
    this.#child.stdin!.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => {
        this.#gone = true;
        resolve({ code, signal });
        this.#wake();
      });
    });
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  tell(message: ToActor): void {
    this.#child.stdin!.write(`${JSON.stringify(message)}\n`);
  }

  /** Tells it, and waits for the next answer `is`. */
  async ask<Is extends FromActor['is']>(
    message: ToActor,
    is: Is,
  ): Promise<Extract<FromActor, { is: Is }>> {
    const from = this.said.length;
    this.tell(message);
    return (await this.find(
      `it answers ${JSON.stringify(message)}`,
      (one) => one.is === is || one.is === 'error',
      from,
    )) as Extract<FromActor, { is: Is }>;
  }

  /** The first of what it said, or will say, that fits. Rejects after a time, when it ends, and when it says "error". */
  async find(
    what: string,
    fits: (message: FromActor) => boolean,
    from = 0,
    limitMs = LIMIT_MS,
  ): Promise<FromActor> {
    const untilMs = performance.now() + limitMs;
    for (let at = from; ;) {
      for (; at < this.said.length; at++) {
        const message = this.said[at]!;
        if (message.is === 'error') throw this.#failure(what, `${message.code} ${message.message}`);
        if (fits(message)) return message;
      }
      if (this.#gone) throw this.#failure(what, `it ended: ${this.#errors}`);
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) {
        const last = JSON.stringify(this.said.slice(-3));
        throw this.#failure(
          what,
          `waited ${limitMs / 1000} s; last words: ${last} ${this.#errors}`,
        );
      }
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #failure(what: string, why: string): Error {
    return new Error(`${this.#name}: in vain until ${what}: ${why}`);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }
}
