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
import { remoteRules, type Effect, type Follower, type Input } from '../../lib/follower/state.ts';
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

/** A line is named by the epoch that wrote it; its place is its index. One line is one byte. */
type State = {
  up: boolean;
  epoch: number;
  log: number[];
  announced: number;
  epochs: { epoch: number; startPosition: number }[];
  notices: { epoch: number; position: number }[];
  asks: Ask[];
  answers: Answer[];
  follower: Follower;
  delivered: number[];
  left: { lines: number; writerCrashes: number; readerCrashes: number; losses: number };
};

const copy = (state: State): State => structuredCloneFast(state);
function structuredCloneFast(s: State): State {
  return {
    ...s,
    log: s.log.slice(),
    epochs: s.epochs.slice(),
    notices: s.notices.slice(),
    asks: s.asks.slice(),
    answers: s.answers.slice(),
    follower: { ...s.follower, asking: s.follower.asking && { ...s.follower.asking } },
    delivered: s.delivered.slice(),
    left: { ...s.left },
  };
}

const linesOf = (log: number[], from: number, to: number): Lines => ({
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
      state.delivered.push(...effect.lines.bytes);
    } else if (effect.do === 'cut') state.delivered.length = effect.from;
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
    const n = copy(s);
    const wrong = change(n);
    return typeof wrong === 'string' ? wrong : n;
  };
  const tell = (n: State): void => {
    if (n.notices.length < bounds.queue) n.notices.push({ epoch: n.epoch, position: n.announced });
  };
  if (s.up && s.left.lines > 0) {
    yield act((n) => {
      n.log.push(n.epoch);
      n.left.lines--;
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
        n.log.length = kept;
        n.notices = [];
        n.asks = [];
        n.answers = [];
        n.left.writerCrashes--;
      });
    }
  }
  if (!s.up) {
    yield act((n) => {
      n.up = true;
      n.epoch++;
      n.epochs.push({ epoch: n.epoch, startPosition: n.log.length });
      n.announced = n.log.length;
    });
  }
  for (let i = 0; i < Math.min(1, s.notices.length); i++) {
    yield act((n) => {
      const [said] = n.notices.splice(i, 1);
      return hear(n, { is: 'heard', by: 'notice', ...said! });
    });
    if (s.left.losses > 0) {
      yield act((n) => {
        n.notices.splice(i, 1);
        n.left.losses--;
      });
    }
  }
  if (s.asks.length > 0 && s.up && s.answers.length < 2) {
    yield act((n) => {
      n.answers.push(answer(viewOf(n, bug), n.asks.shift()!));
    });
  }
  if (s.answers.length > 0) {
    yield act((n) => {
      const reply = n.answers.shift()!;
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
      n.asks = [];
      n.answers = [];
      n.left.losses--;
    });
  }
  if (bug !== 'no retry') yield act((n) => hear(n, { is: 'tick' }, LATER));
  if (s.left.readerCrashes > 0) {
    yield act((n) => {
      const { knownEpoch: epoch, position } = n.follower;
      n.follower = newFollower({ epoch, position, lines: position }, 0);
      n.asks = [];
      n.answers = [];
      n.left.readerCrashes--;
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
  const from: number[] = [];
  const to: number[] = [];
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
        if (typeof after === 'string') throw new Error(`${after}: after ${keyOf(state)}`);
        const key = keyOf(after);
        let at = index.get(key);
        if (at === undefined) {
          at = index.size;
          index.set(key, at);
          found.push([after, at]);
        }
        from.push(id);
        to.push(at);
      }
    }
    frontier = found;
  }
  const complete = frontier.length === 0;
  const states = index.size;
  const traps = complete ? trapsOf(states, from, to, good) : [];
  const example =
    traps[0] === undefined ? undefined : [...index].find(([, id]) => id === traps[0])?.[0];
  return {
    states,
    edges: from.length,
    caught: good.length,
    traps: traps.length,
    complete,
    ...(example ? { example } : {}),
  };
}

function keyOf(s: State): string {
  const f = s.follower;
  const asks = s.asks.map((a) => `${a.lastEpoch}.${a.position}`).join();
  const answers = s.answers
    .map(
      (a) =>
        `${a.kind}${a.epoch}.${a.lastEpoch}.${a.asked}.${'position' in a ? a.position : 'lines' in a ? [...a.lines.bytes].join('') : ''}`,
    )
    .join();
  const notices = s.notices.map((n) => `${n.epoch}.${n.position}`).join();
  return `${s.up ? 1 : 0}${s.epoch}|${s.log.join('')}|${s.announced}|${s.epochs.map((e) => e.startPosition).join('')}|${notices}|${asks}|${answers}|${f.mode[0]}${f.mode.length}.${f.seenEpoch}.${f.knownEpoch}.${f.position}.${f.target}.${f.asking ? 1 : 0}|${s.delivered.join('')}|${s.left.lines}${s.left.writerCrashes}${s.left.readerCrashes}${s.left.losses}`;
}

/** States from which no good state can be reached. */
function trapsOf(states: number, from: number[], to: number[], good: number[]): number[] {
  const start = new Int32Array(states + 1);
  for (const target of to) start[target + 1]!++;
  for (let i = 0; i < states; i++) start[i + 1]! += start[i]!;
  const before = new Int32Array(to.length);
  const fill = start.slice();
  for (let e = 0; e < to.length; e++) before[fill[to[e]!]!++] = from[e]!;
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
