/** The supervisor's hands: starts, signals and times real processes as the pure supervisor says. */
import { Relay } from '../notifier/ipc/relay-process.ts';
import type { LaunchPlan } from '../topology/plan.ts';
import type { NodeKind } from '../topology/node.ts';
import { flagsOf } from './flags.ts';
import type { Ready } from './message.ts';
import { startProcess, type NodeProcess } from './process.ts';
import type { Action, Ending, Input, NodeState } from './state.ts';
import { Supervisor } from './supervisor.ts';

export type Outcome =
  /** Stopped as asked. */
  | { readonly end: 'stopped' }
  /** Before all were ready one failed; `late` when it was not ready in time. */
  | {
      readonly end: 'abandoned';
      readonly node: string;
      readonly ending: Ending;
      readonly late: boolean;
    }
  /** Nothing is left that would run on: all nodes ended by themselves, `gaveUp` names those that failed. */
  | { readonly end: 'finished'; readonly gaveUp: readonly string[] };

export type LauncherOptions = {
  readonly plan: LaunchPlan;
  /** Module of a kind of node. */
  readonly entry: (kind: NodeKind) => string;
  readonly onState?: (node: string, state: NodeState, pid: number | undefined) => void;
  readonly onReady?: (node: string, ready: Ready) => void;
  readonly onLine?: (node: string, line: string, isError: boolean) => void;
  /** Every node has been ready once. */
  readonly onSettled?: () => void;
};

export class Launcher {
  /** Settles when no process is left and none will be started. Never rejects. */
  readonly done: Promise<Outcome>;
  readonly #options: LauncherOptions;
  readonly #supervisor: Supervisor;
  readonly #processes = new Map<string, NodeProcess>();
  /** Passes on what nodes announce over their channel, if any do. */
  readonly #relay = new Relay();
  #timer: NodeJS.Timeout | undefined;
  #finish: (outcome: Outcome) => void = () => undefined;
  #outcome: Outcome | undefined;
  #settled = false;
  #queue: Input[] = [];
  #busy = false;

  constructor(options: LauncherOptions) {
    this.#options = options;
    const nodes = options.plan.nodes.map(({ name, after, supervision }) => ({
      name,
      after,
      ...supervision,
    }));
    this.#supervisor = new Supervisor(nodes, { allOrNothing: true });
    this.done = new Promise((resolve) => (this.#finish = resolve));
  }

  /** Starts all nodes in the order of the plan. */
  start(): void {
    for (const { name } of this.#options.plan.nodes) this.#step({ do: 'start', node: name });
  }
  /** Stops all in reverse order; `done` settles when they are gone. */
  stop(): void {
    this.#outcome ??= { end: 'stopped' };
    this.#step({ do: 'stopAll' });
  }
  /** Kills all at once. */
  kill(): void {
    this.#outcome ??= { end: 'stopped' };
    this.#step({ do: 'killAll' });
  }
  pid(node: string): number | undefined {
    return this.#processes.get(node)?.pid;
  }
  state(node: string): NodeState | undefined {
    return this.#supervisor.state(node);
  }

  /** What an action causes may be an input itself: inputs are taken one after the other, never within one another. */
  #step(input: Input): void {
    this.#queue.push(input);
    if (this.#busy) return;
    this.#busy = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      for (const action of this.#supervisor.step(next, performance.now())) this.#act(action);
    }
    this.#busy = false;
    if (this.#supervisor.settled && !this.#settled) {
      this.#settled = true;
      this.#options.onSettled?.();
    }
    this.#sleep();
  }

  #sleep(): void {
    clearTimeout(this.#timer);
    if (this.#supervisor.idle && this.#processes.size === 0) {
      const gaveUp = this.#options.plan.nodes
        .map(({ name }) => name)
        .filter((name) => this.#supervisor.state(name)?.phase === 'gaveUp');
      this.#finish(this.#outcome ?? { end: 'finished', gaveUp });
      return;
    }
    const waitMs = this.#supervisor.wakeMs - performance.now();
    if (waitMs === Infinity) return;
    this.#timer = setTimeout(
      () => this.#step({ do: 'tick' }),
      Math.max(1, Math.min(waitMs, 0x7fffffff)),
    );
  }

  #act(action: Action): void {
    switch (action.act) {
      case 'spawn':
        this.#spawn(action.node, action.generation);
        return;
      case 'signal':
        this.#processes.get(action.node)?.signal(action.signal);
        return;
      case 'report':
        this.#options.onState?.(action.node, action.state, this.pid(action.node));
        return;
      case 'abandon': {
        const { node, ending, late } = action;
        this.#outcome ??= { end: 'abandoned', node, ending, late };
      }
    }
  }

  #spawn(node: string, generation: number): void {
    const { settings } = this.#options.plan.nodes.find(({ name }) => name === node)!;
    const process = startProcess({
      entry: this.#options.entry(settings.run),
      flags: flagsOf(settings.run),
      dir: settings.dir,
      settings,
      attach: (child) => this.#relay.attach(child),
      onReady: (ready) => {
        // First its addresses, then the news that it is ready.
        this.#options.onReady?.(node, ready);
        this.#step({ saw: 'ready', node, generation });
      },
      onLine: (line, isError) => this.#options.onLine?.(node, line, isError),
      onExit: (ending) => {
        this.#processes.delete(node);
        this.#step({ saw: 'exit', node, generation, ending });
      },
    });
    this.#processes.set(node, process);
  }
}
