/**
 * What a node process is told: everything resolved, nothing left to look up. Folders are absolute, durations are
 * milliseconds, sizes bytes; plain JSON, since it travels to the process as one message.
 */
import type { PublicKeys } from '../mesh/curve.ts';
import type { LogLevel } from '../world/logger.ts';

type Common = {
  readonly project: string;
  readonly node: string;
  readonly logLevel: LogLevel;
  /** Added to the niceness of the process. */
  readonly nice: number;
  /** Folder of topology.yaml: where relative paths of a source start. */
  readonly dir: string;
  /** Keys, where the mesh has them. */
  readonly security?: SecuritySettings;
};

/** No secret stands here: settings may be shown. */
export type SecuritySettings = {
  /** File with the node's own pair; and the public key that the others know it by. */
  readonly keyFile: string;
  readonly publicKey: string;
  /** Who may connect to it, and whom it dials. */
  readonly readers: PublicKeys;
  readonly writers: PublicKeys;
};

/** Where a reader finds a writer. */
export type WriterLink = {
  readonly writer: string;
  /** The writer's files, or its bytes over catch-up. */
  readonly read: 'direct' | 'catchup';
  /** Folder of the writer's logs; only with `direct`. */
  readonly data?: string;
  /** Where it is listened to; `chosen`: there and nowhere else, whatever its logs say. */
  readonly feed: readonly string[];
  readonly chosen?: true;
  /** Where it takes requests; not with `direct`. */
  readonly catchup?: string;
};

type Storage = {
  readonly data: string;
  /** Interval in milliseconds, or one of the words. */
  readonly fsync: 'never' | 'each' | number;
  /** Where this node announces, and takes requests (nowhere when nobody may ask). */
  readonly feed: readonly string[];
  readonly catchup: readonly string[];
  /** Readers that may ask for catch-up, and where their bytes go: no other address is ever dialled. */
  readonly inboxes: Readonly<Record<string, string>>;
};

export type FetcherSettings = Common &
  Storage & {
    readonly run: 'fetcher';
    readonly segment: { readonly bytes: number; readonly ageMs: number };
    readonly source: {
      readonly kind: string;
      readonly settings: Readonly<Record<string, unknown>>;
    };
  };
export type ListenSettings = {
  readonly host: string;
  readonly port: number;
  /** Web pages that may connect; absent: all. */
  readonly origins?: readonly string[];
  readonly connections?: number;
};
export type PublisherSettings = Common & {
  readonly run: 'publisher';
  readonly exchange: string;
  readonly from: readonly WriterLink[];
  /** Patterns of log names. */
  readonly logs: readonly string[];
  readonly listen: ListenSettings;
  readonly historyMs: number;
  /** Whose time it is in the market that is served. */
  readonly time: 'wall' | 'records';
  readonly slowClient: {
    readonly policy: 'disconnect' | 'skip' | 'wait';
    readonly boundBytes: number;
    readonly waitMs: number;
  };
};
export type ReplicaSettings = Common &
  Storage & {
    readonly run: 'replica';
    readonly from: WriterLink;
    /** Patterns of the logs that it copies. */
    readonly logs: readonly string[];
    readonly inbox: readonly string[];
  };
export type NodeSettings = FetcherSettings | PublisherSettings | ReplicaSettings;
export type NodeKind = NodeSettings['run'];
