/** The fan-out bench: records of a log as WebSocket frames to clients, what that costs the server, and plain `ws` beside it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SendMode } from '../publish-message.ts';
import { measurePublish } from '../publish-process.ts';
import { rateLine, type RateLine, type RateRun } from '../rates.ts';
import { replayLogNames, writeReplayLogs } from '../replay/logs-disk.ts';
import type { Rounds } from '../rounds.ts';

type Way = {
  readonly name: string;
  readonly title: string;
  readonly side: 'peer' | 'ours';
  readonly mode: SendMode;
  readonly clients: number;
};

const ways: readonly Way[] = [
  {
    name: 'ws-send-100',
    title: 'ws.send a record and client, 100 clients, 10 records a turn',
    side: 'peer',
    mode: 'ws-send',
    clients: 100,
  },
  {
    name: 'publisher-100',
    title: 'tickmesh publisher, 100 clients, 10 records a turn',
    side: 'ours',
    mode: 'publisher',
    clients: 100,
  },
  {
    name: 'feed-1',
    title: 'tickmesh publisher over a feed, unpaced, one client',
    side: 'ours',
    mode: 'feed',
    clients: 1,
  },
];

const TURN = 10;
const TURNS = 400;
const RECORDS = 1_000_000;
const PATH = '/ws/bench0usdt@trade';

export type ClientsOptions = {
  readonly rounds: Rounds;
  /** Share of the usual amount. */
  readonly scale: number;
  readonly dir?: string;
};

export async function clients({
  rounds,
  scale,
  dir,
}: ClientsOptions): Promise<readonly RateLine[]> {
  const data = mkdtempSync(join(dir ?? tmpdir(), 'tickmesh-bench-'));
  const records = Math.max(1_000, Math.round(RECORDS * scale));
  const from = { data, logs: replayLogNames(1), records };
  try {
    await writeReplayLogs(data, 1, records);
    const runs = await rounds.run(ways, async ({ mode, clients: count }): Promise<RateRun> => {
      const turns = Math.max(10, Math.round(TURNS * scale));
      const done = await measurePublish({
        from,
        mode,
        clients: count,
        path: PATH,
        turn: TURN,
        turns,
      });
      if (done.missing !== 0 || done.frames === 0)
        throw new TypeError(`${done.missing} of ${done.frames + done.missing} frames never came`);
      return {
        // Frames of the measured part: the warm-up has no part in its time either.
        perSecond: done.measuredFrames / done.wallSeconds,
        cpuPerMillion: done.cpuSecondsPerMillion,
      };
    });
    return ways.map((way, at) => rateLine({ ...way, unit: 'frames' }, runs[at]!));
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}
