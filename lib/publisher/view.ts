/** A feed's record as a venue sees it: names split once a log, times parsed only when asked for. */
import type { VenueRecord } from '../exchange/exchange.ts';
import type { FeedRecord } from '../feed/record.ts';
import { type LogName, type LogParts, logParts } from '../log/name.ts';

class RecordView implements VenueRecord {
  readonly exchange: string;
  readonly instrument: string;
  readonly channel: string;
  readonly #record: FeedRecord;

  constructor({ exchange, instrument, channel }: LogParts, record: FeedRecord) {
    this.exchange = exchange;
    this.instrument = instrument;
    this.channel = channel;
    this.#record = record;
  }

  get timeUs(): number {
    return this.#record.timeUs;
  }
  get eventTimeUs(): number {
    return this.#record.eventTimeUs;
  }
  get payload(): Buffer {
    return this.#record.payload;
  }
  get mark(): string | undefined {
    return this.#record.mark;
  }
}

/** Makes views; remembers each log's parts. */
export function recordViewer(): (record: FeedRecord) => VenueRecord {
  const parts = new Map<LogName, LogParts>();
  return (record) => {
    let known = parts.get(record.log);
    if (known === undefined) parts.set(record.log, (known = logParts(record.log)));
    return new RecordView(known, record);
  };
}
