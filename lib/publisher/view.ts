/**
 * A feed's records as a venue sees them, one after the other: names split once a log, times parsed when first asked for.
 * One view serves a whole log, from record to record: a venue keeps no record beyond the call. Of a batch that has runs
 * no record is made at all.
 */
import type { VenueRecord } from '../exchange/exchange.ts';
import type { FeedBatch, FeedRecord } from '../feed/record.ts';
import type { Runs } from '../feed/runs.ts';
import { CLOSING, EVENT_TIME_AT, PAYLOAD_AT, TIME_AT, lineMark } from '../log/line.ts';
import { LineTimes } from '../log/line-times.ts';
import { type LogName, type LogParts, logParts } from '../log/name.ts';

const NO_BYTES = Buffer.alloc(0);

class RecordView implements VenueRecord {
  readonly log: LogName;
  readonly exchange: string;
  readonly instrument: string;
  readonly channel: string;
  timeUs = 0;
  bytes: Buffer = NO_BYTES;
  start = 0;
  end = 0;
  readonly #times = new LineTimes();

  constructor(log: LogName, { exchange, instrument, channel }: LogParts) {
    this.log = log;
    this.exchange = exchange;
    this.instrument = instrument;
    this.channel = channel;
  }

  /** Shows the line `[at, end)`. */
  show(bytes: Buffer, at: number, end: number): this {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.#times.of(bytes);
    }
    this.start = at + PAYLOAD_AT;
    this.end = end - CLOSING;
    this.timeUs = this.#times.at(at + TIME_AT);
    return this;
  }

  get eventTimeUs(): number {
    return this.#times.at(this.start + (EVENT_TIME_AT - PAYLOAD_AT));
  }
  get payload(): Buffer {
    return this.bytes.subarray(this.start, this.end);
  }
  get mark(): string | undefined {
    return lineMark(this.bytes, this.start - PAYLOAD_AT, this.end + CLOSING);
  }
}

export class Viewer {
  readonly #views = new Map<LogName, RecordView>();
  #view: RecordView | undefined;
  #runs: Runs | undefined;
  #records: readonly FeedRecord[] = [];
  /** Next run, or next record where there are no runs. */
  #next = 0;
  /** The running run: next line, behind its last, where the next line begins. */
  #line = 0;
  #to = 0;
  #at = 0;
  #ends: readonly number[] = [];
  #bytes: Buffer = NO_BYTES;

  /** Begins with a batch. */
  open(batch: FeedBatch): void {
    this.#runs = batch.runs;
    // Runs make records for who asks: not here.
    this.#records = batch.runs === undefined ? batch.records : [];
    this.#next = this.#line = this.#to = 0;
  }

  /** The next record; undefined at the batch's end. What was returned before is gone. */
  next(): VenueRecord | undefined {
    if (this.#line >= this.#to) {
      if (this.#runs === undefined) return this.#nextRecord();
      if (this.#next >= this.#runs.count) return undefined;
      this.#nextRun(this.#runs);
    }
    const at = this.#at;
    const end = this.#ends[this.#line++]!;
    this.#at = end;
    return this.#view!.show(this.#bytes, at, end);
  }

  #nextRun(runs: Runs): void {
    const run = this.#next++;
    const { log, bytes, ends } = runs.lines(run);
    this.#line = runs.from(run);
    this.#to = runs.to(run);
    this.#at = this.#line === 0 ? 0 : ends[this.#line - 1]!;
    this.#ends = ends;
    this.#bytes = bytes;
    this.#view = this.#of(log);
  }

  #nextRecord(): VenueRecord | undefined {
    const record = this.#records[this.#next++];
    if (record === undefined) return undefined;
    const { log, bytes, payloadStart, payloadEnd } = record;
    return this.#of(log).show(bytes, payloadStart - PAYLOAD_AT, payloadEnd + CLOSING);
  }

  #of(log: LogName): RecordView {
    // Names are the same string object from record to record: mostly this compares two pointers.
    if (this.#view?.log === log) return this.#view;
    let view = this.#views.get(log);
    if (view === undefined) this.#views.set(log, (view = new RecordView(log, logParts(log))));
    return (this.#view = view);
  }
}
