/**
 * Measures how soon clients get a first message of a publisher over a log that is being written, and the resident memory
 * of a publisher over a long replay.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import { LogWriter } from '../../log/disk-writer.ts';
import { realClock } from '../../world/clock.ts';
import { TickmeshError } from '../../world/error.ts';
import { measurePublish, servePublish } from '../publish-process.ts';
import { replayLogNames, tradePayload, writeReplayLogs } from '../replay/logs-disk.ts';
import type { FirstWay, Serving } from './serving.ts';

const STREAM = 'bench0usdt@trade';
const PER_MS = 1;
const LONGEST_MS = 5_000;
/** As few as carry a p99. */
const SAMPLES = 1_000;

export type ServingOptions = {
  /** Records of the replay. */
  readonly records: number;
  readonly dir?: string;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
  readonly problems: string[];
};

export async function serving(options: ServingOptions): Promise<Serving> {
  const { signal, progress, problems } = options;
  const tried = async <T>(what: string, otherwise: T, act: () => Promise<T>): Promise<T> => {
    if (signal.aborted) return otherwise;
    progress(what);
    try {
      return await act();
    } catch (error) {
      problems.push(`${what}: ${String(error)}`);
      return otherwise;
    }
  };
  const firstMs = await tried('first message', { url: [], subscribe: [] }, () =>
    inFolder(options, (data) => firstMessages(data, signal)),
  );
  const resident = await tried('resident memory', undefined, () =>
    inFolder(options, (data) => residentOf(data, options.records)),
  );
  return { firstMs, resident };
}

async function inFolder<T>({ dir }: ServingOptions, act: (data: string) => Promise<T>): Promise<T> {
  const data = mkdtempSync(join(dir ?? tmpdir(), 'tickmesh-bench-'));
  try {
    return await act(data);
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

async function residentOf(data: string, records: number): Promise<Serving['resident']> {
  await writeReplayLogs(data, 1, records);
  const from = { data, logs: replayLogNames(1), records };
  const done = await measurePublish({ from, path: `/ws/${STREAM}`, warmUp: 1 });
  if (done.missing !== 0) throw new TypeError(`${done.missing} frames never came`);
  return { ...done.resident, records };
}

/** Both ways in turn, so that whatever the machine does meets both. */
async function firstMessages(data: string, signal: AbortSignal): Promise<Serving['firstMs']> {
  const firstMs: Record<FirstWay, number[]> = { url: [], subscribe: [] };
  const [log] = replayLogNames(1);
  const writer = await LogWriter.open({ data, log: log!, node: 'bench', clock: realClock });
  const startMs = performance.now();
  let written = 0;
  let lastUs = 0;
  const timer = setInterval(() => {
    const due = Math.floor((performance.now() - startMs) * PER_MS);
    for (; written < due; written++) {
      // Late ones are written in one go, and the times of a log must rise.
      lastUs = Math.max(realClock.wallUs(), lastUs + 1);
      writer.stage(lastUs, lastUs, tradePayload(written));
    }
    writer.write();
    writer.announce();
  }, 1);
  let server: Awaited<ReturnType<typeof servePublish>> | undefined;
  try {
    server = await servePublish(data, [log!]);
    for (let i = 0; i < SAMPLES && !signal.aborted; i++)
      for (const way of ['url', 'subscribe'] as const)
        firstMs[way].push(await firstMessage(server.port, way));
  } finally {
    clearInterval(timer);
    server?.stop();
    await writer.close();
  }
  return firstMs;
}

/** One client: milliseconds from asking to the first message. Rejects where none comes. */
function firstMessage(port: number, way: FirstWay): Promise<number> {
  return new Promise((resolve, reject) => {
    let askedMs = performance.now();
    const path = way === 'url' ? `/ws/${STREAM}` : '/ws';
    const webSocket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    const late = setTimeout(() => {
      webSocket.terminate();
      reject(new TickmeshError('NODE_FAILED', `no message in ${LONGEST_MS} ms`));
    }, LONGEST_MS);
    webSocket.on('open', () => {
      if (way === 'url') return;
      askedMs = performance.now();
      webSocket.send(`{"method":"SUBSCRIBE","params":["${STREAM}"],"id":1}`);
    });
    webSocket.on('message', (bytes: Buffer) => {
      // The answer to SUBSCRIBE is no message of the stream.
      if (bytes[2] !== 101) return;
      const ms = performance.now() - askedMs;
      clearTimeout(late);
      webSocket.terminate();
      resolve(ms);
    });
    webSocket.on('error', (error) => {
      clearTimeout(late);
      reject(error);
    });
  });
}
