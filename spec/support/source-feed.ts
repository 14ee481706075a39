/** A source played straight into a feed, without logs: records stamped as a fetcher stamps them. */
import { exchanges } from '../../lib/exchange/registry.ts';
import { type FeedBatch, FeedRecord } from '../../lib/feed/record.ts';
import { ENVELOPE, writeLine } from '../../lib/log/line.ts';
import { logParts } from '../../lib/log/name.ts';
import type { Source } from '../../lib/source/source.ts';
import { realClock } from '../../lib/world/clock.ts';

/** Live batches until the signal aborts; `seen` gets each record on its way. */
export async function* sourceFeed(
  source: Source,
  signal: AbortSignal,
  seen: (record: FeedRecord) => void = () => {},
): AsyncGenerator<FeedBatch> {
  let lastUs = 0;
  for await (const batch of source.open({ signal, clock: realClock, tail: () => undefined })) {
    const records = batch.map(({ log, payload, timeUs, eventTimeUs }) => {
      lastUs = Math.max(lastUs + 1, timeUs ?? realClock.wallUs());
      const { exchange, channel } = logParts(log);
      const ofEvent = eventTimeUs ?? exchanges[exchange]?.eventTimeUs(channel, payload) ?? lastUs;
      const line = Buffer.alloc(payload.length + ENVELOPE);
      writeLine(line, 0, lastUs, ofEvent, payload);
      return new FeedRecord(log, 0, line, 0, line.length);
    });
    for (const record of records) seen(record);
    yield { records, live: true, events: [], cursors: () => [] };
  }
}
