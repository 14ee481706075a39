/** The catch-up bench: a replica against bare PUSH/PULL, the same bytes, each way once a round. */
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogReader } from '../../log/disk-reader.ts';
import { rateLine, type RateLine, type RateRun } from '../rates.ts';
import { replayLogNames, writePlainLines, writeReplayLogs } from '../replay/logs-disk.ts';
import type { Rounds } from '../rounds.ts';
import { startTask } from '../task/run-process.ts';
import type { CatchupOptions, CaughtUp } from './tasks-process.ts';

const ways = [
  {
    name: 'push-pull',
    title: 'zeromq.js PUSH/PULL, 256 KiB chunks, written to a file',
    side: 'peer',
    send: 'push-file',
    take: 'pull-file',
  },
  {
    name: 'replica',
    title: 'tickmesh: replica of a log',
    side: 'ours',
    send: 'serve-log',
    take: 'copy-log',
  },
] as const;

export type CatchupBenchOptions = {
  readonly rounds: Rounds;
  readonly script: string;
  readonly records: number;
  readonly dir?: string;
};

export async function catchup(options: CatchupBenchOptions): Promise<readonly RateLine[]> {
  const { rounds, records, script } = options;
  const root = mkdtempSync(join(options.dir ?? tmpdir(), 'tickmesh-bench-'));
  const from = join(root, 'from');
  try {
    await writeReplayLogs(from, 1, records);
    writePlainLines(join(from, 'lines.jsonl'), records);
    using held = new LogReader(from, replayLogNames(1)[0]!);
    const whole = {
      'push-pull': statSync(join(from, 'lines.jsonl')).size,
      replica: held.head()!.position,
    };
    const runs = await rounds.run(ways, async ({ name, send, take }): Promise<RateRun> => {
      const folder = mkdtempSync(join(root, 'run-'));
      const to = join(folder, 'to');
      mkdirSync(to);
      const bytes = whole[name];
      const both: CatchupOptions = { from, to, folder, bytes };
      try {
        await using taker = await startTask<CaughtUp>(script, take, both);
        await using sender = await startTask<CaughtUp>(script, send, both);
        void sender.go().catch(() => undefined);
        const taken = await taker.go();
        if (taken.bytes < bytes) throw new TypeError(`${bytes - taken.bytes} bytes never came`);
        return {
          perSecond: bytes / (taken.usage.elapsedMs / 1e3),
          cpuPerMillion: (taken.usage.cpuMs / 1e3 / bytes) * 1e6,
        };
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
    return ways.map((way, at) => rateLine({ ...way, unit: 'bytes' }, runs[at]!));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}
