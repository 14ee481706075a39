/** What a replica tells its operator: changes of state, never a line a message. */
import type { LogName } from '../log/name.ts';
import type { TickmeshError } from '../world/error.ts';

export type RemoteLogReport =
  /** The source has answered for the first time; its end was reached for the first time; notices stopped; they are back. */
  | {
      readonly event: 'following' | 'caughtUp' | 'degraded' | 'live';
      readonly log: LogName;
    }
  | {
      readonly event: 'rewound';
      readonly log: LogName;
      readonly from: number;
      readonly to: number;
      readonly lines: number;
    }
  | {
      readonly event: 'gap';
      readonly log: LogName;
      readonly from: number;
      readonly to: number;
    }
  /** The disk refuses (tried again), the source has no such log (asked again), the bytes do not fit ours (given up). */
  | {
      readonly event: 'stalled' | 'denied' | 'blocked';
      readonly log: LogName;
      readonly error: TickmeshError;
    };

export type ReplicaReport =
  | RemoteLogReport
  | {
      readonly event: 'recovered';
      readonly log: LogName;
      readonly tornBytes: number;
      readonly epoch: number;
      readonly position: number;
    };
