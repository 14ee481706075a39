/** A world of made-up processes around a real supervisor: whatever it asks for happens here, and every rule is watched. */
import { Supervisor } from '../../lib/launch/supervisor.ts';
import type { Action, SupervisedNode } from '../../lib/launch/state.ts';

export type Fate = { readonly code: number | null; readonly signal: string | null };
type Made = {
  readonly node: string;
  readonly generation: number;
  ready: boolean;
  told: boolean;
  killed: boolean;
};

export class World {
  nowMs = 0;
  readonly supervisor: Supervisor;
  readonly nodes: readonly SupervisedNode[];
  readonly alive = new Map<string, Made>();
  readonly gone: Made[] = [];
  readonly spawned: string[] = [];
  readonly abandoned: string[] = [];
  /** Order in which processes were told to stop. */
  readonly toldToStop: string[] = [];

  constructor(nodes: readonly SupervisedNode[], allOrNothing = false) {
    this.nodes = nodes;
    this.supervisor = new Supervisor(nodes, { allOrNothing });
  }

  step(input: Parameters<Supervisor['step']>[0]): void {
    for (const action of this.supervisor.step(input, this.nowMs)) this.#act(action);
    this.#check();
  }

  #act(action: Action): void {
    if (action.act === 'spawn') {
      if (this.alive.has(action.node)) throw new Error(`two copies of ${action.node}`);
      this.spawned.push(action.node);
      this.alive.set(action.node, { ...action, ready: false, told: false, killed: false });
    } else if (action.act === 'signal') {
      const made = this.alive.get(action.node);
      if (made?.generation !== action.generation) return;
      if (action.signal === 'SIGTERM' && !made.told) this.toldToStop.push(made.node);
      made.told = true;
      if (action.signal === 'SIGKILL') made.killed = true;
    } else if (action.act === 'abandon') this.abandoned.push(action.node);
  }

  /** What holds after every step. */
  #check(): void {
    for (const { name } of this.nodes) {
      const phase = this.supervisor.state(name)!.phase;
      const live = phase === 'starting' || phase === 'ready' || phase === 'stopping';
      if (live !== this.alive.has(name))
        throw new Error(`${name} is ${phase}, its process says otherwise`);
    }
    if (this.supervisor.idle && this.alive.size > 0) throw new Error('idle with processes');
  }

  becomeReady(node: string): void {
    const made = this.alive.get(node);
    if (made === undefined || made.told) return;
    made.ready = true;
    this.step({ saw: 'ready', node, generation: made.generation });
  }
  exit(node: string, fate: Fate): void {
    const made = this.alive.get(node);
    if (made === undefined) return;
    this.alive.delete(node);
    this.gone.push(made);
    this.step({ saw: 'exit', node, generation: made.generation, ending: fate });
  }
  /** News of a process that is long gone. */
  echo(index: number): void {
    const made = this.gone[index % Math.max(1, this.gone.length)];
    if (made === undefined) return;
    const { node, generation } = made;
    this.step({ saw: 'ready', node, generation });
    this.step({ saw: 'exit', node, generation, ending: { code: 0, signal: null } });
  }
  pass(ms: number): void {
    this.nowMs += ms;
    this.step({ do: 'tick' });
  }

  /** Lets well-behaved processes run until nothing changes: they become ready, and go when told. */
  settle(): void {
    for (let round = 0; round < 200; round++) {
      const busy = [...this.alive.values()].filter(({ ready, told }) => told || !ready);
      for (const { node, told } of busy) {
        if (told) this.exit(node, { code: 0, signal: null });
        else this.becomeReady(node);
      }
      if (busy.length > 0) continue;
      const waitMs = this.supervisor.wakeMs - this.nowMs;
      if (waitMs === Infinity) return;
      this.pass(Math.max(0, waitMs));
    }
    throw new Error('does not settle');
  }
}
