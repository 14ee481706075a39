/** Receive times of a recorded file, for a schedule with its bursts: of a log of ours, or a plain list of microseconds. */
import { readFileSync } from 'node:fs';
import { lineTimeUs } from '../log/line.ts';
import { TickmeshError } from '../world/error.ts';

const MOST = 1_000_000;

/** Rising times, Unix microseconds. Throws SOURCE_INVALID. */
export function recordedTimes(path: string): Float64Array {
  const times: number[] = [];
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (cause) {
    throw new TickmeshError('SOURCE_INVALID', `cannot read ${path}`, { cause });
  }
  for (let at = 0; at < bytes.length && times.length < MOST;) {
    const feed = bytes.indexOf(10, at);
    const end = feed < 0 ? bytes.length : feed;
    const timeUs =
      bytes[at] === 123 ? lineTimeUs(bytes, at) : Number(bytes.toString('latin1', at, end));
    if (!(timeUs > 0)) {
      throw new TickmeshError('SOURCE_INVALID', `${path}: no time in line ${times.length + 1}`, {
        remedy:
          'give a segment of a log (data/…/*.jsonl), or a file with one time in microseconds a line',
      });
    }
    times.push(timeUs);
    at = end + 1;
  }
  times.sort((a, b) => a - b);
  return Float64Array.from(times);
}
