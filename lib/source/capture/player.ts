/** Plays recordings: merged by time, passed over where a log has them already, paced, looped, in batches. */
import type { LogName } from '../../log/name.ts';
import { TickmeshError } from '../../world/error.ts';
import { BATCH_BYTES, BATCH_RECORDS } from '../source.ts';
import type { SourceContext, SourceRecord } from '../source.ts';
import { wait as timerWait } from '../timer.ts';
import { merge } from './merge.ts';
import { Pace } from './pace.ts';
import { type Recording, recordsOf } from './reader.ts';
import { Resume } from './resume.ts';
import type { CaptureSettings } from './settings.ts';
import type { Captured } from './sink.ts';

const NOTHING = Buffer.alloc(0);
/** A recording of a single moment is repeated this often. */
const MOMENT_US = 1_000_000;

/** One run through all recordings: what it held, and how far to move the next one. */
class Pass {
  readonly counts = new Map<LogName, number>();
  #firstUs = Infinity;
  #lastUs = -Infinity;
  #records = 0;

  saw(record: Captured): void {
    if (record.timeUs < this.#firstUs) this.#firstUs = record.timeUs;
    if (record.timeUs > this.#lastUs) this.#lastUs = record.timeUs;
    if (record.mark) return;
    this.#records++;
    this.counts.set(record.log, (this.counts.get(record.log) ?? 0) + 1);
  }
  get empty(): boolean {
    return this.#records === 0;
  }
  /** From a pass's first record to the next pass's: the span and one mean distance, so that the pace stays even. */
  get periodUs(): number {
    const spanUs = this.#lastUs - this.#firstUs;
    if (spanUs === 0) return MOMENT_US;
    return spanUs + Math.max(1, Math.round(spanUs / Math.max(1, this.#records - 1)));
  }
}

export async function* play(
  recordings: readonly Recording[],
  of: CaptureSettings,
  logs: readonly LogName[],
  context: SourceContext,
): AsyncGenerator<readonly SourceRecord[]> {
  const { signal, clock } = context;
  const wait = context.wait ?? timerWait;
  const taken = new Set(logs);
  const resume = new Resume(logs, (log) => context.tail(log));
  const factor = of.pace === 'unpaced' ? Infinity : of.pace === 'recorded' ? 1 : of.pace;
  const pace = new Pace(factor);
  const keepTimes = (of.times ?? (pace.paced ? 'now' : 'recorded')) === 'recorded';
  let shiftUs = 0;
  let lastUs = 0;

  /** The record as the fetcher gets it: `timeUs` only where the recorded time is kept. */
  const output = (record: Captured, timeUs: number): SourceRecord => {
    if (keepTimes && shiftUs === 0) return record;
    const { log, payload, eventTimeUs, mark } = record;
    return {
      log,
      payload,
      ...(keepTimes && { timeUs }),
      ...(eventTimeUs !== undefined && { eventTimeUs }),
      ...(mark && { mark }),
    };
  };
  const marks = (mark: 'loop' | 'end'): SourceRecord[] =>
    logs.map((log) => ({ log, payload: NOTHING, mark, ...(keepTimes && { timeUs: lastUs + 1 }) }));

  for (;;) {
    const pass = new Pass();
    for await (const records of merge(recordings.map((one) => recordsOf(one, of)))) {
      let at = 0;
      while (at < records.length) {
        const nowMs = clock.monoMs();
        const batch: SourceRecord[] = [];
        let bytes = 0;
        let dueMs = nowMs;
        for (; at < records.length && batch.length < BATCH_RECORDS && bytes < BATCH_BYTES; at++) {
          const record = records[at]!;
          if (!taken.has(record.log)) {
            if (of.logs) continue;
            throw unforeseen(record.log);
          }
          if (resume.pending && resume.has(record.log, record.mark ? 0 : 1)) {
            pass.saw(record);
            continue;
          }
          const timeUs = record.timeUs + shiftUs;
          dueMs = pace.dueMs(timeUs, nowMs);
          if (dueMs > nowMs) break;
          pass.saw(record);
          batch.push(output(record, timeUs));
          bytes += record.payload.length;
          lastUs = timeUs;
        }
        if (batch.length > 0) yield batch;
        // With nothing left to wait for this is a turn of the event loop: timers and sockets go on meanwhile.
        await wait(batch.length > 0 ? 0 : dueMs - nowMs, signal);
        if (signal.aborted) return;
      }
    }
    if (!of.loop || pass.empty) break;
    shiftUs += pass.periodUs * (1 + resume.passes(pass.counts));
    if (!resume.pending) yield marks('loop');
  }
  yield marks('end');
}

const unforeseen = (log: LogName): TickmeshError =>
  new TickmeshError(
    'SOURCE_INVALID',
    `the recording goes on with a log it did not begin with: ${log}`,
    {
      remedy: 'name all of its logs in the settings: logs: [...]',
      facts: { log },
    },
  );
