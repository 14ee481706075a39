/**
 * "Send me log L from P": what the holder of a log answers. Stateless and idempotent; the same function serves a reader
 * on the same disk (called directly) and one on another host (called by `catchup/zeromq.ts`).
 *
 * Every answer echoes what it was asked (`lastEpoch`, `position`), so that an answer overtaken by events changes nothing.
 * `lastEpoch` is the epoch whose lineage the asker's bytes agree with: bytes that a later epoch took back are named by CUT,
 * however many restarts lie between.
 */
import { linesAtStart, standsUpTo, type Epoch } from '../log/epochs.ts';
import type { Slot } from '../log/head.ts';
import type { Segment } from '../log/segment.ts';

/** Whole lines, of one segment. `ends[i]` is the offset behind line i. */
export type Lines = {
  readonly position: number;
  readonly bytes: Buffer;
  readonly ends: readonly number[];
  readonly segment: Segment;
};

/** What answering needs of a log: `LogReader` is one. */
export type LogView = {
  head(): Slot | undefined;
  epochs(epoch: number): readonly Epoch[];
  /** Oldest position kept, looked up now. */
  oldest(): number;
  read(position: number, limit: number, maxBytes: number): Lines | undefined;
};

export type Ask = {
  /** 0: I hold nothing yet. */
  readonly lastEpoch: number;
  readonly position: number;
  readonly maxBytes: number;
};

export type Answer = {
  /** What was asked. */
  readonly lastEpoch: number;
  readonly asked: number;
  /** The answerer's epoch. */
  readonly epoch: number;
} & (
  | { readonly kind: 'chunk'; readonly lines: Lines }
  | { readonly kind: 'info'; readonly position: number; readonly linesBefore: number }
  | { readonly kind: 'cut'; readonly position: number; readonly linesBefore: number }
  | { readonly kind: 'trimmed'; readonly position: number; readonly linesBefore: number }
  | { readonly kind: 'busy'; readonly retryMs: number }
  | { readonly kind: 'denied' }
);

/** Answers `ask`. `head` is the slot as just read, or undefined while the log does not exist: busy. */
export function answer(log: LogView, ask: Ask, head: Slot | undefined = log.head()): Answer {
  const echo = { lastEpoch: ask.lastEpoch, asked: ask.position };
  if (!head) return { ...echo, epoch: 0, kind: 'busy', retryMs: 100 };
  const { epoch } = head;
  const epochs = ask.lastEpoch < epoch ? log.epochs(epoch) : [];
  const end = standsUpTo(epochs, ask.lastEpoch, head.position);
  if (ask.position > end) {
    const linesBefore = end === head.position ? head.lines : (linesAtStart(epochs, end) ?? 0);
    return { ...echo, epoch, kind: 'cut', position: end, linesBefore };
  }
  const trimmed = (position: number): Answer => ({
    ...echo,
    epoch,
    kind: 'trimmed',
    position,
    linesBefore: 0,
  });
  if (ask.position < head.oldest) return trimmed(head.oldest);
  if (ask.position < head.position) {
    const lines = log.read(ask.position, head.position, ask.maxBytes);
    // Written out: a spread object costs more than reading the bytes did.
    if (lines && lines.segment.epoch <= epoch)
      return { lastEpoch: ask.lastEpoch, asked: ask.position, epoch, kind: 'chunk', lines };
    // Announced, yet not there. The file that held it was made before it was announced, so if none as old is listed
    // now, retention took it since.
    const oldest = lines ? 0 : log.oldest();
    if (oldest > ask.position) return trimmed(Math.min(oldest, head.position));
    // Else its writer is recovering. Or another epoch's by now: the log was cut back after `head` was read. Ask again.
    return { ...echo, epoch, kind: 'busy', retryMs: 20 };
  }
  return { ...echo, epoch, kind: 'info', position: head.position, linesBefore: head.lines };
}
