/**
 * The head file of a log: how far it is announced. Two 64-byte slots (`mesh/header.ts`, kind SLOT), written in turn,
 * so that a torn write always leaves the older one whole. No reader ever reads past it, whatever woke it.
 * The clock file of a fetcher has the same form (kind CLOCK): up to which receive time all its logs are announced;
 * a reader that first reads the clock and then the heads has everything up to that time in hand.
 */
import {
  HEADER_BYTES,
  claimsOf,
  kinds,
  readHeader,
  type Claims,
  type Header,
} from '../mesh/header.ts';

export const HEAD_BYTES = 2 * HEADER_BYTES;

/** How far a log is announced, as its head file says. */
export type Slot = {
  readonly epoch: number;
  /** Announced end, and the lines before it. */
  readonly position: number;
  readonly lines: number;
  /** How many of the lines are marks. */
  readonly marks: number;
  /** Receive time of the last line, Unix microseconds; 0 when there is none. */
  readonly lastTimeUs: number;
  /** Oldest position kept. */
  readonly oldest: number;
};

/** Says that `b` is not older than `a`, by what they claim: whether it is true their sums say. */
type Newer = (b: Claims, a: Claims) => boolean;

const newer: Newer = (b, a) =>
  a.epoch !== b.epoch
    ? b.epoch > a.epoch
    : a.position !== b.position
      ? b.position > a.position
      : b.tag >= a.tag;

const newerClock: Newer = (b, a) => b.aux >= a.aux;

/** The one that claims to be newer is looked at first: mostly it is whole, and then the other does not matter. */
function pick(bytes: Buffer, kind: number, isNewer: Newer): Header | undefined {
  const second = isNewer(claimsOf(bytes, HEADER_BYTES), claimsOf(bytes, 0)) ? HEADER_BYTES : 0;
  const found = readHeader(bytes, second);
  if (found?.kind === kind) return found;
  const other = readHeader(bytes, HEADER_BYTES - second);
  return other?.kind === kind ? other : undefined;
}

/** The newer valid slot of a head file's bytes; undefined when neither is valid. */
export function readSlot(bytes: Buffer): Slot | undefined {
  const found = pick(bytes, kinds.SLOT, newer);
  return (
    found && {
      epoch: found.epoch,
      position: found.position,
      lines: found.lines,
      marks: found.count,
      lastTimeUs: found.aux,
      oldest: found.tag,
    }
  );
}

/** Index of the slot to write next: never the newer valid one. */
export function staleSlot(bytes: Buffer | undefined, kind: number): number {
  if (!bytes) return 0;
  const first = readHeader(bytes, 0);
  const second = readHeader(bytes, HEADER_BYTES);
  if (first?.kind !== kind) return 0;
  if (second?.kind !== kind) return 1;
  return (kind === kinds.CLOCK ? newerClock : newer)(second, first) ? 0 : 1;
}

/** The clock's time, Unix microseconds; undefined when the bytes hold none. */
export const readClockSlot = (bytes: Buffer): number | undefined =>
  pick(bytes, kinds.CLOCK, newerClock)?.aux;
