/**
 * One log followed on another host and copied: the pure follower decides, a request is its fetch and the copy on disk is
 * where it delivers. The copy's end is the only cursor; whatever the disk refuses is simply asked for again from there.
 */
import type { Answer, Ask, Lines } from '../catchup/answer.ts';
import { wholeLines, type Reply } from '../catchup/frames.ts';
import {
  excuseSilence,
  followerDueMs,
  newFollower,
  startFollower,
  stepFollower,
} from '../follower/follower.ts';
import {
  remoteRules,
  type Effect,
  type Follower,
  type FollowerMode,
  type FollowerRules,
  type Input,
} from '../follower/state.ts';
import type { LogName } from '../log/name.ts';
import { kinds } from '../mesh/header.ts';
import { INLINE_MAX, type Heard } from '../notifier/notice.ts';
import { TickmeshError } from '../world/error.ts';
import { Agreement, BEHIND_RETRY_MS, DENIED_RETRY_MS } from './agreement.ts';
import { Completeness } from './completeness.ts';
import type { ReplicaLog } from './disk-replica-log.ts';
import type { RemoteLogReport } from './report.ts';
import { deniedError, foreignError, trimmedError } from './refused.ts';

export type RemoteLogOptions = {
  readonly copy: ReplicaLog;
  readonly send: (ask: Ask) => void;
  /** The copy has grown, was cut or has another epoch. `lines` came with a notice. */
  readonly changed: (lines?: Lines) => void;
  readonly rules?: Partial<FollowerRules>;
  readonly report: (what: RemoteLogReport) => void;
};

const STALLED_RETRY_MS = 1_000;
/** How often a source that seems to have fallen back is asked whether it is still the same. */
const DOUBT_MS = 5_000;

export class RemoteLog {
  readonly copy: ReplicaLog;
  /** Messages whose bytes were no lines. */
  invalid = 0;
  readonly #options: RemoteLogOptions;
  readonly #rules: FollowerRules;
  readonly #complete = new Completeness();
  #follower: Follower;
  #following = false;
  #caughtUp = false;
  #denied = false;
  /** While set, nothing else is heard: whether the source is still ours is being asked. */
  #checking:
    | { readonly agreement: Agreement; readonly agreed: (nowMs: number) => void }
    | undefined;
  #checkedMs = -Infinity;

  constructor(options: RemoteLogOptions, nowMs: number) {
    this.copy = options.copy;
    this.#options = options;
    this.#rules = { ...remoteRules, ...options.rules };
    this.#follower = newFollower(this.copy, nowMs);
  }

  get log(): LogName {
    return this.copy.log;
  }
  get mode(): FollowerMode {
    return this.#follower.mode;
  }
  get dueMs(): number {
    return this.#checking?.agreement.dueMs ?? followerDueMs(this.#follower, this.#rules);
  }
  /** True when nothing is to be expected: the source refuses, or its bytes do not fit ours. */
  get silent(): boolean {
    return this.#denied || this.#follower.mode === 'blocked';
  }
  /** The copy is complete up to this receive time, Unix microseconds. */
  get completeUs(): number {
    const { epoch, position, lastTimeUs } = this.copy;
    return this.#complete.reached(epoch, position, lastTimeUs);
  }

  start(nowMs: number): void {
    this.#check(this.copy.position, nowMs, (laterMs) => {
      this.#apply(startFollower(this.#follower, this.#rules, laterMs), laterMs);
    });
  }

  /** Asks whether the source has our last line before `position` too; goes on with `agreed` if so. */
  #check(position: number, nowMs: number, agreed: (nowMs: number) => void): void {
    this.#checkedMs = nowMs;
    const last = this.copy.lineBefore(position);
    if (!last) return agreed(nowMs);
    this.#checking = { agreement: new Agreement(this.copy.epoch, last, nowMs), agreed };
    this.tick(nowMs);
  }

  #judge(answer: Answer, nowMs: number): void {
    const { agreement, agreed } = this.#checking!;
    const verdict = agreement.judge(answer);
    if (verdict === undefined) return;
    if (typeof verdict === 'object') {
      agreement.dueMs = nowMs + verdict.againMs;
      return;
    }
    this.#checking = undefined;
    if (verdict === 'agreed') agreed(nowMs);
    else {
      const { folder, position: own } = this.copy;
      this.#refused(foreignError(folder, own, answer.asked), nowMs);
    }
  }

  heard({ header, bytes }: Heard, nowMs: number): void {
    const { kind, epoch, position, length } = header;
    const { changed } = this.#options;
    if (this.#checking) return;
    if (kind === kinds.DATA) {
      const ends = wholeLines(bytes, header.count);
      if (!ends) {
        this.invalid++;
        return;
      }
      const segment = { base: header.aux, epoch: header.recordEpoch };
      this.#complete.said(epoch, position + length, header.tag);
      const lines = { position, bytes, ends, segment };
      const before = this.copy.position;
      this.#step({ is: 'data', epoch, lines, by: 'notice' }, nowMs, lines);
      if (this.copy.position === before) changed();
      return;
    }
    this.#complete.said(epoch, position, header.aux);
    changed();
    const { mode, knownEpoch } = this.#follower;
    if (kind === kinds.NOTICE && length <= INLINE_MAX && mode === 'live' && epoch === knownEpoch) {
      // Its bytes are right behind it. Should they get lost, the next heartbeat shows it.
      excuseSilence(this.#follower, nowMs);
      return;
    }
    if (mode === 'live' && epoch === knownEpoch && position < this.copy.position) {
      // An old word, overtaken by bytes we asked for. Or another log of the same epoch.
      if (nowMs - this.#checkedMs > DOUBT_MS)
        this.#check(this.copy.position, nowMs, () => undefined);
      return;
    }
    this.#step({ is: 'heard', epoch, position, by: 'notice' }, nowMs);
  }

  answered({ answer, clockUs }: Reply, nowMs: number): void {
    const { lastEpoch, asked, epoch, kind } = answer;
    const { asking, knownEpoch, position } = this.#follower;
    const denied = kind === 'denied';
    if (denied !== this.#denied) this.#tellDenied(denied);
    if (this.#checking) return this.#judge(answer, nowMs);
    // A probe's answer that was overtaken: nobody waits for it.
    if (!asking && (lastEpoch !== knownEpoch || asked !== position)) return;
    if (denied || (kind === 'cut' && epoch === lastEpoch)) {
      const retryMs = denied ? DENIED_RETRY_MS : BEHIND_RETRY_MS;
      const busy = { lastEpoch, asked, epoch, kind: 'busy', retryMs } as const;
      this.#step({ is: 'answer', answer: busy }, nowMs);
      return;
    }
    if (kind === 'cut' && asked === position) {
      const cut = (laterMs: number): void => this.#step({ is: 'answer', answer }, laterMs);
      this.#check(answer.position, nowMs, cut);
      return;
    }
    if (answer.kind === 'info') this.#complete.said(answer.epoch, answer.position, clockUs);
    this.#step({ is: 'answer', answer }, nowMs);
    if (answer.kind === 'info') {
      if (this.#follower.position === this.copy.position) this.copy.count(this.#follower.lines);
      this.#options.changed();
    }
    // Notices have stopped, so nobody tells that there is more: go on until the answer is "that is all".
    if (answer.kind === 'chunk' && this.mode === 'degraded') this.probe();
  }

  tick(nowMs: number): void {
    if (nowMs < this.dueMs) return;
    if (this.#checking) {
      this.#options.send(this.#checking.agreement.ask);
      this.#checking.agreement.asked(nowMs);
    } else this.#step({ is: 'tick' }, nowMs);
  }

  /** Our own event loop stood still. */
  excuse(nowMs: number): void {
    excuseSilence(this.#follower, nowMs);
  }

  /** Asks where the log stands, without waiting for it. */
  probe(): void {
    const { knownEpoch: lastEpoch, position, asking, mode } = this.#follower;
    if (asking || this.#checking || mode === 'blocked') return;
    this.#options.send({ lastEpoch, position, maxBytes: this.#rules.maxBytes });
  }

  #step(input: Input, nowMs: number, inline?: Lines): void {
    // What a copy holds is never left behind for a gap; an empty one begins where the source does.
    const trimmed = this.copy.empty ? 'earliest' : 'fail';
    const rules = { ...this.#rules, trimmed } as const;
    this.#apply(stepFollower(this.#follower, input, rules, nowMs), nowMs, inline);
  }

  #apply(effects: readonly Effect[], nowMs: number, inline?: Lines): void {
    // The next bytes are asked for before these are written: the holder reads while we write.
    for (const effect of effects) if (effect.do === 'fetch') this.#options.send(effect.ask);
    try {
      for (const effect of effects) this.#do(effect, inline);
      // An answer that brought nothing may still have settled a new epoch.
      if (this.#follower.knownEpoch > this.copy.epoch) this.#enter(this.#follower.knownEpoch);
    } catch (error) {
      if (!(error instanceof TickmeshError)) throw error;
      this.#refused(error, nowMs);
    }
  }

  #enter(epoch: number): void {
    if (epoch <= this.copy.epoch) return;
    this.copy.enter(epoch);
    this.#options.changed();
  }

  #do(effect: Effect, inline: Lines | undefined): void {
    const { log } = this;
    const { report } = this.#options;
    switch (effect.do) {
      case 'fetch':
        break;
      case 'look':
        this.probe();
        break;
      case 'deliver':
        this.#enter(effect.epoch);
        this.copy.append(effect.lines);
        this.#options.changed(effect.lines === inline ? inline : undefined);
        break;
      case 'cut': {
        const { from, to, lines } = effect;
        this.copy.cut(from);
        report({ event: 'rewound', log, from, to, lines });
        this.#enter(this.#follower.knownEpoch);
        this.#options.changed();
        break;
      }
      case 'gap': {
        const { from, to } = effect;
        if (this.#follower.mode === 'blocked' || !this.copy.empty)
          throw trimmedError(log, from, to);
        this.copy.beginAt(to);
        report({ event: 'gap', log, from, to });
        break;
      }
      case 'mode':
        this.#tell(effect.mode, effect.was);
        break;
    }
  }

  #tell(mode: FollowerMode, was: FollowerMode): void {
    const { log } = this;
    const { report } = this.#options;
    if (was === 'joining' && !this.#following) {
      this.#following = true;
      report({ event: 'following', log });
    }
    if (mode === 'live' && !this.#caughtUp) {
      this.#caughtUp = true;
      report({ event: 'caughtUp', log });
    } else if (mode === 'live' || mode === 'degraded') report({ event: mode, log });
  }

  #tellDenied(denied: boolean): void {
    this.#denied = denied;
    if (!denied) return;
    const { log } = this;
    const error = deniedError(log);
    this.#options.report({ event: 'denied', log, error });
  }

  /** The disk took nothing: go on from its end, later. Or these bytes are not ours to take: stop. */
  #refused(error: TickmeshError, nowMs: number): void {
    const { log } = this;
    if (error.code === 'LOG_STALLED') {
      this.#options.report({ event: 'stalled', log, error });
      this.#follower = newFollower(this.copy, nowMs);
      this.#follower.holdMs = nowMs + STALLED_RETRY_MS;
      return;
    }
    this.#follower.mode = 'blocked';
    this.#options.report({ event: 'blocked', log, error });
  }
}
