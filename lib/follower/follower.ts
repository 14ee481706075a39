/**
 * The follower of one log: decides what to fetch, what to deliver and when to look again. Pure: takes what happened and
 * `nowMs` (monotonic), returns what to do, owns no timer, socket or file. The same follower reads the disk beside it
 * (a fetch is a read) and a log on another host (a fetch is a catch-up request).
 *
 * Two promises: nothing is lost or delivered twice, whatever happens to notices; and a delivered notice is acted on at once.
 *
 *   joining ──answer──► catchingUp ──at the target──► live ◄──► degraded (silence: poll)
 *      any ──epoch rises──► catchingUp        any ──trimmed, policy "fail"──► blocked
 */
import type { Answer, Lines } from '../catchup/answer.ts';
import type { Effect, Follower, FollowerMode, FollowerRules, Input } from './state.ts';

const BUSY_MIN_MS = 5;

/** Where to begin: at a cursor, or (`epoch` 0) at a position whose bytes nobody has seen. */
export const newFollower = (
  from: { epoch: number; position: number; lines: number },
  nowMs: number,
): Follower => ({
  mode: 'joining',
  seenEpoch: from.epoch,
  knownEpoch: from.epoch,
  position: from.position,
  lines: from.lines,
  target: from.position,
  asking: undefined,
  heardMs: nowMs,
  lookedMs: nowMs,
  holdMs: -Infinity,
  tries: 0,
});

function turn(state: Follower, mode: FollowerMode, effects: Effect[]): void {
  if (state.mode === mode) return;
  effects.push({ do: 'mode', mode, was: state.mode });
  state.mode = mode;
}

function ask(state: Follower, rules: FollowerRules, nowMs: number, effects: Effect[]): void {
  if (state.asking || state.mode === 'blocked' || nowMs < state.holdMs) return;
  const timeoutMs = Math.min(rules.timeoutMs * 2 ** state.tries, rules.timeoutMaxMs);
  state.asking = { sinceMs: nowMs, timeoutMs };
  effects.push({
    do: 'fetch',
    ask: { lastEpoch: state.knownEpoch, position: state.position, maxBytes: rules.maxBytes },
  });
}

/** Begins: asks for the first bytes. */
export function startFollower(state: Follower, rules: FollowerRules, nowMs: number): Effect[] {
  const effects: Effect[] = [];
  ask(state, rules, nowMs, effects);
  return effects;
}

/** True for a live reader that wants nothing and whose next bytes are at `position` of this epoch. */
export const standsAtEnd = (state: Follower, epoch: number, position: number): boolean =>
  state.mode === 'live' &&
  !state.asking &&
  epoch === state.knownEpoch &&
  epoch === state.seenEpoch &&
  position === state.position;

/** What `data` comes to for a reader that stands at the end: the lines are handed out, and there is nothing else to do. */
export function takeOn(
  state: Follower,
  lines: Lines,
  by: 'notice' | 'looking',
  nowMs: number,
): void {
  if (by === 'looking') state.lookedMs = nowMs;
  else state.heardMs = nowMs;
  forward(state, lines);
}

/** One step. Changes `state` in place and returns what to do, in order. */
export function stepFollower(
  state: Follower,
  input: Input,
  rules: FollowerRules,
  nowMs: number,
): Effect[] {
  const effects: Effect[] = [];
  switch (input.is) {
    case 'heard':
      hear(state, input, rules, nowMs, effects);
      break;
    case 'data':
      if (standsAtEnd(state, input.epoch, input.lines.position)) {
        takeOn(state, input.lines, input.by, nowMs);
        effects.push({ do: 'deliver', lines: input.lines, epoch: input.epoch });
      } else if (
        state.mode === 'degraded' &&
        input.epoch === state.knownEpoch &&
        input.epoch === state.seenEpoch &&
        input.lines.position === state.position &&
        !state.asking
      ) {
        if (input.by === 'looking') state.lookedMs = nowMs;
        else {
          state.heardMs = nowMs;
          turn(state, 'live', effects);
        }
        deliver(state, input.lines, input.epoch, effects);
      } else {
        const position = input.lines.position + input.lines.bytes.length;
        hear(state, { epoch: input.epoch, position, by: input.by }, rules, nowMs, effects);
      }
      break;
    case 'answer':
      answered(state, input.answer, rules, nowMs, effects);
      break;
    case 'tick':
      tick(state, rules, nowMs, effects);
      break;
  }
  return effects;
}

function hear(
  state: Follower,
  said: { epoch: number; position: number; by: 'notice' | 'looking' },
  rules: FollowerRules,
  nowMs: number,
  effects: Effect[],
): void {
  if (state.mode === 'blocked') return;
  // A writer that does not know it was replaced: what it says is not the log.
  if (said.epoch < state.seenEpoch) return;
  if (said.by === 'notice') {
    state.heardMs = nowMs;
    if (state.mode === 'degraded') turn(state, 'catchingUp', effects);
  } else state.lookedMs = nowMs;
  if (said.epoch > state.seenEpoch) {
    state.seenEpoch = said.epoch;
    state.target = said.position;
    // What I asked the writer before it may never be answered: wait no longer than for a first answer.
    if (state.asking) {
      const { sinceMs, timeoutMs } = state.asking;
      state.asking.timeoutMs = Math.min(timeoutMs, nowMs - sinceMs + rules.timeoutMs);
    }
    state.tries = 0;
    // Deliver nothing of it before the new writer has said how far my bytes stand.
    if (state.mode !== 'joining') turn(state, 'catchingUp', effects);
    ask(state, rules, nowMs, effects);
    return;
  }
  if (said.position > state.target) state.target = said.position;
  if (state.position < state.target || state.knownEpoch < state.seenEpoch)
    ask(state, rules, nowMs, effects);
  else if (state.mode === 'catchingUp') turn(state, 'live', effects);
}

function deliver(state: Follower, lines: Lines, epoch: number, effects: Effect[]): void {
  effects.push({ do: 'deliver', lines, epoch });
  forward(state, lines);
}

function forward(state: Follower, lines: Lines): void {
  state.position += lines.bytes.length;
  state.lines += lines.ends.length;
  if (state.position > state.target) state.target = state.position;
}

function answered(
  state: Follower,
  answer: Answer,
  rules: FollowerRules,
  nowMs: number,
  effects: Effect[],
): void {
  if (state.mode === 'blocked') return;
  // Overtaken: it speaks of a state I am no longer in. Ask anew; a late answer with a matching echo is as good as any.
  if (answer.lastEpoch !== state.knownEpoch || answer.asked !== state.position) {
    if (!state.asking) ask(state, rules, nowMs, effects);
    return;
  }
  state.asking = undefined;
  if (answer.kind === 'busy') {
    // Its word, within bounds: a wait of nothing would spin, one without end would be a denial.
    const retryMs = Math.min(Math.max(answer.retryMs || 0, BUSY_MIN_MS), rules.timeoutMaxMs);
    state.holdMs = nowMs + retryMs;
    return;
  }
  state.tries = 0;
  state.holdMs = -Infinity;
  if (answer.kind === 'denied') {
    turn(state, 'blocked', effects);
    return;
  }
  // An answer from an older writer than the one I have heard settles nothing.
  if (answer.epoch < state.seenEpoch) {
    state.holdMs = nowMs + rules.pollMs;
    return;
  }
  // What an older epoch had reached says nothing about this one.
  if (answer.epoch > state.seenEpoch) state.target = 0;
  state.seenEpoch = answer.epoch;
  state.knownEpoch = answer.epoch;
  if (state.mode === 'joining') turn(state, 'catchingUp', effects);
  switch (answer.kind) {
    case 'chunk':
      deliver(state, answer.lines, answer.epoch, effects);
      break;
    case 'info':
      state.lines = answer.linesBefore;
      // A late one must not hide what was heard since: look again, soon, but not in a spin.
      if (state.target > answer.position) state.holdMs = nowMs + rules.pollMs;
      else state.target = answer.position;
      break;
    case 'cut':
      effects.push({
        do: 'cut',
        from: answer.position,
        to: state.position,
        lines: state.lines - answer.linesBefore,
      });
      state.position = answer.position;
      state.lines = answer.linesBefore;
      state.target = Math.max(state.target, answer.position);
      break;
    case 'trimmed':
      {
        const latest = rules.trimmed === 'latest' && state.target > answer.position;
        const to = latest ? state.target : answer.position;
        effects.push({ do: 'gap', from: state.position, to });
        if (rules.trimmed === 'fail') {
          turn(state, 'blocked', effects);
          return;
        }
        state.position = to;
        if (state.target < to) state.target = to;
        // How many lines that were only INFO says.
        turn(state, 'catchingUp', effects);
      }
      break;
  }
  // Only INFO says "you are at the end": until then there may be more than I have heard of.
  if (state.position < state.target || answer.kind === 'cut' || answer.kind === 'trimmed') {
    ask(state, rules, nowMs, effects);
  } else if (state.mode === 'catchingUp') {
    if (answer.kind === 'info') turn(state, 'live', effects);
    else ask(state, rules, nowMs, effects);
  }
}

function tick(state: Follower, rules: FollowerRules, nowMs: number, effects: Effect[]): void {
  if (state.mode === 'blocked') return;
  if (nowMs >= state.holdMs) state.holdMs = -Infinity;
  if (state.asking && nowMs - state.asking.sinceMs >= state.asking.timeoutMs) {
    state.asking = undefined;
    state.tries++;
  }
  if (nowMs - state.heardMs >= rules.silenceMs && state.mode === 'live')
    turn(state, 'degraded', effects);
  const everyMs = state.mode === 'live' ? rules.auditMs : rules.pollMs;
  const behind =
    state.position < state.target ||
    state.knownEpoch < state.seenEpoch ||
    state.mode === 'joining' ||
    state.mode === 'catchingUp';
  if (behind) ask(state, rules, nowMs, effects);
  if (nowMs - state.lookedMs >= everyMs) {
    state.lookedMs = nowMs;
    effects.push({ do: 'look' });
  }
}

/** When the next tick is due, monotonic ms. */
export function followerDueMs(state: Follower, rules: FollowerRules): number {
  if (state.mode === 'blocked') return Infinity;
  const everyMs = state.mode === 'live' ? rules.auditMs : rules.pollMs;
  let due = state.lookedMs + everyMs;
  if (state.mode === 'live') due = Math.min(due, state.heardMs + rules.silenceMs);
  if (state.asking) due = Math.min(due, state.asking.sinceMs + state.asking.timeoutMs);
  else if (state.holdMs > -Infinity) due = Math.min(due, state.holdMs);
  return due;
}

/** My own event loop stood still: the silence was mine, not the others'. */
export function excuseSilence(state: Follower, nowMs: number): void {
  state.heardMs = nowMs;
}
