/**
 * One turn of a fetcher, in the only order that is safe: bytes of all logs, then their heads, then the clock, then the
 * notices. A reader that hears a notice finds everything it names; one that reads the clock finds all up to it.
 */
import { kinds } from '../mesh/header.ts';
import type { ClockWriter } from '../log/disk-clock.ts';
import type { LogWriter, Written } from '../log/disk-writer.ts';
import { INLINE_MAX } from '../notifier/notice.ts';
import type { Announcer } from '../notifier/notifier.ts';

/** A batch that was written at an earlier try: what it was is forgotten, that it is there can still be said. */
const rest: Written = { length: 0, count: 0 };

type Batch = { readonly writer: LogWriter; readonly written: Written; announced: boolean };

export type FlushTo = {
  readonly clock: ClockWriter;
  readonly announcer: Announcer | undefined;
  /** Time of the last stamp given out, Unix microseconds. */
  readonly clockUs: () => number;
  readonly monoUs: () => number;
};

/**
 * Writes and announces all that is staged in `writers`. A log whose disk refuses keeps its batch staged and is not
 * announced; the others are, and the error is thrown at the end.
 */
export function flush(writers: Iterable<LogWriter>, to: FlushTo): LogWriter[] {
  const batches: Batch[] = [];
  let refused: unknown;
  for (const writer of writers) {
    try {
      // Nothing staged, and yet not announced: the head was refused before.
      const written = writer.write() ?? (writer.announced < writer.position ? rest : undefined);
      if (written) batches.push({ writer, written, announced: false });
    } catch (error) {
      refused ??= error;
    }
  }
  for (const batch of batches) {
    try {
      batch.writer.announce();
      batch.announced = true;
    } catch (error) {
      refused ??= error;
    }
  }
  // A clock that covered what a stalled log has not written would let readers pass it by.
  if (refused === undefined) {
    try {
      to.clock.write(to.clockUs());
    } catch (error) {
      refused = error;
    }
  }
  const done = refused === undefined ? batches : batches.filter(({ announced }) => announced);
  if (to.announcer) {
    const tag = to.monoUs();
    for (const batch of done) tell(batch, to.announcer, to.clock.timeUs, tag);
  }
  if (refused !== undefined) throw refused;
  return done.map(({ writer }) => writer);
}

function tell({ writer, written }: Batch, to: Announcer, clockUs: number, tag: number): void {
  const { log, epoch, lines, position } = writer;
  const { length, count } = written;
  to.announce(log, {
    kind: kinds.NOTICE,
    epoch,
    lines,
    position,
    length,
    count,
    aux: clockUs,
    tag,
  });
  if (length === 0 || length > INLINE_MAX || !to.wantsData(log)) return;
  to.sendData(
    log,
    {
      kind: kinds.DATA,
      epoch,
      lines: lines - count,
      position: position - length,
      count,
      recordEpoch: epoch,
      aux: writer.segmentBase,
      tag: clockUs,
    },
    writer.lastBytes(written),
  );
}
