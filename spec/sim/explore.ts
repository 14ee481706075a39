/**
 * Every state of a small world, not a sample: a writer (three lines, one crash of its process or its host), a reader across
 * a network (one crash), notices that queue two deep, are dropped and lost, requests and answers that are lost and overtaken.
 * The steps are the shipped `stepFollower`, `answer` and `standsUpTo`. Checked: no state in which the reader is at the end
 * with other lines than the log's, and from every reachable state the end can still be reached (else it is a trap).
 */
import {
  answer,
  type Answer,
  type Ask,
  type Lines,
  type LogView,
} from '../../lib/catchup/answer.ts';
import { newFollower, startFollower, stepFollower } from '../../lib/follower/follower.ts';
import {
  remoteRules,
  type Effect,
  type Follower,
  type FollowerMode,
  type Input,
} from '../../lib/follower/state.ts';
import type { Bug } from './readers.ts';

export type Bounds = {
  lines: number;
  writerCrashes: number;
  readerCrashes: number;
  losses: number;
  queue: number;
  states: number;
};
export const small: Bounds = {
  lines: 3,
  writerCrashes: 2,
  readerCrashes: 1,
  losses: 1,
  queue: 2,
  states: 2_000_000,
};

/**
 * A line is named by the epoch that wrote it; its place is its index. One line is one byte. What a state is made of is
 * shared with those it came from: a step puts something new in its place.
 */
type State = {
  up: boolean;
  epoch: number;
  log: readonly number[];
  announced: number;
  epochs: readonly { readonly epoch: number; readonly startPosition: number }[];
  notices: readonly { readonly epoch: number; readonly position: number }[];
  asks: readonly Ask[];
  answers: readonly Answer[];
  /** Copied before its step function changes it. */
  follower: Follower;
  delivered: readonly number[];
  left: Left;
};
type Left = {
  readonly lines: number;
  readonly writerCrashes: number;
  readonly readerCrashes: number;
  readonly losses: number;
};
const none: readonly never[] = [];

const spend = (state: State, what: keyof Left): void => {
  state.left = { ...state.left, [what]: state.left[what] - 1 };
};

const linesOf = (log: readonly number[], from: number, to: number): Lines => ({
  position: from,
  bytes: Buffer.from(log.slice(from, to)),
  ends: log.slice(from, to).map((_, i) => i + 1),
  segment: { base: 0, epoch: 0 },
});

function viewOf(state: State, bug: Bug | undefined): LogView {
  const epochs = state.epochs.map((entry) => ({
    ...entry,
    startLine: entry.startPosition,
    node: '',
    pid: 0,
    openedUs: 0,
  }));
  return {
    head: () => ({
      epoch: state.epoch,
      position: state.announced,
      lines: state.announced,
      marks: 0,
      lastTimeUs: 0,
      oldest: 0,
    }),
    epochs: () => (bug === 'start-only reconcile' ? epochs.slice(-1) : epochs),
    oldest: () => 0,
    read: (position, limit) => linesOf(state.log, position, limit),
  };
}

const LATER = 1e7;

/** Carries out what the follower wants; its times are made equal, since only "due" and "not due" matter here. */
function carryOut(state: State, effects: readonly Effect[]): string | undefined {
  let wrong: string | undefined;
  for (const effect of effects) {
    if (effect.do === 'fetch') state.asks = [...state.asks, effect.ask].slice(-1);
    else if (effect.do === 'look' && !state.follower.asking) {
      const { knownEpoch: lastEpoch, position } = state.follower;
      state.asks = [...state.asks, { lastEpoch, position, maxBytes: 1 }].slice(-1);
    } else if (effect.do === 'deliver') {
      if (effect.lines.position !== state.delivered.length) wrong = 'I3: not contiguous';
      state.delivered = [...state.delivered, ...effect.lines.bytes];
    } else if (effect.do === 'cut') state.delivered = state.delivered.slice(0, effect.from);
  }
  const { follower } = state;
  follower.heardMs = follower.lookedMs = 0;
  follower.holdMs = -Infinity;
  follower.tries = 0;
  follower.lines = follower.position;
  if (follower.asking) follower.asking = { sinceMs: 0, timeoutMs: 500 };
  return wrong;
}

function hear(state: State, input: Input, nowMs = 0): string | undefined {
  state.follower = { ...state.follower };
  return carryOut(state, stepFollower(state.follower, input, remoteRules, nowMs));
}

const caught = (s: State): boolean =>
  s.up &&
  s.follower.knownEpoch === s.epoch &&
  s.follower.position === s.announced &&
  s.announced === s.log.length;

/** All states one action away. A string is a violated invariant. */
function* next(s: State, bounds: Bounds, bug: Bug | undefined): Generator<State | string> {
  const act = (change: (n: State) => string | undefined | void): State | string => {
    const n = { ...s };
    const wrong = change(n);
    return typeof wrong === 'string' ? wrong : n;
  };
  const tell = (n: State): void => {
    if (n.notices.length < bounds.queue)
      n.notices = [...n.notices, { epoch: n.epoch, position: n.announced }];
  };
  if (s.up && s.left.lines > 0) {
    yield act((n) => {
      n.log = [...n.log, n.epoch];
      spend(n, 'lines');
    });
  }
  if (s.up && s.announced < s.log.length) {
    yield act((n) => {
      n.announced = n.log.length;
      tell(n);
    });
  }
  if (s.up && bug !== 'no heartbeat' && s.notices.length < bounds.queue) yield act(tell);
  if (s.up && s.left.writerCrashes > 0) {
    // A killed process keeps what was written; a host's crash any part of it.
    for (let kept = s.log.length; kept >= 0; kept--) {
      yield act((n) => {
        n.up = false;
        n.log = n.log.slice(0, kept);
        n.notices = n.asks = n.answers = none;
        spend(n, 'writerCrashes');
      });
    }
  }
  if (!s.up) {
    yield act((n) => {
      n.up = true;
      n.epoch++;
      n.epochs = [...n.epochs, { epoch: n.epoch, startPosition: n.log.length }];
      n.announced = n.log.length;
    });
  }
  const [said] = s.notices;
  if (said) {
    yield act((n) => {
      n.notices = n.notices.slice(1);
      return hear(n, { is: 'heard', by: 'notice', ...said });
    });
    if (s.left.losses > 0) {
      yield act((n) => {
        n.notices = n.notices.slice(1);
        spend(n, 'losses');
      });
    }
  }
  const [asked] = s.asks;
  if (asked && s.up && s.answers.length < 2) {
    yield act((n) => {
      n.asks = n.asks.slice(1);
      n.answers = [...n.answers, answer(viewOf(n, bug), asked)];
    });
  }
  const [reply] = s.answers;
  if (reply) {
    yield act((n) => {
      n.answers = n.answers.slice(1);
      const { knownEpoch: lastEpoch, position: asked } = n.follower;
      return hear(n, {
        is: 'answer',
        answer: bug === 'no echo check' ? { ...reply, lastEpoch, asked } : reply,
      });
    });
  }
  const losable = s.left.losses > 0 && (s.asks.length > 0 || s.answers.length > 0);
  if (losable) {
    yield act((n) => {
      n.asks = n.answers = none;
      spend(n, 'losses');
    });
  }
  if (bug !== 'no retry') yield act((n) => hear(n, { is: 'tick' }, LATER));
  if (s.left.readerCrashes > 0) {
    yield act((n) => {
      const { knownEpoch: epoch, position } = n.follower;
      n.follower = newFollower({ epoch, position, lines: position }, 0);
      n.asks = n.answers = none;
      spend(n, 'readerCrashes');
      return carryOut(n, startFollower(n.follower, remoteRules, 0));
    });
  }
}

export type Explored = {
  states: number;
  edges: number;
  caught: number;
  traps: number;
  complete: boolean;
  example?: string;
};

/** Explores breadth first. Throws for a violated invariant, with the state that it came from. */
export function explore(bounds: Bounds = small, bug?: Bug): Explored {
  const first: State = {
    up: true,
    epoch: 1,
    log: [],
    announced: 0,
    epochs: [{ epoch: 1, startPosition: 0 }],
    notices: [],
    asks: [],
    answers: [],
    follower: newFollower({ epoch: 0, position: 0, lines: 0 }, 0),
    delivered: [],
    left: {
      lines: bounds.lines,
      writerCrashes: bounds.writerCrashes,
      readerCrashes: bounds.readerCrashes,
      losses: bounds.losses,
    },
  };
  carryOut(first, startFollower(first.follower, remoteRules, 0));
  const index = new Map<string, number>([[keyOf(first), 0]]);
  let frontier: [State, number][] = [[first, 0]];
  const edges = new Edges();
  const good: number[] = [];
  while (frontier.length > 0 && index.size < bounds.states) {
    const found: [State, number][] = [];
    for (const [state, id] of frontier) {
      if (caught(state)) {
        good.push(id);
        if (String(state.delivered) !== String(state.log)) {
          throw new Error(
            `I1: at the end with [${String(state.delivered)}], the log is [${String(state.log)}]`,
          );
        }
      }
      for (const after of next(state, bounds, bug)) {
        if (typeof after === 'string') throw new Error(`${after}: after ${JSON.stringify(state)}`);
        const key = keyOf(after);
        let at = index.get(key);
        if (at === undefined) {
          at = index.size;
          index.set(key, at);
          found.push([after, at]);
        }
        edges.add(id, at);
      }
    }
    frontier = found;
  }
  const complete = frontier.length === 0;
  const states = index.size;
  const traps = complete ? trapsOf(states, edges, good) : [];
  const trap = traps[0] === undefined ? undefined : [...index].find(([, id]) => id === traps[0]);
  const example = trap && Buffer.from(trap[0], 'latin1').toString('hex');
  return {
    states,
    edges: edges.count,
    caught: good.length,
    traps: traps.length,
    complete,
    ...(example ? { example } : {}),
  };
}

const key = Buffer.alloc(1024);
const modes: readonly FollowerMode[] = ['joining', 'catchingUp', 'live', 'degraded', 'blocked'];
const answerKinds: readonly Answer['kind'][] = [
  'chunk',
  'info',
  'cut',
  'trimmed',
  'busy',
  'denied',
];

/** What tells two states apart, a byte each (all of it is small), lists with their length before them. */
function keyOf(s: State): string {
  const f = s.follower;
  let at = 0;
  const put = (value: number): void => {
    if (value > 255) throw new Error(`${value} is too large for a state of a small world`);
    key[at++] = value;
  };
  const list = <T>(of: readonly T[], each: (one: T) => void): void => {
    put(of.length);
    for (const one of of) each(one);
  };
  put(s.up ? 1 : 0);
  put(s.epoch);
  list(s.log, put);
  put(s.announced);
  list(s.epochs, (entry) => put(entry.startPosition));
  list(s.notices, (notice) => {
    put(notice.epoch);
    put(notice.position);
  });
  list(s.asks, (ask) => {
    put(ask.lastEpoch);
    put(ask.position);
  });
  list(s.answers, (reply) => {
    put(answerKinds.indexOf(reply.kind));
    put(reply.epoch);
    put(reply.lastEpoch);
    put(reply.asked);
    if ('position' in reply) put(reply.position);
    else if ('lines' in reply) list([...reply.lines.bytes], put);
  });
  put(modes.indexOf(f.mode));
  put(f.seenEpoch);
  put(f.knownEpoch);
  put(f.position);
  put(f.target);
  put(f.asking ? 1 : 0);
  list(s.delivered, put);
  put(s.left.lines);
  put(s.left.writerCrashes);
  put(s.left.readerCrashes);
  put(s.left.losses);
  return key.toString('latin1', 0, at);
}

/** Which state leads to which; grows by doubling. */
class Edges {
  from: Int32Array = new Int32Array(1 << 16);
  to: Int32Array = new Int32Array(1 << 16);
  count = 0;
  add(from: number, to: number): void {
    if (this.count === this.from.length) {
      this.from = twice(this.from);
      this.to = twice(this.to);
    }
    this.from[this.count] = from;
    this.to[this.count++] = to;
  }
}
function twice(of: Int32Array): Int32Array {
  const grown = new Int32Array(of.length * 2);
  grown.set(of);
  return grown;
}

/** States from which no good state can be reached. */
function trapsOf(states: number, { from, to, count }: Edges, good: number[]): number[] {
  const start = new Int32Array(states + 1);
  for (let e = 0; e < count; e++) start[to[e]! + 1]!++;
  for (let i = 0; i < states; i++) start[i + 1]! += start[i]!;
  const before = new Int32Array(count);
  const fill = start.slice();
  for (let e = 0; e < count; e++) before[fill[to[e]!]!++] = from[e]!;
  const reached = new Uint8Array(states);
  const stack = good.slice();
  for (const id of good) reached[id] = 1;
  while (stack.length > 0) {
    const id = stack.pop()!;
    for (let e = start[id]!; e < start[id + 1]!; e++) {
      const source = before[e]!;
      if (!reached[source]) {
        reached[source] = 1;
        stack.push(source);
      }
    }
  }
  const traps: number[] = [];
  for (let id = 0; id < states; id++) if (!reached[id]) traps.push(id);
  return traps;
}

if (process.argv[1]?.endsWith('sim/explore.js')) {
  const begin = performance.now();
  const result = explore(
    { ...small, ...(JSON.parse(process.argv[2] ?? '{}') as object) },
    process.argv[3] as Bug | undefined,
  );
  console.log(JSON.stringify(result), Math.round(performance.now() - begin), 'ms');
}
