/** What a replica is made of. */
import type { FollowerRules } from '../follower/state.ts';
import type { Security } from '../mesh/security-zeromq.ts';
import type { Heard } from '../notifier/notice.ts';
import type { Clock } from '../world/clock.ts';
import type { ReplicaReport } from './report.ts';

export type ReplicaOptions = {
  readonly node: string;
  readonly data: string;
  /** Logs to copy. */
  readonly logs: readonly string[];
  /** Where the source announces, and where it takes requests; its name, where there are keys. */
  readonly from: {
    readonly writer?: string;
    readonly feed: string | readonly string[];
    readonly catchup: string;
  };
  /** Where bytes that we asked for arrive; the source's settings name it too. */
  readonly inbox: string | readonly string[];
  /** Where we announce; absent: nobody is told. */
  readonly feed?: string | readonly string[];
  /** Where we take requests, and who may ask. */
  readonly catchup?: {
    readonly endpoint: string | readonly string[];
    readonly readers: Readonly<Record<string, string>>;
  };
  /** Keys of this node, of its source and of its readers. Absent: plain sockets, on this computer only. */
  readonly security?: Security | undefined;
  /** When bytes reach the platter: the kernel's choice (default), before each announcement, or every so often. */
  readonly sync?: 'never' | 'each' | { readonly intervalMs: number };
  readonly rules?: Partial<FollowerRules>;
  readonly clock: Clock;
  /** Told of what an operator should know. */
  readonly report?: (what: ReplicaReport) => void;
  /** For tests and simulations of loss: return false to drop a notice. */
  readonly hear?: (heard: Heard) => boolean;
};
