/**
 * What becomes of a client that reads slower than the market moves. Three answers, chosen per publisher:
 *
 *   disconnect   cut it (close code 1008). It reconnects and takes a snapshot, as it would with the real exchange.
 *   skip         leave out whole turns until it has caught up, and count them. Breaks the continuity of books (update
 *                ids, checksums): for tickers and displays only.
 *   wait         the publisher takes nothing more from its feed until the client has drained: every client gets every
 *                record of a replay, and the slowest sets the pace. One that makes no room in time is cut.
 *
 * A client that owes nothing is never slow: a turn larger than the bound still goes out to an empty buffer.
 */
export type SlowPolicy = 'disconnect' | 'skip' | 'wait';

export type SlowLimits = {
  readonly policy: SlowPolicy;
  /** Bytes that may wait in a client's socket. */
  readonly boundBytes: number;
  /** How long `wait` waits for one client, ms. */
  readonly waitMs: number;
};

/** What was left out for one client. */
export type Skipped = { turns: number; frames: number; bytes: number };

/** What becomes of a slow client, told when it begins and when it ends. */
export type SlowReport =
  /** It fell behind: turns are left out for it from now on. */
  | { readonly event: 'skipping'; readonly peer: string; readonly waitingBytes: number }
  /** It has caught up, or has gone: so much was left out. */
  | ({ readonly event: 'skipped'; readonly peer: string } & Readonly<Skipped>)
  | { readonly event: 'cut'; readonly peer: string; readonly waitingBytes: number };

export const slowDefaults: SlowLimits = {
  policy: 'disconnect',
  boundBytes: 4 * 1024 * 1024,
  waitMs: 30_000,
};

/** What to do with `bytes` more of topics' frames, `buffered` bytes still unsent. `skipping`: the last turn was left out. */
export function admit(
  limits: SlowLimits,
  buffered: number,
  bytes: number,
  skipping: boolean,
): 'write' | 'skip' | 'cut' {
  if (buffered === 0) return 'write';
  const { policy, boundBytes } = limits;
  const over = buffered + bytes > boundBytes;
  if (policy === 'disconnect') return over ? 'cut' : 'write';
  if (policy === 'skip') return over || (skipping && buffered > boundBytes / 2) ? 'skip' : 'write';
  return admitPrivate(limits, buffered, bytes);
}

/**
 * The same for what is meant for this client alone (answers, snapshots): never left out, since the client waits for
 * it; one that asks and asks and does not read is cut.
 */
export function admitPrivate(limits: SlowLimits, buffered: number, bytes: number): 'write' | 'cut' {
  if (buffered === 0) return 'write';
  const room = limits.policy === 'disconnect' ? limits.boundBytes : 2 * limits.boundBytes;
  return buffered + bytes > room ? 'cut' : 'write';
}

/** Whether `wait` has to wait for a client; with hysteresis, so that it does not stop and go at every write. */
export const isBehind = (limits: SlowLimits, buffered: number, wasBehind: boolean): boolean =>
  buffered > (wasBehind ? limits.boundBytes / 2 : limits.boundBytes);
