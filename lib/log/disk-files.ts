/** The few file operations that logs are made of: whole writes, whole reads, durable ones. All synchronous (page cache). */
import {
  closeSync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { TickmeshError } from '../world/error.ts';
import { bySegment, parseSegment, type Segment } from './segment.ts';

export const errnoOf = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code;

/** Writes all of `bytes` at `at`. A full disk shows as a short write without an error: go on until the error comes. */
export function writeAll(fd: number, bytes: Buffer, length: number, at: number): void {
  let done = 0;
  while (done < length) {
    const wrote = writeSync(fd, bytes, done, length - done, at + done);
    if (wrote === 0) throw Object.assign(new Error('no byte was written'), { code: 'ENOSPC' });
    done += wrote;
  }
}

/** Reads up to `length` bytes at `at`; fewer at the end of the file. */
export function readUpTo(fd: number, into: Buffer, length: number, at: number): number {
  let done = 0;
  while (done < length) {
    const got = readSync(fd, into, done, length - done, at + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** Makes the folder's entries (new, renamed files) durable. */
export function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Creates a folder and its parents. Throws LOG_UNWRITABLE with what to do. */
export function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true });
  } catch (cause) {
    throw unwritable(folder, cause);
  }
}

export const unwritable = (path: string, cause: unknown): TickmeshError =>
  new TickmeshError('LOG_UNWRITABLE', `cannot write ${path}: ${errnoOf(cause) ?? String(cause)}`, {
    cause,
    facts: { path },
    remedy: 'give another data folder, or the right to write there',
  });

/** Segments of a log's folder, oldest first. Empty when there is no folder. */
export function listSegments(folder: string): Segment[] {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
  const segments: Segment[] = [];
  for (const name of names) {
    const segment = parseSegment(name);
    if (segment) segments.push(segment);
  }
  return segments.sort(bySegment);
}

/** A file's text; "" when there is none. */
export function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
}

/** Appends one line durably: data and folder are synced before it returns. */
export function appendDurably(folder: string, name: string, line: string): void {
  const fd = openSync(join(folder, name), 'a+');
  try {
    writeSync(fd, line);
    fdatasyncSync(fd);
  } finally {
    closeSync(fd);
  }
  syncFolder(folder);
}

/** Cuts a file to `size` and makes that durable. */
export function cutFile(fd: number, size: number): void {
  ftruncateSync(fd, size);
  fdatasyncSync(fd);
}
