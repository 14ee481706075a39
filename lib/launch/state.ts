/** The words of supervision: what a node may ask for, which state it is in, what is heard and what is done about it. */
type RestartPolicy = {
  readonly policy: 'on-failure' | 'always' | 'no';
  readonly backoffMs: number;
  readonly maxBackoffMs: number;
  readonly restartsMax: number;
  readonly windowMs: number;
  readonly readyMs: number;
  readonly graceMs: number;
};
export type SupervisedNode = RestartPolicy & {
  readonly name: string;
  /** Nodes that must have been ready before the first start of this one, and that are stopped after it. */
  readonly after: readonly string[];
};

/** How a process ended, or why it was ended. */
export type Ending = {
  readonly code: number | null;
  readonly signal: string | null;
  /** What the node said was wrong, one sentence; and what to do about it. */
  readonly reason?: string;
  readonly remedy?: string;
};
export type NodeState =
  | { readonly phase: 'pending' }
  | { readonly phase: 'starting'; readonly generation: number; readonly untilMs: number }
  | { readonly phase: 'ready'; readonly generation: number; readonly sinceMs: number }
  | {
      readonly phase: 'stopping';
      readonly generation: number;
      /** When it is killed; Infinity once it has been. */
      readonly killMs: number;
      readonly next: 'stopped' | 'pending' | 'failed';
    }
  | { readonly phase: 'backoff'; readonly untilMs: number; readonly ending: Ending }
  | { readonly phase: 'stopped' }
  | { readonly phase: 'finished' }
  | { readonly phase: 'gaveUp'; readonly ending: Ending };

export type Input =
  | { readonly do: 'start' | 'stop' | 'restart'; readonly node: string }
  | { readonly do: 'stopAll' | 'killAll' | 'tick' }
  | { readonly saw: 'ready'; readonly node: string; readonly generation: number }
  | {
      readonly saw: 'exit';
      readonly node: string;
      readonly generation: number;
      readonly ending: Ending;
    };
export type Action =
  | { readonly act: 'spawn'; readonly node: string; readonly generation: number }
  | {
      readonly act: 'signal';
      readonly node: string;
      readonly generation: number;
      readonly signal: 'SIGTERM' | 'SIGKILL';
    }
  | { readonly act: 'report'; readonly node: string; readonly state: NodeState }
  /** Before all nodes were ready one failed: everything is being stopped. */
  | {
      readonly act: 'abandon';
      readonly node: string;
      readonly ending: Ending;
      readonly late: boolean;
    };

/** True when the node has a process. */
export const isLive = (state: NodeState): boolean =>
  state.phase === 'starting' || state.phase === 'ready' || state.phase === 'stopping';
