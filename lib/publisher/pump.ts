/**
 * Feed -> venue, in turns: records one by one, then one flush. A turn is short (records, bytes, time), and sockets get
 * theirs in between, so that clients are answered while a long history is read in. Under `wait` the next turn begins
 * when the slowest client has room.
 */
import type { Venue } from '../exchange/exchange.ts';
import type { FeedBatch } from '../feed/record.ts';
import type { Hub } from './hub.ts';
import type { MarketTime } from './market-time.ts';
import type { PublisherMetrics } from './metrics.ts';
import { recordViewer } from './view.ts';

const TURN_RECORDS = 512;
const TURN_BYTES = 256 * 1024;
const TURN_MS = 8;
/** The clock is looked at once in so many records. */
const CLOCK_EVERY = 16;

export type PumpParts = {
  readonly venue: Venue;
  readonly hub: Hub;
  readonly metrics: PublisherMetrics;
  readonly time: MarketTime;
  /** Calls the venue's `tick` if it is due; says when it is due again, Unix microseconds of the market's time. */
  readonly tick: () => number;
  readonly monoMs: () => number;
  readonly letOthersRun: () => Promise<void>;
  /** Until some client's socket has drained, or a little while. */
  readonly room: () => Promise<void>;
  /** A batch came: what it says of the feed's state. */
  readonly seen: (batch: FeedBatch) => void;
  readonly failed: (error: unknown) => void;
  readonly stopped: () => boolean;
};

/** Takes all of a feed. Resolves at its end or once stopped; rejects where the feed fails. */
export async function pump(feed: AsyncIterator<FeedBatch>, parts: PumpParts): Promise<void> {
  const { venue, hub, metrics, time } = parts;
  const view = recordViewer();
  const byRecords = time.source === 'records';
  let dueUs = 0;

  const endTurn = async (): Promise<void> => {
    hub.flush();
    await parts.letOthersRun();
    while (!parts.stopped() && hub.behind(parts.monoMs())) await parts.room();
  };

  while (!parts.stopped()) {
    time.idle(true);
    const next = await feed.next();
    time.idle(false);
    if (next.done === true || parts.stopped()) return;
    const batch = next.value;
    const { live } = batch;
    let inTurn = 0;
    let startMs = parts.monoMs();
    const { records } = batch;
    // Not for-of: in a function that awaits, each step of an iterator is a call.
    for (let i = 0; i < records.length; i++) {
      const viewed = view(records[i]!);
      if (byRecords) {
        time.advance(viewed.timeUs);
        if (viewed.timeUs >= dueUs) dueUs = parts.tick();
      }
      try {
        venue.record(viewed, live);
      } catch (error) {
        parts.failed(error);
      }
      metrics.records++;
      inTurn++;
      if (
        inTurn >= TURN_RECORDS ||
        hub.turnBytes >= TURN_BYTES ||
        (inTurn % CLOCK_EVERY === 0 && parts.monoMs() - startMs >= TURN_MS)
      ) {
        await endTurn();
        if (parts.stopped()) return;
        inTurn = 0;
        startMs = parts.monoMs();
      }
    }
    parts.seen(batch);
    await endTurn();
  }
}
