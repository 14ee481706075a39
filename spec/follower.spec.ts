import test from 'ava';
import fc from './support/property.ts';
import { answer, type Answer, type Ask, type Lines } from '../lib/catchup/answer.ts';
import {
  excuseSilence,
  followerDueMs,
  newFollower,
  startFollower,
  stepFollower,
} from '../lib/follower/follower.ts';
import {
  diskRules,
  remoteRules,
  type Effect,
  type Follower,
  type FollowerRules,
  type Input,
} from '../lib/follower/state.ts';
import { long } from './support/logs.ts';
import { ModelLog } from './support/model-log.ts';

type Op =
  | { readonly op: 'append' | 'cut' | 'trim'; readonly n: number }
  | { readonly op: 'restart' | 'roll' | 'look' }
  | {
      readonly op: 'hear' | 'reply';
      readonly which: number;
      readonly how: 'take' | 'keep' | 'drop';
    }
  | { readonly op: 'busy' | 'wait'; readonly ms: number }
  | { readonly op: 'inline'; readonly n: number };

const weighted = (weight: number, arbitrary: fc.Arbitrary<Op>) => ({ weight, arbitrary });
const how = fc.constantFrom('take', 'take', 'keep', 'drop' as const);
const ops = fc.array(
  fc.oneof(
    weighted(6, fc.record({ op: fc.constant('append'), n: fc.integer({ min: 1, max: 5 }) })),
    weighted(4, fc.record({ op: fc.constant('inline'), n: fc.integer({ min: 1, max: 3 }) })),
    weighted(1, fc.record({ op: fc.constant('cut'), n: fc.integer({ min: 0, max: 4 }) })),
    weighted(1, fc.record({ op: fc.constant('trim'), n: fc.integer({ min: 1, max: 4 }) })),
    weighted(1, fc.record({ op: fc.constantFrom('restart', 'roll', 'look') })),
    weighted(9, fc.record({ op: fc.constant('hear'), which: fc.nat(), how })),
    weighted(9, fc.record({ op: fc.constant('reply'), which: fc.nat(), how })),
    weighted(1, fc.record({ op: fc.constant('busy'), ms: fc.integer({ min: 0, max: 900 }) })),
    weighted(4, fc.record({ op: fc.constant('wait'), ms: fc.integer({ min: 0, max: 4_000 }) })),
  ) as fc.Arbitrary<Op>,
  { maxLength: 90, size: 'max' },
);

function fail(why: string): never {
  throw new Error(why);
}

/** A follower, the model log it follows, and all that is on its way between them. */
class World {
  readonly log = new ModelLog();
  readonly state: Follower;
  readonly rules: FollowerRules;
  nowMs = 1_000;
  /** What was delivered and not taken back: one entry a line. `from` moves on with a gap. */
  readonly mine: { position: number; text: string }[] = [];
  from: number;
  notices: Input[] = [];
  requests: Ask[] = [];
  replies: Answer[] = [];
  /** Per epoch, the highest end that was ever announced. */
  readonly announced = new Map<number, number>();
  trims = 0;
  /** Highest position of the newest epoch that a delivered notice has named. */
  told: { epoch: number; position: number } = { epoch: 0, position: 0 };
  dead = false;

  constructor(rules: FollowerRules) {
    this.rules = rules;
    this.state = newFollower({ epoch: 0, position: 0, lines: 0 }, this.nowMs);
    this.from = 0;
    this.announce();
    this.apply(startFollower(this.state, rules, this.nowMs));
  }

  announce(inline = 0): void {
    const { epoch, end: position } = this.log;
    this.announced.set(epoch, position);
    if (inline > 0)
      this.notices.push({ is: 'data', epoch, lines: this.log.tail(inline), by: 'notice' });
    else this.notices.push({ is: 'heard', epoch, position, by: 'notice' });
  }

  step(input: Input): Effect[] {
    const before = followerDueMs(this.state, this.rules);
    const effects = stepFollower(this.state, input, this.rules, this.nowMs);
    if (input.is === 'tick' && before <= this.nowMs) {
      if (followerDueMs(this.state, this.rules) <= this.nowMs)
        fail('a tick that was due leaves the follower due: it would spin');
    }
    this.apply(effects);
    const { knownEpoch, seenEpoch } = this.state;
    if (!(knownEpoch <= seenEpoch && seenEpoch <= this.log.epoch))
      fail(`epochs ${knownEpoch} ${seenEpoch} ${this.log.epoch}`);
    return effects;
  }

  apply(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'fetch') this.requests.push(effect.ask);
      else if (effect.do === 'deliver') this.deliver(effect.lines, effect.epoch);
      else if (effect.do === 'gap') this.gap(effect.from, effect.to);
      else if (effect.do === 'cut') this.cut(effect.from, effect.to, effect.lines);
    }
  }

  get end(): number {
    const last = this.mine.at(-1);
    return last ? last.position + last.text.length : this.from;
  }

  deliver(lines: Lines, epoch: number): void {
    if (lines.position !== this.end) fail(`delivered ${lines.position} behind ${this.end}`);
    let at = 0;
    for (const end of lines.ends) {
      const text = lines.bytes.toString('latin1', at, end);
      this.mine.push({ position: lines.position + at, text });
      at = end;
    }
    if (this.end > (this.announced.get(epoch) ?? -1)) fail('delivered beyond announced');
  }

  gap(from: number, to: number): void {
    if (from !== this.end || to <= from) fail(`gap ${from} ${to}, I was at ${this.end}`);
    this.mine.length = 0;
    this.from = to;
  }

  cut(from: number, to: number, lines: number): void {
    if (to !== this.end || from >= to) fail(`cut ${from} ${to}, I was at ${this.end}`);
    const kept = this.mine.filter((line) => line.position < from);
    const taken = this.mine.length - kept.length;
    if (this.trims === 0 && taken !== lines) fail(`told of ${lines}, took back ${taken}`);
    this.mine.splice(0, this.mine.length, ...kept);
    if (kept.length === 0) this.from = Math.min(this.from, from);
    if (this.end !== from) fail(`cut to ${from} leaves ${this.end}`);
  }

  hear(notice: Input): void {
    const { state } = this;
    const at = { ...state };
    const busy = state.asking !== undefined || this.nowMs < state.holdMs;
    const effects = this.step(notice);
    const epoch = notice.is === 'heard' || notice.is === 'data' ? notice.epoch : 0;
    const position =
      notice.is === 'heard'
        ? notice.position
        : notice.is === 'data'
          ? notice.lines.position + notice.lines.bytes.length
          : 0;
    if (epoch > this.told.epoch || (epoch === this.told.epoch && position > this.told.position))
      this.told = { epoch, position };
    const news = epoch > at.seenEpoch || (epoch === at.seenEpoch && position > at.position);
    const acted = effects.some((effect) => effect.do === 'fetch' || effect.do === 'deliver');
    if (news && !busy && !acted) fail('a notice with news was not acted on at once');
  }

  run(op: Op): void {
    const { log } = this;
    switch (op.op) {
      case 'append':
        log.append(op.n);
        this.announce();
        break;
      case 'inline':
        log.append(op.n);
        this.announce(op.n);
        break;
      case 'restart':
        log.restart(0);
        this.announce();
        break;
      case 'cut':
        log.restart(op.n);
        this.announce();
        break;
      case 'roll':
        log.roll();
        break;
      case 'trim':
        log.trim(op.n);
        this.trims++;
        break;
      case 'look':
        this.look();
        break;
      case 'hear': {
        const at = op.which % Math.max(1, this.notices.length);
        const notice = this.notices[at];
        if (!notice) break;
        if (op.how !== 'keep') this.notices.splice(at, 1);
        if (op.how !== 'drop') this.hear(notice);
        break;
      }
      case 'reply': {
        // A request is answered when it arrives, and the answer may dawdle, get lost, or come twice.
        const request = this.requests.shift();
        if (request) this.replies.push(answer(log, request));
        const at = op.which % Math.max(1, this.replies.length);
        const reply = this.replies[at];
        if (!reply) break;
        if (op.how !== 'keep') this.replies.splice(at, 1);
        if (op.how !== 'drop') this.step({ is: 'answer', answer: reply });
        break;
      }
      case 'busy': {
        const request = this.requests.shift();
        if (!request) break;
        const echo = { lastEpoch: request.lastEpoch, asked: request.position, epoch: log.epoch };
        this.step({ is: 'answer', answer: { ...echo, kind: 'busy', retryMs: op.ms } });
        break;
      }
      case 'wait':
        this.wait(op.ms);
        break;
    }
  }

  look(): void {
    if (this.dead) return;
    const { epoch, end: position } = this.log;
    this.step({ is: 'heard', epoch, position, by: 'looking' });
  }

  /** Lets time pass, ticking when due, nothing else happening. */
  wait(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (;;) {
      const dueMs = followerDueMs(this.state, this.rules);
      if (dueMs > untilMs) break;
      this.nowMs = Math.max(this.nowMs, dueMs);
      this.tick();
    }
    this.nowMs = untilMs;
  }

  tick(): void {
    const effects = this.step({ is: 'tick' });
    if (effects.some((effect) => effect.do === 'look')) this.look();
  }

  /** No more faults: every request is answered at once. `heartbeat` repeats the end once a second. */
  settle(ms: number, heartbeat: boolean): void {
    this.replies = [];
    this.requests = [];
    const untilMs = this.nowMs + ms;
    let beatMs = this.nowMs;
    let steps = 0;
    while (this.nowMs < untilMs) {
      while (this.requests.length > 0) {
        if (++steps > 100_000) fail(`it never settles: ${JSON.stringify(this.state)}`);
        this.step({ is: 'answer', answer: answer(this.log, this.requests.shift()!) });
      }
      const dueMs = Math.max(this.nowMs, followerDueMs(this.state, this.rules));
      const nextMs = heartbeat ? Math.min(dueMs, beatMs) : dueMs;
      if (nextMs >= untilMs) break;
      this.nowMs = nextMs;
      if (heartbeat && beatMs <= this.nowMs) {
        const { epoch, end: position } = this.log;
        this.hear({ is: 'heard', epoch, position, by: 'notice' });
        beatMs += 1_000;
      }
      if (dueMs <= this.nowMs) this.tick();
    }
    this.nowMs = untilMs;
  }
}

const rulesets = fc.constantFrom(diskRules, remoteRules, { ...diskRules, maxBytes: 20 });
const runs = long ? 30_000 : 2_000;

test('nothing is lost or delivered twice, whatever happens to notices, requests and answers', (t) => {
  let lines = 0;
  let cuts = 0;
  fc.assert(
    fc.property(rulesets, ops, (rules, history) => {
      const world = new World(rules);
      for (const op of history) world.run(op);
      // Longest wait for an answer, longest hold, two heartbeats.
      world.settle(rules.timeoutMaxMs + 4_000, true);
      const kept = world.log.lines.filter((line) => line.position >= world.from);
      if (
        world.mine.map((line) => line.text).join('') !== kept.map((line) => line.text).join('') ||
        world.end !== world.log.end ||
        world.state.mode !== 'live'
      )
        throw new Error(`${world.state.mode} at ${world.end} of ${world.log.end}`);
      // How many lines a gap held nobody knows.
      if (world.trims === 0 && world.state.lines !== world.log.lines.length)
        throw new Error(`counted ${world.state.lines} lines of ${world.log.lines.length}`);
      lines += world.mine.length;
      cuts += history.filter((op) => op.op === 'cut').length;
    }),
    { numRuns: runs, includeErrorInReport: true },
  );
  t.log(`${runs} histories, ${lines} lines at the end, ${cuts} cuts`);
  t.true(lines > runs && cuts > runs / 10);
});

test('what a delivered notice has named is fetched even if nobody ever speaks again', (t) => {
  fc.assert(
    fc.property(rulesets, ops, (rules, history) => {
      const world = new World(rules);
      for (const op of history) world.run(op);
      world.dead = true;
      world.settle(rules.timeoutMaxMs + 4_000, false);
      if (world.told.epoch === world.log.epoch && world.end < world.told.position)
        throw new Error(`at ${world.end}, was told of ${world.told.position}`);
    }),
    { numRuns: runs, includeErrorInReport: true },
  );
  t.pass();
});

// --- single promises ---

const lines = (log: ModelLog, position: number): Lines => log.read(position, log.end, 1e6)!;

/** A follower that is live at the end of a log of `count` lines. */
function live(count: number, rules = diskRules): World {
  const world = new World(rules);
  world.log.append(count);
  world.announce();
  world.settle(5_000, true);
  if (world.state.mode !== 'live') throw new Error(world.state.mode);
  world.notices = [];
  return world;
}

test('a busy answerer is asked again when it said so, never in a spin and never never', (t) => {
  for (const retryMs of [0, -5, NaN, 20, 1e15, Infinity]) {
    const world = live(3);
    world.log.append(1);
    world.announce();
    world.hear(world.notices.pop()!);
    let asked = 0;
    const untilMs = world.nowMs + 60_000;
    while (world.nowMs < untilMs) {
      const request = world.requests.shift();
      if (request) {
        asked++;
        const echo = { lastEpoch: request.lastEpoch, asked: request.position, epoch: 1 };
        world.step({ is: 'answer', answer: { ...echo, kind: 'busy', retryMs } });
      }
      const dueMs = followerDueMs(world.state, world.rules);
      t.true(dueMs > world.nowMs, `retry ${retryMs}: due at once`);
      world.nowMs = dueMs;
      world.tick();
    }
    t.true(asked >= 5, `retry ${retryMs}: asked ${asked} times in a minute`);
  }
});

test('a late answer that says "you are at the end" does not hide what was heard since', (t) => {
  const world = live(3);
  const { state } = world;
  const stale = answer(world.log, {
    lastEpoch: state.knownEpoch,
    position: state.position,
    maxBytes: 100,
  });
  t.is(stale.kind, 'info');
  world.log.append(1);
  world.announce();
  world.hear(world.notices.pop()!);
  world.requests.length = 0;
  world.step({ is: 'answer', answer: stale });
  world.dead = true;
  world.wait(diskRules.pollMs);
  t.is(world.requests.length, 1, 'asked anew');
});

test('bytes that come with their notice are delivered without asking, but only where they fit', (t) => {
  const world = live(3);
  const { log } = world;
  log.append(1);
  world.announce(1);
  const effects = world.step(world.notices.pop()!);
  t.deepEqual(
    effects.map((effect) => effect.do),
    ['deliver'],
  );
  t.is(world.end, log.end);
  // One is lost: the next one does not fit.
  log.append(1);
  log.append(1);
  world.announce(1);
  t.deepEqual(
    world.step(world.notices.pop()!).map((effect) => effect.do),
    ['fetch'],
  );
});

test('silence makes it poll, one notice ends that, and one own standstill is no silence', (t) => {
  const world = live(3);
  world.dead = true;
  world.wait(diskRules.silenceMs - 1_100);
  t.is(world.state.mode, 'live');
  excuseSilence(world.state, world.nowMs);
  world.wait(diskRules.silenceMs - 1);
  t.is(world.state.mode, 'live');
  world.wait(2);
  t.is(world.state.mode, 'degraded');
  let looks = 0;
  const untilMs = world.nowMs + 1_000;
  while (world.nowMs < untilMs) {
    world.nowMs = followerDueMs(world.state, world.rules);
    if (world.step({ is: 'tick' }).some((effect) => effect.do === 'look')) looks++;
  }
  t.true(looks >= 1_000 / diskRules.pollMs - 1, `${looks} looks a second`);
  world.announce();
  world.hear(world.notices.pop()!);
  t.is(world.state.mode, 'live');
});

test('a writer that was replaced and does not know it is not listened to', (t) => {
  const world = live(3);
  world.log.restart(0);
  world.announce();
  world.hear(world.notices.pop()!);
  while (world.requests.length > 0)
    world.step({ is: 'answer', answer: answer(world.log, world.requests.shift()!) });
  t.is(world.state.knownEpoch, 2);
  const before = structuredClone(world.state);
  const zombie = lines(world.log, 0);
  world.step({ is: 'heard', epoch: 1, position: 1e6, by: 'notice' });
  world.step({ is: 'data', epoch: 1, lines: { ...zombie, position: world.end }, by: 'notice' });
  t.deepEqual(world.state, before);
});

for (const trimmed of ['earliest', 'latest', 'fail'] as const) {
  test(`where bytes are gone: ${trimmed}`, (t) => {
    const rules = { ...diskRules, trimmed };
    const world = new World(rules);
    world.log.append(10);
    world.log.trim(4);
    world.announce();
    world.hear(world.notices.at(-1)!);
    const gaps: Effect[] = [];
    for (let i = 0; i < 20 && world.requests.length > 0; i++) {
      const reply = answer(world.log, world.requests.shift()!);
      gaps.push(
        ...world.step({ is: 'answer', answer: reply }).filter((effect) => effect.do === 'gap'),
      );
    }
    t.is(gaps.length, 1);
    const oldest = world.log.oldest();
    if (trimmed === 'fail') {
      t.is(world.state.mode, 'blocked');
      t.is(followerDueMs(world.state, rules), Infinity);
      t.is(world.mine.length, 0);
    } else {
      const to = trimmed === 'earliest' ? oldest : world.log.end;
      t.deepEqual(gaps[0], { do: 'gap', from: 0, to });
      t.is(world.mine.length, trimmed === 'earliest' ? 6 : 0);
      t.is(world.end, world.log.end);
      t.is(world.state.mode, 'live');
    }
  });
}

test('who is denied stays away', (t) => {
  const world = new World(remoteRules);
  const request = world.requests.shift()!;
  const echo = { lastEpoch: request.lastEpoch, asked: request.position, epoch: 1 };
  world.step({ is: 'answer', answer: { ...echo, kind: 'denied' } });
  world.log.append(5);
  world.announce();
  world.step(world.notices.at(-1)!);
  world.wait(60_000);
  t.is(world.requests.length, 0);
  t.is(world.state.mode, 'blocked');
});

test('a follower asks a new writer soon, however long it has waited in vain for the one before', (t) => {
  const state = newFollower({ epoch: 1, position: 100, lines: 1 }, 0);
  let nowMs = 0;
  startFollower(state, remoteRules, nowMs);
  // Nobody answers: it asks ever more seldom.
  for (; nowMs < 20_000; nowMs = followerDueMs(state, remoteRules))
    stepFollower(state, { is: 'tick' }, remoteRules, nowMs);
  const untilMs = (): number => state.asking!.sinceMs + state.asking!.timeoutMs;
  t.true(untilMs() > nowMs + 2_000, `${untilMs() - nowMs}`);
  stepFollower(state, { is: 'heard', epoch: 2, position: 150, by: 'notice' }, remoteRules, nowMs);
  t.is(untilMs(), nowMs + remoteRules.timeoutMs);
  const effects = stepFollower(state, { is: 'tick' }, remoteRules, untilMs());
  t.like(effects[0], { do: 'fetch', ask: { lastEpoch: 1, position: 100 } });
});
