/** Turns of records from memory: real lines of a log, again and again, as a feed would hand them out. */
import type { FeedBatch } from '../feed/record.ts';
import { FeedRecord } from '../feed/record.ts';
import { LogReader, lineEnds } from '../log/disk-reader.ts';
import { logName } from '../log/name.ts';
import type { ServerTask } from './publish-message.ts';

const KEPT_BYTES = 1 << 20;

/** `turns` batches of `turn` records each, of the task's first log. */
export function* batchesOf({ data, logs, turn, turns }: ServerTask): Generator<FeedBatch> {
  const log = logName(logs[0]!);
  using reader = new LogReader(data, log);
  const chunk = reader.read(reader.oldest(), reader.head()!.position, KEPT_BYTES);
  if (!chunk) throw new TypeError(`nothing in ${log}`);
  const { bytes, position } = chunk;
  const ends = lineEnds(bytes);
  let next = 0;
  for (let made = 0; made < turns; made++) {
    const records: FeedRecord[] = [];
    for (let i = 0; i < turn; i++) {
      const at = next === 0 ? 0 : ends[next - 1]!;
      records.push(new FeedRecord(log, position + at, bytes, at, ends[next]!));
      next = next + 1 === ends.length ? 0 : next + 1;
    }
    yield { records, live: true, events: [], cursors: () => [] };
  }
}
