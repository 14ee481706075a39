/**
 * What to do with the processes of a host, decided without touching one: inputs and `now` in, actions out.
 *
 *   pending -> starting -> ready -> stopping -> stopped
 *                 |          |         '-> pending           (restart)
 *                 '----------'-> backoff -> pending          (died; waits longer each time)
 *                            '-> finished | gaveUp           (ended well; died too often)
 *
 * A node has a process in starting, ready and stopping and in no other state, and it is spawned only on the way from
 * pending to starting: so there are never two copies. Each spawn has a new generation number, and what is heard of an
 * older one is ignored: so a late exit can neither wedge a node nor start it twice. Both are checked by a model test.
 */
import { backoffMs, withinWindow } from './backoff.ts';
import {
  isLive,
  type Action,
  type Ending,
  type Input,
  type NodeState,
  type SupervisedNode,
} from './state.ts';

/** A node that was ready for this long is sound again: its next failure starts with the shortest wait. */
const SOUND_MS = 60_000;

type Entry = {
  readonly node: SupervisedNode;
  state: NodeState;
  generation: number;
  wasReady: boolean;
  /** Failures since it was last sound, and when the recent ones happened. */
  failures: number;
  failedAtMs: number[];
  late: boolean;
};

export class Supervisor {
  readonly #entries = new Map<string, Entry>();
  readonly #allOrNothing: boolean;
  #closing = false;
  #settled = false;
  #actions: Action[] = [];

  /** `nodes` in start order. With `allOrNothing`, a failure before all were ready once stops everything. */
  constructor(nodes: readonly SupervisedNode[], options: { readonly allOrNothing: boolean }) {
    this.#allOrNothing = options.allOrNothing;
    for (const node of nodes) {
      this.#entries.set(node.name, {
        node,
        state: { phase: 'stopped' },
        generation: 0,
        wasReady: false,
        failures: 0,
        failedAtMs: [],
        late: false,
      });
    }
  }

  /** The one way in. Returns what is to be done now, in order. Unknown nodes are ignored. */
  step(input: Input, nowMs: number): readonly Action[] {
    this.#actions = [];
    if ('saw' in input) {
      const entry = this.#entries.get(input.node);
      if (entry !== undefined && entry.generation === input.generation) {
        if (input.saw === 'ready') this.#ready(entry, nowMs);
        else this.#exited(entry, input.ending, nowMs);
      }
    } else if ('node' in input) {
      const entry = this.#entries.get(input.node);
      if (entry !== undefined) this.#command(entry, input.do, nowMs);
    } else if (input.do !== 'tick') this.#close(input.do === 'killAll');
    this.#advance(nowMs);
    return this.#actions;
  }

  state(node: string): NodeState | undefined {
    return this.#entries.get(node)?.state;
  }
  /** True when every node has been ready once. */
  get settled(): boolean {
    return this.#settled;
  }
  /** True when no process is left and none will be started without a command. */
  get idle(): boolean {
    return [...this.#entries.values()].every(
      ({ state: { phase } }) => phase === 'stopped' || phase === 'finished' || phase === 'gaveUp',
    );
  }
  /** Next time at which a tick is due, Infinity when nothing waits. */
  get wakeMs(): number {
    let least = Infinity;
    for (const { state } of this.#entries.values()) {
      if (state.phase === 'starting' || state.phase === 'backoff')
        least = Math.min(least, state.untilMs);
      if (state.phase === 'stopping') least = Math.min(least, state.killMs);
    }
    return least;
  }

  #become(entry: Entry, state: NodeState): void {
    entry.state = state;
    this.#actions.push({ act: 'report', node: entry.node.name, state });
  }
  #signal(entry: Entry, signal: 'SIGTERM' | 'SIGKILL'): void {
    const { name } = entry.node;
    this.#actions.push({ act: 'signal', node: name, generation: entry.generation, signal });
  }

  #command(entry: Entry, what: 'start' | 'stop' | 'restart', nowMs: number): void {
    const { state } = entry;
    if (what !== 'stop' && this.#closing) return;
    switch (state.phase) {
      case 'starting':
      case 'ready':
        if (what !== 'start') this.#stop(entry, what === 'stop' ? 'stopped' : 'pending', nowMs);
        return;
      case 'stopping':
        // The newest wish counts; the process is on its way out already.
        this.#become(entry, { ...state, next: what === 'stop' ? 'stopped' : 'pending' });
        return;
      case 'pending':
      case 'backoff':
      case 'stopped':
      case 'finished':
      case 'gaveUp':
        if (what === 'stop') {
          if (state.phase === 'pending' || state.phase === 'backoff')
            this.#become(entry, { phase: 'stopped' });
          return;
        }
        // Asked for by hand: old failures count no more.
        entry.failures = 0;
        entry.failedAtMs = [];
        if (state.phase !== 'pending') this.#become(entry, { phase: 'pending' });
    }
  }

  #stop(entry: Entry, next: 'stopped' | 'pending' | 'failed', nowMs: number): void {
    const { generation } = entry;
    this.#signal(entry, 'SIGTERM');
    this.#become(entry, {
      phase: 'stopping',
      generation,
      killMs: nowMs + entry.node.graceMs,
      next,
    });
  }

  #close(kill: boolean): void {
    this.#closing = true;
    for (const entry of this.#entries.values()) {
      const { state, generation } = entry;
      const { phase } = state;
      if (phase === 'pending' || phase === 'backoff') this.#become(entry, { phase: 'stopped' });
      else if (phase === 'stopping') this.#become(entry, { ...state, next: 'stopped' });
      if (!kill || !isLive(entry.state)) continue;
      this.#signal(entry, 'SIGKILL');
      this.#become(entry, { phase: 'stopping', generation, killMs: Infinity, next: 'stopped' });
    }
  }

  #ready(entry: Entry, nowMs: number): void {
    if (entry.state.phase !== 'starting') return;
    entry.wasReady = true;
    this.#become(entry, { phase: 'ready', generation: entry.generation, sinceMs: nowMs });
    this.#settled ||= [...this.#entries.values()].every((each) => each.wasReady);
  }

  #exited(entry: Entry, raw: Ending, nowMs: number): void {
    const { state, node } = entry;
    if (!isLive(state)) return;
    const reason = `was not ready within ${node.readyMs / 1000} s`;
    const ending: Ending = entry.late ? { reason, ...raw } : raw;
    if (state.phase === 'stopping' && state.next !== 'failed') {
      this.#become(entry, { phase: state.next });
      return;
    }
    const well = ending.code === 0 && state.phase === 'ready';
    if (well && node.policy !== 'always') {
      this.#become(entry, { phase: 'finished' });
      return;
    }
    if (this.#allOrNothing && !this.#settled) {
      this.#become(entry, { phase: 'gaveUp', ending });
      if (!this.#closing) {
        this.#actions.push({ act: 'abandon', node: node.name, ending, late: entry.late });
        this.#close(false);
      }
      return;
    }
    if (state.phase === 'ready' && nowMs - state.sinceMs >= SOUND_MS) entry.failures = 0;
    entry.failures++;
    entry.failedAtMs = withinWindow([...entry.failedAtMs, nowMs], nowMs, node.windowMs);
    if (this.#closing) this.#become(entry, { phase: 'stopped' });
    else if (node.policy === 'no' || entry.failedAtMs.length > node.restartsMax) {
      this.#become(entry, { phase: 'gaveUp', ending });
    } else {
      const untilMs = nowMs + backoffMs(entry.failures, node.backoffMs, node.maxBackoffMs);
      this.#become(entry, { phase: 'backoff', untilMs, ending });
    }
  }

  /** Moves on whatever time or the other nodes allow. */
  #advance(nowMs: number): void {
    const entries = [...this.#entries.values()];
    for (const entry of entries) {
      const { state, node } = entry;
      if (state.phase === 'starting' && nowMs >= state.untilMs) {
        entry.late = true;
        this.#stop(entry, 'failed', nowMs);
      } else if (state.phase === 'stopping' && nowMs >= state.killMs) {
        this.#signal(entry, 'SIGKILL');
        this.#become(entry, { ...state, killMs: Infinity });
      } else if (state.phase === 'backoff' && nowMs >= state.untilMs) {
        this.#become(entry, { phase: 'pending' });
      }
      if (entry.state.phase === 'pending' && this.#mayStart(node)) {
        const generation = ++entry.generation;
        entry.late = false;
        this.#actions.push({ act: 'spawn', node: node.name, generation });
        this.#become(entry, { phase: 'starting', generation, untilMs: nowMs + node.readyMs });
      }
    }
    if (!this.#closing) return;
    // Readers first: a writer goes when nobody reads from it any more.
    for (const entry of entries.reverse()) {
      const { phase } = entry.state;
      if (phase !== 'starting' && phase !== 'ready') continue;
      const read = entries.some(
        (other) => other.node.after.includes(entry.node.name) && isLive(other.state),
      );
      if (!read) this.#stop(entry, 'stopped', nowMs);
    }
  }

  #mayStart(node: SupervisedNode): boolean {
    return node.after.every((name) => this.#entries.get(name)?.wasReady ?? true);
  }
}
