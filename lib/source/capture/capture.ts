/**
 * The capture source: recorded market data played back, as recorded, faster, or as fast as it is taken. The payloads
 * are the recorded bytes.
 */
import { resolve } from 'node:path';
import { type LogName, logName } from '../../log/name.ts';
import type { Source, SourceFactory } from '../source.ts';
import { streamsOf } from './disk.ts';
import { layouts } from './layout.ts';
import { logOfPath } from './own-log.ts';
import { play } from './player.ts';
import { type Recording, recordingOf, recordsOf } from './reader.ts';
import { type CaptureSettings, settings } from './settings.ts';
import { invalid } from './sink.ts';

/** So many bytes of payload are looked through beforehand for the logs that a recording fills. */
const SCAN = 64 << 20;

export const source: SourceFactory = {
  settings,
  async make(raw: unknown, dir = '.'): Promise<Source> {
    const of = settings.parse(raw);
    const files = typeof of.file === 'string' ? [of.file] : of.file;
    const recordings = files
      .flatMap((file) => streamsOf(resolve(dir, file)))
      .map((parts) => recordingOf(parts, of));
    const logs = new Set<LogName>(of.logs?.map(logName));
    if (!of.logs) for (const recording of recordings) await findLogs(recording, of, logs);
    return { logs: [...logs], open: (context) => play(recordings, of, [...logs], context) };
  },
};

/** Adds the logs that a recording fills, in the order of their first records. Throws SOURCE_INVALID. */
async function findLogs(
  recording: Recording,
  of: CaptureSettings,
  into: Set<LogName>,
): Promise<void> {
  const { path } = recording.parts[0]!;
  const own = recording.layout === layouts.log ? logOfPath(path) : undefined;
  if (own) {
    into.add(own);
    return;
  }
  let bytes = 0;
  try {
    for await (const records of recordsOf(recording, of)) {
      for (const { log, payload } of records) {
        into.add(log);
        bytes += payload.length;
      }
      if (bytes > SCAN || (bytes > 0 && recording.layout.single)) return;
    }
  } catch (error) {
    // A fault further on comes up again when it is reached; before it there is something to play.
    if (bytes === 0) throw error;
  }
  if (bytes > 0) return;
  const remedy = 'give a file with trades, quotes, books or candles';
  throw invalid(path, 0, 'holds no market data', remedy);
}
