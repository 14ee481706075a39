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
import { Viewer } from './view.ts';

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
  const { hub, time } = parts;
  const viewer = new Viewer();
  const turn = turns(viewer, parts);

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
    viewer.open(batch);
    while (turn(batch.live)) {
      await endTurn();
      if (parts.stopped()) return;
    }
    parts.seen(batch);
    await endTurn();
  }
}

/** One turn's records, up to its bounds: false once there are no more. Apart from what awaits, which is never as fast. */
function turns(viewer: Viewer, parts: PumpParts): (live: boolean) => boolean {
  const { venue, hub, metrics, time } = parts;
  const byRecords = time.source === 'records';
  let dueUs = 0;
  return (live) => {
    const startMs = parts.monoMs();
    for (let inTurn = 1; ; inTurn++) {
      const viewed = viewer.next();
      if (viewed === undefined) return false;
      if (byRecords) {
        const { timeUs } = viewed;
        time.advance(timeUs);
        if (timeUs >= dueUs) dueUs = parts.tick();
      }
      try {
        venue.record(viewed, live);
      } catch (error) {
        parts.failed(error);
      }
      metrics.records++;
      if (
        inTurn >= TURN_RECORDS ||
        hub.turnBytes >= TURN_BYTES ||
        (inTurn % CLOCK_EVERY === 0 && parts.monoMs() - startMs >= TURN_MS)
      ) {
        return true;
      }
    }
  };
}
