/** Logs on a scratch disk: made, filled, damaged and read back, for the specs of log, feed and fetcher. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogWriter, type LogWriterOptions } from '../../lib/log/disk-writer.ts';
import { LogReader } from '../../lib/log/disk-reader.ts';
import { realFiles } from '../../lib/log/disk-files.ts';
import type { Files } from '../../lib/log/files.ts';
import { logName, type LogName } from '../../lib/log/name.ts';
import { realClock } from '../../lib/world/clock.ts';

/** True when the long counts are wanted (`TICKMESH_LONG=1`, as CI sets it). */
export const long = process.env['TICKMESH_LONG'] === '1';

export const trades = logName('test/BTC-USD/trade');
export const START_US = 1_723_161_255_000_000;

type Cleaner = { teardown(fn: () => void | Promise<void>): void };

/** A data folder that is gone when the test is over. */
export function scratch(t: Cleaner): string {
  const folder = mkdtempSync(join(tmpdir(), 'tickmesh-spec-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export const openLog = (
  data: string,
  options: Partial<LogWriterOptions> = {},
): Promise<LogWriter> =>
  LogWriter.open({ data, log: trades, node: 'spec', clock: realClock, ...options });

/** Payload number `i`: JSON, of a length that differs from its neighbours'. */
export const payloadOf = (i: number, length = 8 + ((i * 7) % 90)): string =>
  JSON.stringify({ i, x: 'x'.repeat(length) });

/** Appends payloads `[from, to)` as one batch, announced. Times are START_US + 10 i. */
export function append(writer: LogWriter, from: number, to: number, length?: number): void {
  for (let i = from; i < to; i++) {
    writer.stage(START_US + 10 * i, START_US + 10 * i, Buffer.from(payloadOf(i, length)));
  }
  writer.write();
  writer.announce();
}

export const folderOf = (data: string, log: LogName = trades): string => join(data, log);

export const segmentFiles = (data: string, log: LogName = trades): string[] =>
  readdirSync(folderOf(data, log))
    .filter((name) => name.endsWith('.jsonl') && name !== 'epochs.jsonl')
    .sort();

/** All segments' bytes, one after the other. */
export const logBytes = (data: string, log: LogName = trades): Buffer =>
  Buffer.concat(
    segmentFiles(data, log).map((name) => readFileSync(join(folderOf(data, log), name))),
  );

export const sha256 = (bytes: Buffer | string): string =>
  createHash('sha256').update(bytes).digest('hex');

/** Everything up to the announced end, in order, as a reader gets it. */
export function readAll(data: string, log: LogName = trades, maxBytes = 64 << 10): Buffer {
  using reader = new LogReader(data, log);
  const head = reader.head();
  const parts: Buffer[] = [];
  let position = head?.oldest ?? 0;
  while (head && position < head.position) {
    const chunk = reader.read(position, head.position, maxBytes);
    if (!chunk) throw new Error(`nothing at ${position} of ${head.position}`);
    parts.push(chunk.bytes);
    position += chunk.bytes.length;
  }
  return Buffer.concat(parts);
}

/** A real disk on which one call at a time can be made to fail. */
export type FaultyFiles = Files & {
  /** Consulted before each call; throw to refuse. For `write` it may return fewer bytes to write. */
  before: (call: keyof Files, path: string, length: number) => number | void;
};

export function faultyFiles(): FaultyFiles {
  const paths = new Map<number, string>();
  const at = (fd: number): string => paths.get(fd) ?? '?';
  const faulty: FaultyFiles = {
    before: () => undefined,
    open(path, flags) {
      faulty.before('open', path, 0);
      const fd = realFiles.open(path, flags);
      paths.set(fd, path);
      return fd;
    },
    close(fd) {
      paths.delete(fd);
      realFiles.close(fd);
    },
    read: (fd, into, offset, length, position) => {
      faulty.before('read', at(fd), length);
      return realFiles.read(fd, into, offset, length, position);
    },
    write(fd, bytes, offset, length, position) {
      const some = faulty.before('write', at(fd), length) ?? length;
      return realFiles.write(fd, bytes, offset, some, position);
    },
    size: (fd) => realFiles.size(fd),
    truncate(fd, size) {
      faulty.before('truncate', at(fd), size);
      realFiles.truncate(fd, size);
    },
    sync(fd) {
      faulty.before('sync', at(fd), 0);
      realFiles.sync(fd);
    },
    syncFolder(folder) {
      faulty.before('syncFolder', folder, 0);
      realFiles.syncFolder(folder);
    },
    makeFolder(folder) {
      faulty.before('makeFolder', folder, 0);
      realFiles.makeFolder(folder);
    },
    list: (folder) => realFiles.list(folder),
    rename(from, to) {
      faulty.before('rename', from, 0);
      realFiles.rename(from, to);
    },
    syncAndClose(fd) {
      paths.delete(fd);
      realFiles.syncAndClose(fd);
    },
    remove(path) {
      faulty.before('remove', path, 0);
      realFiles.remove(path);
    },
  };
  return faulty;
}

export const errno = (code: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${code}: made to fail`), { code });

/** A lock that is always free, for specs that open hundreds of logs. */
export const noLock = (): Promise<{ release(): Promise<void> }> =>
  Promise.resolve({ release: () => Promise.resolve() });
