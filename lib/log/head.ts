/**
 * The head file of a log: how far it is announced. Two 64-byte slots (`mesh/header.ts`, kind SLOT), written in turn,
 * so that a torn write always leaves the older one whole. No reader ever reads past it, whatever woke it.
 * The clock file of a fetcher has the same form (kind CLOCK): up to which receive time all its logs are announced;
 * a reader that first reads the clock and then the heads has everything up to that time in hand.
 */
import { HEADER_BYTES, kinds, readHeader, type Header } from '../mesh/header.ts';

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

const newer = (a: Header, b: Header): boolean =>
  a.epoch !== b.epoch
    ? a.epoch > b.epoch
    : a.position !== b.position
      ? a.position > b.position
      : a.tag >= b.tag;

const newerClock = (a: Header, b: Header): boolean => a.aux >= b.aux;

function pick(bytes: Buffer, kind: number, isNewer: typeof newer): Header | undefined {
  const first = readHeader(bytes, 0);
  const second = readHeader(bytes, HEADER_BYTES);
  const a = first?.kind === kind ? first : undefined;
  const b = second?.kind === kind ? second : undefined;
  if (!a || !b) return a ?? b;
  return isNewer(b, a) ? b : a;
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
