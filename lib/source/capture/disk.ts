/** Recorded files on disk: what a path stands for, and its bytes, gzip or plain, in chunks. */
import { createReadStream, openSync, readSync, closeSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream';
import { constants, createGunzip, gunzipSync } from 'node:zlib';
import { LogReader } from '../../log/disk-reader.ts';
import { listSegments, realFiles } from '../../log/disk-files.ts';
import { segmentName } from '../../log/segment.ts';
import { logOfPath } from './own-log.ts';
import { invalid } from './sink.ts';

const CHUNK = 256 << 10;
const HEAD = 4096;
const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b;
const message = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** A part of a recording: `bytes` at most of a file. Parts of one stream follow each other. */
export type Part = { readonly path: string; readonly bytes: number };

const unreadable = (path: string, cause: unknown): Error =>
  invalid(
    path,
    0,
    `cannot be read: ${message(cause)}`,
    'check the path (`file:`) and its rights',
    cause,
  );

const packedBadly = (path: string, cause: unknown): Error =>
  invalid(path, 0, `cannot be unpacked: ${message(cause)}`, 'check the file with: gzip -t', cause);

/** The first bytes, unpacked. Throws SOURCE_INVALID. */
export function headOf(path: string): Buffer {
  const head = firstBytes(path, HEAD);
  if (!isGzip(head)) return head;
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, HEAD);
  } catch (cause) {
    throw packedBadly(path, cause);
  }
}

function firstBytes(path: string, count: number): Buffer {
  let fd: number | undefined;
  try {
    fd = openSync(path, 'r');
    const bytes = Buffer.alloc(count);
    return bytes.subarray(0, readSync(fd, bytes, 0, count, 0));
  } catch (cause) {
    throw unreadable(path, cause);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
}

/** The unpacked bytes of a part. Throws SOURCE_INVALID. */
export async function* chunksOf({ path, bytes }: Part): AsyncGenerator<Buffer> {
  const file = createReadStream(path, {
    highWaterMark: CHUNK,
    ...(bytes < Infinity && { end: bytes - 1 }),
  });
  const gzip = isGzip(firstBytes(path, 2));
  const stream = gzip ? createGunzip({ chunkSize: CHUNK }) : file;
  // What fails in the file reaches the unpacker too: it is thrown where this is read.
  if (stream !== file) pipeline(file, stream as ReturnType<typeof createGunzip>, () => {});
  try {
    for await (const chunk of stream) yield chunk as Buffer;
  } catch (cause) {
    throw gzip ? packedBadly(path, cause) : unreadable(path, cause);
  }
}

/** Folders below `path`, itself included, that hold segments. */
function logFolders(path: string, into: string[]): string[] {
  if (listSegments(realFiles, path).length > 0) into.push(path);
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) logFolders(join(path, entry.name), into);
  }
  return into;
}

/** Segments of a log's folder; each ends where the next begins, the last at what its head announces. */
function segmentsOf(folder: string): Part[] {
  const segments = listSegments(realFiles, folder);
  const log = logOfPath(join(folder, 'x'));
  let end = Infinity;
  if (log) {
    using reader = new LogReader(dirname(dirname(dirname(folder))), log);
    end = reader.head()?.position ?? Infinity;
  }
  return segments
    .map((segment, i) => ({
      path: join(folder, segmentName(segment)),
      bytes: Math.min(end, segments[i + 1]?.base ?? Infinity) - segment.base,
    }))
    .filter((part) => part.bytes > 0);
}

/** The streams that `path` stands for: a file is one, a data folder one a log. Throws SOURCE_INVALID. */
export function streamsOf(path: string): Part[][] {
  let folder: boolean;
  try {
    folder = statSync(path).isDirectory();
  } catch (cause) {
    throw unreadable(path, cause);
  }
  if (!folder) return [[{ path, bytes: Infinity }]];
  const folders = logFolders(path, []).sort();
  if (folders.length === 0) {
    throw invalid(
      path,
      0,
      'a folder without logs',
      'give a data folder of ours, or a recorded file',
    );
  }
  return folders.map(segmentsOf).filter((parts) => parts.length > 0);
}

/** A file's name without folders and ".gz". */
export const nameOf = (path: string): string => basename(path).replace(/\.gz$/i, '');
