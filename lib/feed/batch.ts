/** Runs as a batch: with an object a record, at once or once somebody asks for them. */
import { type FeedBatch, FeedRecord } from './record.ts';
import type { Runs } from './runs.ts';

/** The records of these runs. They stand for ever if the bytes do. */
export function recordsOf(runs: Runs): FeedRecord[] {
  const records: FeedRecord[] = [];
  for (let run = 0; run < runs.count; run++) {
    const { log, position, bytes, ends } = runs.lines(run);
    const to = runs.to(run);
    let i = runs.from(run);
    let at = i === 0 ? 0 : ends[i - 1]!;
    for (; i < to; i++) {
      const end = ends[i]!;
      records.push(new FeedRecord(log, position + at, bytes, at, end));
      at = end;
    }
  }
  return records;
}

/** A batch of these runs. With `reuse` it has records once they are asked for, and only until the next batch. */
export function batchOf(
  runs: Runs,
  rest: Omit<FeedBatch, 'records' | 'runs'>,
  reuse: boolean,
): FeedBatch {
  if (!reuse) return { records: recordsOf(runs), ...rest };
  let records: readonly FeedRecord[] | undefined;
  return {
    get records() {
      return (records ??= recordsOf(runs));
    },
    runs,
    ...rest,
  };
}
