/**
 * A feed's record as a venue sees it: names split once a log, times parsed when first asked for. One view serves a whole
 * log, from record to record: a venue keeps no record beyond the call.
 */
import type { VenueRecord } from '../exchange/exchange.ts';
import type { FeedRecord } from '../feed/record.ts';
import { EVENT_TIME_AT, PAYLOAD_AT, TIME_AT } from '../log/line.ts';
import { type LogName, type LogParts, logParts } from '../log/name.ts';
import { LineTimes } from './line-times.ts';

class RecordView implements VenueRecord {
  readonly log: LogName;
  readonly exchange: string;
  readonly instrument: string;
  readonly channel: string;
  record: FeedRecord;
  timeUs = 0;
  #bytes: Buffer | undefined;
  readonly #times = new LineTimes();

  constructor({ exchange, instrument, channel }: LogParts, record: FeedRecord) {
    this.log = record.log;
    this.exchange = exchange;
    this.instrument = instrument;
    this.channel = channel;
    this.record = record;
  }

  show(record: FeedRecord): this {
    const { bytes } = record;
    if (bytes !== this.#bytes) {
      this.#bytes = bytes;
      this.#times.of(bytes);
    }
    this.record = record;
    this.timeUs = this.#times.at(record.payloadStart - PAYLOAD_AT + TIME_AT);
    return this;
  }

  get eventTimeUs(): number {
    return this.#times.at(this.record.payloadStart - PAYLOAD_AT + EVENT_TIME_AT);
  }
  get payload(): Buffer {
    return this.record.payload;
  }
  get bytes(): Buffer {
    return this.record.bytes;
  }
  get start(): number {
    return this.record.payloadStart;
  }
  get end(): number {
    return this.record.payloadEnd;
  }
  get mark(): string | undefined {
    return this.record.mark;
  }
}

/** Makes views; remembers each log's parts. */
export function recordViewer(): (record: FeedRecord) => VenueRecord {
  const views = new Map<LogName, RecordView>();
  let last: RecordView | undefined;
  return (record) => {
    // Names are the same string object from record to record: mostly this compares two pointers.
    let view = last?.log === record.log ? last : views.get(record.log);
    if (view === undefined) {
      views.set(record.log, (view = new RecordView(logParts(record.log), record)));
    }
    last = view;
    return view.show(record);
  };
}
