/** Logs to replay: a capture of any length on disk, made once and found again by its size. */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { exchanges } from '../exchange/registry.ts';
import { Fetcher } from '../fetcher/fetcher.ts';
import type { LogName } from '../log/name.ts';
import { source as capture } from '../source/capture/capture.ts';
import { BATCH_RECORDS, type Source, type SourceRecord } from '../source/source.ts';
import { realClock } from '../world/clock.ts';
import { lengthen } from './long-capture.ts';

export type ReplayLogs = {
  readonly data: string;
  readonly logs: readonly LogName[];
  readonly records: number;
};

/** All records of a capture file, without pauses. */
async function recordsOf(path: string): Promise<{ source: Source; records: SourceRecord[] }> {
  const source = await capture.make({ file: resolve(path), pace: 'unpaced' });
  const records: SourceRecord[] = [];
  const { signal } = new AbortController();
  for await (const batch of source.open({ signal, clock: realClock, tail: () => undefined })) {
    records.push(...batch);
  }
  return { source, records };
}

/**
 * Writes `count` records of the capture at `path` into logs below `folder`, or finds them there.
 * Throws what the capture source throws where the file is none.
 * @public
 */
export async function replayLogs(path: string, count: number, folder: string): Promise<ReplayLogs> {
  const data = join(folder, `replay-${count}`);
  const made = join(data, 'made.json');
  if (existsSync(made)) return JSON.parse(readFileSync(made, 'utf8')) as ReplayLogs;
  rmSync(data, { recursive: true, force: true });
  const { source, records } = await recordsOf(path);
  mkdirSync(data, { recursive: true });
  await using fetcher = await Fetcher.open({
    node: 'bench',
    data,
    clock: realClock,
    eventTimeUs: (exchange, channel, payload) => exchanges[exchange]?.eventTimeUs(channel, payload),
    source: {
      logs: source.logs,
      async *open() {
        let batch: SourceRecord[] = [];
        for (const record of lengthen(records, count)) {
          batch.push(record);
          if (batch.length < BATCH_RECORDS) continue;
          yield batch;
          batch = [];
        }
        yield batch;
      },
    },
  });
  await fetcher.run(new AbortController().signal);
  const logs: ReplayLogs = { data, logs: source.logs, records: fetcher.stats.records };
  writeFileSync(`${made}.new`, JSON.stringify(logs));
  renameSync(`${made}.new`, made);
  return logs;
}
