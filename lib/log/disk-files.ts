/** The few file operations that logs are made of: whole writes, whole reads, durable ones. All synchronous (page cache). */
import {
  close,
  closeSync,
  constants,
  fdatasync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  readdirSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { TickmeshError } from '../world/error.ts';
import type { Files, OpenFlags } from './files.ts';
import { bySegment, parseSegment, type Segment } from './segment.ts';

const { O_RDONLY, O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants;

/** A log's files are never reached through a link that somebody planted. */
export const flags: OpenFlags = {
  read: O_RDONLY | O_NOFOLLOW,
  readWrite: O_RDWR | O_NOFOLLOW,
  create: O_RDWR | O_CREAT | O_NOFOLLOW,
  createNew: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW,
};

export const realFiles: Files = {
  open: (path, how) => openSync(path, how, 0o644),
  close: closeSync,
  read: readSync,
  write: writeSync,
  size: (fd) => fstatSync(fd).size,
  truncate: ftruncateSync,
  sync: fdatasyncSync,
  syncFolder(folder) {
    const fd = openSync(folder, O_RDONLY);
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  // Not mkdirSync's `recursive`: where a parent exists and yet nothing can be made in it (/proc), it never returns.
  makeFolder(folder) {
    for (let parentMade = false; ; parentMade = true) {
      try {
        mkdirSync(folder);
        return;
      } catch (error) {
        const code = errnoOf(error);
        if (code === 'EEXIST' && statSync(folder).isDirectory()) return;
        if (code !== 'ENOENT' || parentMade || dirname(folder) === folder) throw error;
      }
      realFiles.makeFolder(dirname(folder));
    }
  },
  list: (folder) => readdirSync(folder),
  remove: unlinkSync,
  rename: renameSync,
  syncAndClose(fd) {
    // Off the writer's path: 64 MiB of dirty pages take a disk a while. An error here shows at the next write or sync.
    fdatasync(fd, () => close(fd, () => undefined));
  },
};

export const errnoOf = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code;

/** Writes all of `bytes` at `at`. A full disk shows as a short write without an error: go on until the error comes. */
export function writeAll(
  files: Files,
  fd: number,
  bytes: Buffer,
  length: number,
  at: number,
): void {
  let done = 0;
  while (done < length) {
    const wrote = files.write(fd, bytes, done, length - done, at + done);
    if (wrote === 0) throw Object.assign(new Error('no byte was written'), { code: 'ENOSPC' });
    done += wrote;
  }
}

/** Reads up to `length` bytes at `at`; fewer at the end of the file. */
export function readUpTo(
  files: Files,
  fd: number,
  into: Buffer,
  length: number,
  at: number,
): number {
  let done = 0;
  while (done < length) {
    const got = files.read(fd, into, done, length - done, at + done);
    if (got === 0) break;
    done += got;
  }
  return done;
}

/** Creates a folder and its parents. Throws LOG_UNWRITABLE with what to do. */
export function makeFolder(files: Files, folder: string): void {
  try {
    files.makeFolder(folder);
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
export function listSegments(files: Files, folder: string): Segment[] {
  let names: readonly string[];
  try {
    names = files.list(folder);
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
export function readText(files: Files, path: string): string {
  let fd: number;
  try {
    fd = files.open(path, flags.read);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return '';
    throw error;
  }
  try {
    const bytes = Buffer.alloc(files.size(fd));
    return bytes.toString('utf8', 0, readUpTo(files, fd, bytes, bytes.length, 0));
  } finally {
    files.close(fd);
  }
}

/** Appends to a file, made if missing, and makes bytes and entry durable. */
export function appendDurably(files: Files, folder: string, name: string, bytes: Buffer): void {
  const fd = files.open(join(folder, name), flags.create);
  try {
    writeAll(files, fd, bytes, bytes.length, files.size(fd));
    files.sync(fd);
  } finally {
    files.close(fd);
  }
  files.syncFolder(folder);
}

/** Appends a line durably, behind the last whole one: what a crash left of a line must not join with the next. */
export function appendLineDurably(files: Files, folder: string, name: string, line: string): void {
  const path = join(folder, name);
  const text = readText(files, path);
  const whole = text.lastIndexOf('\n') + 1;
  if (whole < text.length) {
    const fd = files.open(path, flags.readWrite);
    try {
      cutFile(files, fd, Buffer.byteLength(text.slice(0, whole)));
    } finally {
      files.close(fd);
    }
  }
  appendDurably(files, folder, name, Buffer.from(line));
}

/** Cuts a file to `size` and makes that durable. */
export function cutFile(files: Files, fd: number, size: number): void {
  files.truncate(fd, size);
  files.sync(fd);
}
