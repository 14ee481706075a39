/** What stands in a log's files, read without a line of lib/: bytes by position, and what is said of its writers. */
import { appendFileSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

type Segment = { readonly path: string; readonly base: number };

function segmentsOf(folder: string): Segment[] {
  return readdirSync(folder)
    .filter((name) => /^\d{20}-\d{10}\.jsonl$/.test(name))
    .sort()
    .map((name) => ({ path: join(folder, name), base: Number(name.slice(0, 20)) }));
}

/** Bytes of a log from its birth up to `end`. Of two segments with one base the later one counts. */
export function bytesOf(data: string, log: string, end: number): Buffer {
  const segments = segmentsOf(join(data, log));
  return Buffer.concat(
    segments.map(({ path, base }, at) => {
      const next = Math.min(segments[at + 1]?.base ?? end, end);
      return readFileSync(path).subarray(0, Math.max(0, next - base));
    }),
  );
}

/** Payloads of a log's records, in order; marks left out. */
export const payloadsOf = (data: string, log: string): string[] =>
  bytesOf(data, log, Infinity)
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => line.slice(50, -1))
    .filter((text) => !text.startsWith('null,"mark":'));

/** Epochs of a log's writers, in the order in which they opened it. */
export const epochsOf = (data: string, log: string): number[] =>
  readFileSync(join(data, log, 'epochs.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { epoch: number }).epoch);

/** What recovery has cut off and kept aside. */
export const tornOf = (data: string, log: string): string[] =>
  readdirSync(join(data, log))
    .filter((name) => name.endsWith('.torn'))
    .map((name) => readFileSync(join(data, log, name), 'utf8'));

/** Leaves half a line at the end of a log, as a writer does that dies in the middle of a write. */
export function tear(data: string, log: string, half: string): void {
  appendFileSync(segmentsOf(join(data, log)).at(-1)!.path, half);
}
