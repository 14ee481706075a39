/**
 * What a node process is told: everything resolved, nothing left to look up. Folders are absolute, durations are
 * milliseconds, sizes bytes; plain JSON, since it travels to the process as one message.
 */
import type { LogLevel } from '../world/logger.ts';

type Common = {
  readonly project: string;
  readonly node: string;
  readonly logLevel: LogLevel;
  /** Folder of topology.yaml: where relative paths of a source start. */
  readonly dir: string;
};

/** Where a reader finds a writer. */
export type WriterLink = {
  readonly writer: string;
  /** The writer's files, or its bytes over catch-up. */
  readonly read: 'direct' | 'catchup';
  /** Folder of the writer's logs; only with `direct`. */
  readonly data: string | undefined;
  readonly feed: string;
  readonly catchup: string;
};

type Storage = {
  readonly data: string;
  readonly segment: { readonly bytes: number; readonly ageMs: number | undefined };
  /** Interval in milliseconds, or one of the words. */
  readonly fsync: 'never' | 'each' | number;
  readonly commit: 'written' | 'synced';
  /** Endpoints that this node binds. */
  readonly feed: readonly string[];
  readonly catchup: readonly string[];
  /** Readers that may ask for catch-up, and where their bytes go: no other address is ever dialled. */
  readonly inboxes: Readonly<Record<string, string>>;
};

export type FetcherSettings = Common &
  Storage & {
    readonly run: 'fetcher';
    readonly source: {
      readonly kind: string;
      readonly settings: Readonly<Record<string, unknown>>;
    };
  };
export type PublisherSettings = Common & {
  readonly run: 'publisher';
  readonly exchange: string;
  readonly from: readonly WriterLink[];
  /** Patterns of log names. */
  readonly logs: readonly string[];
  readonly listen: { readonly host: string; readonly port: number };
  readonly historyMs: number;
  /** Whose time it is in the market that is served. */
  readonly time: 'wall' | 'records';
  readonly slowClient: {
    readonly policy: 'disconnect' | 'skip' | 'wait';
    readonly boundBytes: number;
    readonly waitMs: number;
  };
  /** Endpoints that this node binds for catch-up bytes; [] when it reads files. */
  readonly inbox: readonly string[];
};
export type ReplicaSettings = Common &
  Storage & {
    readonly run: 'replica';
    readonly from: WriterLink;
    readonly logs: readonly string[];
    readonly inbox: readonly string[];
  };
export type NodeSettings = FetcherSettings | PublisherSettings | ReplicaSettings;
export type NodeKind = NodeSettings['run'];
