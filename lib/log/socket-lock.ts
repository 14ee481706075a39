/**
 * One writer a log. The lock is a listening socket that the kernel frees the moment its process is gone, however it
 * went: on Linux an abstract one (no file, cannot be stolen), elsewhere a socket file beside the log. Whoever is refused
 * asks the holder over the same socket who it is.
 */
import { createHash } from 'node:crypto';
import { realpathSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { TickmeshError } from '../world/error.ts';

export type LockHolder = { readonly node: string; readonly pid: number; readonly sinceUs: number };

export type Lock = { release(): Promise<void> };

function lockPath(folder: string): string {
  if (process.platform !== 'linux') return join(folder, 'lock.socket');
  const id = createHash('sha256').update(realpathSync(folder)).digest('hex').slice(0, 32);
  return `\0tickmesh-log-${id}`;
}

const listen = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });

const GONE = 'gone';

/** What the holder says of itself; GONE, or undefined when it does not answer (its event loop is busy). */
const askHolder = (path: string): Promise<string | undefined> =>
  new Promise((resolve) => {
    let text = '';
    const socket = connect(path);
    const timer = setTimeout(() => done(undefined), 500);
    const done = (answer: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    socket.setEncoding('utf8');
    socket.on('data', (part: string) => (text += part));
    socket.on('end', () => done(text === '' ? undefined : text));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      done(error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? GONE : undefined),
    );
  });

/**
 * Takes the lock of a log's folder. Throws LOG_LOCKED, naming the holder; one that does not answer (stopped, busy) is
 * named by `lastHolder`, who opened the log last.
 */
export async function lockLog(
  folder: string,
  holder: LockHolder,
  lastHolder?: () => LockHolder | undefined,
): Promise<Lock> {
  const path = lockPath(folder);
  const about = JSON.stringify(holder);
  const server = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    // Whoever asks gets the answer and is gone: a guest that stays would hold up the closing.
    socket.end(about, () => socket.destroy());
  });
  server.unref();
  for (let attempt = 0; ; attempt++) {
    try {
      await listen(server, path);
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw cause;
      const answer = await askHolder(path);
      if (answer === GONE && attempt < 2) {
        if (process.platform !== 'linux') unlinkSync(path);
        continue;
      }
      throw lockedError(folder, answer, lastHolder, cause);
    }
  }
  return { release: () => new Promise((resolve) => server.close(() => resolve())) };
}

function lockedError(
  folder: string,
  answer: string | undefined,
  lastHolder: (() => LockHolder | undefined) | undefined,
  cause: unknown,
): TickmeshError {
  let holder: LockHolder | undefined;
  let who = 'another process (it does not answer)';
  try {
    holder = JSON.parse(answer ?? '') as LockHolder;
    who = `node "${holder.node}", pid ${holder.pid}`;
  } catch {
    holder = lastHolder?.();
    if (holder) who = `node "${holder.node}", pid ${holder.pid} (it does not answer)`;
  }
  return new TickmeshError('LOG_LOCKED', `${folder} is being written by ${who}`, {
    cause,
    facts: { folder, ...holder },
    remedy: 'stop that process, or give this one another data folder',
  });
}
