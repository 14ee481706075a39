/** The two processes of a run as the runner sees them: started, heard, given orders, and ended whatever they are doing. */
import { fork, type ChildProcess } from 'node:child_process';
import { Relay } from '../../notifier/ipc/relay-process.ts';
import { TickmeshError } from '../../world/error.ts';
import type { Transport } from '../transport/transport.ts';
import { isTold, type Job, type Order, type Told } from './message.ts';

export type Scripts = { readonly writer: string; readonly reader: string };

export type Who = 'reader' | 'writer';

export class Pair {
  readonly #children: ChildProcess[] = [];
  readonly #byName = new Map<Who, ChildProcess>();
  readonly #told = new Map<string, Told>();
  readonly #waiting = new Set<() => void>();
  readonly #relays: boolean;
  #failed: string | undefined;
  #over = false;
  readonly #signal: AbortSignal | undefined;
  readonly #stop = (): void => this.#fail('stopped');

  constructor(
    job: Job,
    transport: Transport,
    { scripts, signal }: { readonly scripts: Scripts; readonly signal?: AbortSignal },
  ) {
    const relay = transport.parent === 'supervisor' ? new Relay() : undefined;
    const start = (who: Who): ChildProcess => {
      const child = fork(scripts[who], [JSON.stringify(job)]);
      this.#children.push(child);
      relay?.attach(child);
      child.on('message', (message) => this.#hear(message));
      child.on('exit', (code, by) => {
        if (!this.#told.has(`${who} done`)) this.#fail(`the ${who} ended early (${code ?? by})`);
      });
      return child;
    };
    const writer = start('writer');
    this.#byName.set('writer', writer);
    if (!transport.silent)
      this.#byName.set('reader', transport.parent === 'writer' ? writer : start('reader'));
    this.#relays = transport.parent === 'relay';
    this.#signal = signal;
    signal?.addEventListener('abort', this.#stop);
    if (signal?.aborted) this.#stop();
  }

  #hear(message: unknown): void {
    if (!isTold(message)) {
      if (this.#relays) this.#byName.get('reader')!.send(message as object);
      return;
    }
    if (message.bench === 'failed') return this.#fail(`the ${message.by}: ${message.why}`);
    this.#told.set(`${message.by} ${message.bench}`, message);
    this.#wake();
  }

  #fail(why: string): void {
    if (this.#over) return;
    this.#failed ??= why;
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Those that take part. */
  get who(): readonly Who[] {
    return [...this.#byName.keys()];
  }

  order(order: Order): void {
    const child = this.#byName.get(order.to)!;
    if (child.connected) child.send(order);
  }

  /** What they told, in the order asked. Throws NODE_FAILED when one dies or `limitMs` have passed. */
  async all(who: readonly Who[], bench: Told['bench'], limitMs: number): Promise<Told[]> {
    const told = await this.#until(who, bench, limitMs);
    if (told) return told;
    throw new TickmeshError('NODE_FAILED', `bench: no "${bench}" of ${who.join(' and ')} in time`);
  }

  /** Waits for it, but not for ever. */
  async soon(who: Who, bench: Told['bench'], limitMs: number): Promise<void> {
    await this.#until([who], bench, limitMs);
  }

  async #until(
    who: readonly Who[],
    bench: Told['bench'],
    limitMs: number,
  ): Promise<Told[] | undefined> {
    const untilMs = performance.now() + limitMs;
    for (;;) {
      if (this.#failed !== undefined)
        throw new TickmeshError('NODE_FAILED', `bench: ${this.#failed}`);
      const told = who.map((each) => this.#told.get(`${each} ${bench}`));
      if (told.every((each) => each !== undefined)) return told;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return undefined;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        const wake = (): void => {
          clearTimeout(timer);
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** Ends both, whatever they are doing. */
  async end(): Promise<void> {
    this.#over = true;
    this.#signal?.removeEventListener('abort', this.#stop);
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
        // One that is done closes by itself when the channel does; one that is not is killed.
        if (child.connected) child.disconnect();
        const timer = setTimeout(() => child.kill('SIGKILL'), 1_000);
        await gone;
        clearTimeout(timer);
      }),
    );
  }
}
