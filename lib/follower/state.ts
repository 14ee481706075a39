/** What a follower is made of: its state (plain data, a simulator may copy it), its limits, what it hears and what it wants. */
import type { Answer, Ask, Lines } from '../catchup/answer.ts';

export type FollowerMode = 'joining' | 'catchingUp' | 'live' | 'degraded' | 'blocked';

export type FollowerRules = {
  /** Silence after which notices count as stopped. */
  readonly silenceMs: number;
  /** How often to look by oneself: while notices come, and while they do not. */
  readonly auditMs: number;
  readonly pollMs: number;
  /** First and longest wait for an answer. */
  readonly timeoutMs: number;
  readonly timeoutMaxMs: number;
  readonly maxBytes: number;
  /** What to do where the wanted bytes are gone. */
  readonly trimmed: 'earliest' | 'latest' | 'fail';
};

/** Limits for a reader on the same disk: looking costs a microsecond. */
export const diskRules: FollowerRules = {
  silenceMs: 3_500,
  auditMs: 1_000,
  pollMs: 50,
  timeoutMs: 500,
  timeoutMaxMs: 8_000,
  maxBytes: 256 << 10,
  trimmed: 'earliest',
};
/** Limits for a reader that asks over the network. */
export const remoteRules: FollowerRules = {
  ...diskRules,
  auditMs: 5_000,
  pollMs: 1_000,
  maxBytes: 1 << 20,
};

/** Plain data: a simulator may copy it. */
export type Follower = {
  mode: FollowerMode;
  /** Highest epoch heard of, and the one whose lineage my bytes agree with (0: none yet). */
  seenEpoch: number;
  knownEpoch: number;
  /** Next byte wanted, and lines before it. */
  position: number;
  lines: number;
  /** Highest announced end of `seenEpoch`. */
  target: number;
  /** The request under way, if any. */
  asking: { sinceMs: number; timeoutMs: number } | undefined;
  /** When a valid notice was last heard, and when I last looked by myself. */
  heardMs: number;
  lookedMs: number;
  /** Not before this may I ask again (the answerer was busy). */
  holdMs: number;
  tries: number;
};

export type Effect =
  | { readonly do: 'fetch'; readonly ask: Ask }
  /** Look at the head (disk) — its slot comes back as `heard` with `by: 'looking'`. */
  | { readonly do: 'look' }
  | { readonly do: 'deliver'; readonly lines: Lines; readonly epoch: number }
  | { readonly do: 'cut'; readonly from: number; readonly to: number; readonly lines: number }
  | { readonly do: 'gap'; readonly from: number; readonly to: number }
  | { readonly do: 'mode'; readonly mode: FollowerMode; readonly was: FollowerMode };

export type Input =
  /** A notice, a head beacon, or the head slot that was looked at. */
  | {
      readonly is: 'heard';
      readonly epoch: number;
      readonly position: number;
      readonly by: 'notice' | 'looking';
    }
  /** Bytes that came with the notice, or that were found where nobody had said anything. */
  | {
      readonly is: 'data';
      readonly epoch: number;
      readonly lines: Lines;
      readonly by: 'notice' | 'looking';
    }
  | { readonly is: 'answer'; readonly answer: Answer }
  | { readonly is: 'tick' };
