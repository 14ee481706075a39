/**
 * Catching up over sockets: one process holds a log, the other copies it to a disk of its own. Ours is a replica, whole:
 * requests, checked chunks, byte-identical segments. The peer is PUSH/PULL as fast as it goes, written to one file.
 */
import { createWriteStream, openSync, readSync, closeSync, fstatSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { Pull, Push } from 'zeromq';
import { CatchupServer } from '../../catchup/zeromq-server.ts';
import { ClockReader } from '../../log/disk-clock.ts';
import { LogReader } from '../../log/disk-reader.ts';
import { bindSocket, feedSocket } from '../../mesh/zeromq.ts';
import { Replica } from '../../replica/replica.ts';
import { realClock } from '../../world/clock.ts';
import { replayLogNames } from '../replay/logs-disk.ts';
import type { Task } from '../task/task.ts';
import { measureUsage, type Usage } from '../usage-process.ts';

export type CatchupOptions = {
  /** Folder of the log that is held, and of the copy. */
  readonly from: string;
  readonly to: string;
  /** Where sockets are. */
  readonly folder: string;
  readonly bytes: number;
};
export type CaughtUp = { readonly bytes: number; readonly usage: Usage };

const [log] = replayLogNames(1);
const READER = 'bench-reader';
const CHUNK = 256 << 10;
const LOOK_MS = 2;

const requests = ({ folder }: CatchupOptions): string => `ipc://${folder}/requests.ipc`;
const inbox = ({ folder }: CatchupOptions): string => `ipc://${folder}/inbox.ipc`;
const feed = ({ folder }: CatchupOptions): string => `ipc://${folder}/nobody.ipc`;

export const serveLog: Task<CatchupOptions, CaughtUp> = async (options, context) => {
  // Nothing is announced, but the copy listens: a listener that finds nobody tries again a thousand times a second.
  const feeds = feedSocket();
  await bindSocket(feeds, feed(options));
  const clock = new ClockReader(options.from, 'bench');
  await using server = await CatchupServer.bind({
    endpoint: requests(options),
    readers: { [READER]: inbox(options) },
    data: options.from,
    logs: [log!],
    clockUs: () => clock.read(),
    nowMs: () => realClock.monoMs(),
  });
  await context.ready();
  const stop = measureUsage();
  await context.stopped;
  feeds.close();
  return { bytes: server.stats.bytes, usage: stop() };
};

export const copyLog: Task<CatchupOptions, CaughtUp> = async (options, context) => {
  await context.ready();
  const stop = measureUsage();
  await using _replica = await Replica.open({
    node: READER,
    data: options.to,
    logs: [log!],
    from: { feed: feed(options), catchup: requests(options) },
    inbox: inbox(options),
    clock: realClock,
  });
  using copy = new LogReader(options.to, log!);
  const bytes = await reached(() => copy.head()?.position ?? 0, options.bytes);
  return { bytes, usage: stop() };
};

/** Looks again and again until the figure is reached. */
function reached(look: () => number, wanted: number): Promise<number> {
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      const now = look();
      if (now < wanted) return;
      clearInterval(timer);
      resolve(now);
    }, LOOK_MS);
  });
}

export const pushFile: Task<CatchupOptions, CaughtUp> = async (options, context) => {
  const socket = new Push({ sendHighWaterMark: 16, linger: 0 });
  socket.connect(inbox(options));
  await context.ready();
  const stop = measureUsage();
  const fd = openSync(join(options.from, 'lines.jsonl'), 'r');
  const { size } = fstatSync(fd);
  for (let at = 0; at < size;) {
    const chunk = Buffer.allocUnsafeSlow(CHUNK);
    const got = readSync(fd, chunk, 0, CHUNK, at);
    await socket.send(chunk.subarray(0, got));
    at += got;
  }
  closeSync(fd);
  await context.stopped;
  socket.close();
  return { bytes: size, usage: stop() };
};

export const pullFile: Task<CatchupOptions, CaughtUp> = async (options, context) => {
  const socket = new Pull({ receiveHighWaterMark: 16, linger: 0 });
  await socket.bind(inbox(options));
  await context.ready();
  const stop = measureUsage();
  const file = createWriteStream(join(options.to, 'copy.jsonl'));
  let bytes = 0;
  for await (const [chunk] of socket) {
    bytes += chunk!.length;
    if (!file.write(chunk)) await once(file, 'drain');
    if (bytes >= options.bytes) break;
  }
  file.end();
  await once(file, 'close');
  return { bytes, usage: stop() };
};
