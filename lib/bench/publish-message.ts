/** What a bench, its server process and its client process say to each other (Node IPC, one object a message). */
import type { PublisherMetrics } from '../publisher/metrics.ts';

/** How the server sends. */
export type SendMode =
  /** A publisher over a feed of the logs. */
  | 'feed'
  /** A publisher over a feed of what is written from now on; it serves until it is ended. */
  | 'live'
  /** A publisher over batches of `turn` records from memory. */
  | 'publisher'
  /** The same batches, one `ws.send` a record and client: the peer. */
  | 'ws-send';

export type ServerTask = {
  readonly mode: SendMode;
  readonly data: string;
  readonly logs: readonly string[];
  readonly exchange: string;
  readonly instruments: readonly string[];
  /** Records that go through before the measurement begins: code is compiled on the way. */
  readonly warmUp: number;
  /** Records of a turn, and turns; for all modes but `feed`. */
  readonly turn: number;
  readonly turns: number;
  /** Path and query that the clients dial: what `ws-send` says it serves. */
  readonly path: string;
};

export type ClientTask = {
  readonly port: number;
  readonly path: string;
  readonly clients: number;
};

/** Resident memory over a run: sampled every 100 ms, bytes. */
export type Resident = {
  readonly start: number;
  readonly peak: number;
  /** Highest of the second tenth, and of the last. */
  readonly early: number;
  readonly late: number;
  /** A line through the samples behind the first tenth: bytes a million records. */
  readonly slopePerMillion: number;
};

export type ServerResult = {
  /** All records, and frames sent to all clients together. */
  readonly records: number;
  readonly sent: number;
  /** Those after the warm-up, which the CPU was used for. */
  readonly measuredRecords: number;
  readonly measuredFrames: number;
  /** CPU seconds of the server process from the end of the warm-up to the last byte handed to the kernel. */
  readonly userSeconds: number;
  readonly systemSeconds: number;
  readonly wallSeconds: number;
  readonly resident: Resident;
  /** Of the publisher; absent for `ws-send`. */
  readonly metrics?: PublisherMetrics;
};

export type ClientResult = {
  readonly frames: number;
  readonly bytes: number;
};

export type ToServer = { readonly task: ServerTask } | { readonly go: true };
export type FromServer = { readonly port: number } | { readonly result: ServerResult };
export type ToClients = { readonly task: ClientTask };
export type FromClients = { readonly open: number } | { readonly result: ClientResult };
