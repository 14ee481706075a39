/** The replay bench: the same trades in every form that a way wants, then every way once a round, in its own process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rateLine, type RateLine, type RateRun } from '../rates.ts';
import type { Rounds } from '../rounds.ts';
import { runTask } from '../task/run-process.ts';
import { writePlainLines, writeReplayLogs, writeTardisCache } from './logs-disk.ts';
import type { Replayed } from './tasks-disk.ts';
import { replayWays, type ReplayWay } from './ways.ts';

export type ReplayBenchOptions = {
  readonly rounds: Rounds;
  readonly script: string;
  readonly records: number;
  readonly dir?: string;
  readonly progress: (text: string) => void;
};

export async function replay(options: ReplayBenchOptions): Promise<readonly RateLine[]> {
  const { rounds, records, progress } = options;
  const folder = mkdtempSync(join(options.dir ?? tmpdir(), 'tickmesh-bench-'));
  const paths: Readonly<Record<ReplayWay['reads'], string>> = {
    'one log': join(folder, 'one'),
    'two logs': join(folder, 'two'),
    'twenty logs': join(folder, 'twenty'),
    'plain lines': join(folder, 'lines.jsonl'),
    'tardis cache': join(folder, 'tardis'),
    memory: folder,
  };
  try {
    progress('writing what is to be replayed');
    await writeReplayLogs(paths['one log'], 1, records);
    await writeReplayLogs(paths['two logs'], 2, records);
    await writeReplayLogs(paths['twenty logs'], 20, records);
    writePlainLines(paths['plain lines'], records);
    await writeTardisCache(paths['tardis cache'], records);
    const runs = await rounds.run(replayWays, async (way): Promise<RateRun> => {
      const done = await runTask<Replayed>(options.script, way.name, {
        path: paths[way.reads],
        records,
      });
      if (done.records < records) throw new TypeError(`${records - done.records} records missing`);
      return {
        perSecond: records / (done.usage.elapsedMs / 1e3),
        cpuPerMillion: (done.usage.cpuMs / 1e3 / records) * 1e6,
      };
    });
    return replayWays.map((way, at) => rateLine(way, runs[at]!));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
