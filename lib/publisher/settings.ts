/**
 * What a publisher lets its clients do. The defaults are for one machine or one team: nothing here limits a client
 * that behaves (a venue's own rate limits are the venue's, and off by default).
 */
import { type SlowLimits, slowDefaults } from './slow.ts';

export type PublisherSettings = {
  readonly slow: SlowLimits;
  /** WebSockets and HTTP connections together. */
  readonly maxConnections: number;
  /** WebSockets of one address; the own machine is not counted. */
  readonly maxPerAddress: number;
  /** Bytes of one request: a WebSocket message, or an HTTP body. */
  readonly maxRequestBytes: number;
  /** Pages that may connect; absent: any. Clients that are no browser send no Origin and are not asked. */
  readonly origins: readonly string[] | undefined;
  /** permessage-deflate with clients that offer it: costs the shared frames. */
  readonly compression: boolean;
  /** Write shared frames below the API of `ws`. */
  readonly direct: boolean;
  /** How long a client may take to answer a close before its socket is destroyed, ms. */
  readonly closeMs: number;
};

export const publisherDefaults: PublisherSettings = {
  slow: slowDefaults,
  maxConnections: 1000,
  maxPerAddress: 50,
  maxRequestBytes: 64 * 1024,
  origins: undefined,
  compression: false,
  direct: true,
  closeMs: 5000,
};

/** How a publisher's feed is opened: it keeps nothing of a batch, and smaller chunks stay in the processor's caches. */
export const publisherFeed = { reuse: true, rules: { maxBytes: 256 << 10 } } as const;

/**
 * Flags of a publisher's Node: its garbage is collected sooner, at no more CPU, since there is little that lives on.
 */
export const publisherFlags = [
  // What a turn leaves behind is garbage by the next one: all that is resident of the young generation is 12 MB, not 48.
  '--max-semi-space-size=4',
  // An old generation of a dozen MB is looked through in 2 ms: it need not grow to twice its size first.
  '--heap-growing-percent=30',
  // One thread that compiles and collects: each has memory of its own that it keeps.
  '--v8-pool-size=1',
] as const;
