/**
 * What a replica says of a copy: the same notices as its source, of the same epochs. A batch that came with a notice goes
 * on with one; what had to be asked for is asked for here too.
 */
import type { Lines } from '../catchup/answer.ts';
import { lineTimeUs } from '../log/line.ts';
import { kinds, type HeaderFields } from '../mesh/header.ts';
import { INLINE_MAX } from '../notifier/notice.ts';
import type { Announcer } from '../notifier/notifier.ts';
import type { RemoteLog } from './remote-log.ts';

/** A copy, how far it was announced, and the batches since then that came with a notice. */
export type Copied = {
  readonly remote: RemoteLog;
  inline: Lines[];
  epoch: number;
  position: number;
  lines: number;
};

const endOf = ({ remote }: Copied): Omit<HeaderFields, 'kind'> => {
  const { epoch, lines, position } = remote.copy;
  return { epoch, lines, position, aux: remote.completeUs };
};

/** Repeats a copy's end. */
export function announceEnd(kind: 'HEAD' | 'END', copied: Copied, announcer: Announcer): void {
  const { copy, log } = copied.remote;
  if (copy.epoch === 0) return;
  announcer.announce(log, { ...endOf(copied), kind: kinds[kind], tag: copy.oldest });
}

/** Announces what a turn has brought. Returns the bytes. */
export function announceTurn(
  copied: Copied,
  announcer: Announcer | undefined,
  nowMs: number,
): number {
  const { log, copy, completeUs } = copied.remote;
  const grown = copy.position - copied.position;
  const count = copy.lines - copied.lines;
  const { inline } = copied;
  copied.inline = [];
  copied.epoch = copy.epoch;
  copied.position = copy.position;
  copied.lines = copy.lines;
  if (!announcer) return Math.max(0, grown);
  if (grown <= 0 || count <= 0) {
    announceEnd('HEAD', copied, announcer);
    return 0;
  }
  const end = endOf(copied);
  const withData = inline.reduce((sum, { bytes }) => sum + bytes.length, 0) === grown;
  // A listener for data waits for no more than the notice says: of several batches that all follow it, the longest.
  const length = withData ? Math.max(...inline.map(({ bytes }) => bytes.length)) : grown;
  const tag = Math.round(nowMs * 1_000);
  announcer.announce(log, {
    ...end,
    kind: kinds.NOTICE,
    length: withData ? length : Math.max(length, INLINE_MAX + 1),
    count,
    tag,
  });
  if (!withData || !announcer.wantsData(log)) return grown;
  let lines = copy.lines - count;
  const last = inline.at(-1);
  for (const batch of inline) {
    const { position, bytes, ends, segment } = batch;
    const fields = {
      kind: kinds.DATA,
      epoch: copy.epoch,
      lines,
      position,
      count: ends.length,
      recordEpoch: segment.epoch,
      aux: segment.base,
      // Up to there the copy is complete at the end of this batch.
      tag: batch === last ? completeUs : lineTimeUs(bytes, ends.at(-2) ?? 0),
    } as const;
    announcer.sendData(log, fields, bytes);
    lines += ends.length;
  }
  return grown;
}
