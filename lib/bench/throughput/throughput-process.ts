/** The throughput bench: every flow once a round, each in two processes of its own over files of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newBase } from '../clock-process.ts';
import { rateLine, type RateLine, type RateRun } from '../rates.ts';
import type { Rounds } from '../rounds.ts';
import { startTask } from '../task/run-process.ts';
import type { Flow } from './flow.ts';
import { flows } from './flows.ts';
import type { FlowEnd, FlowOptions } from './tasks-process.ts';

export type ThroughputOptions = {
  readonly rounds: Rounds;
  readonly script: string;
  readonly size: number;
  /** Share of each flow's records; below 1 for a quick look. */
  readonly scale: number;
  readonly dir?: string;
};

export async function throughput(options: ThroughputOptions): Promise<readonly RateLine[]> {
  const runs = await options.rounds.run(flows, (flow) => runFlow(flow, options));
  return flows.map((flow, at) => rateLine(flow, runs[at]!));
}

async function runFlow(
  flow: Flow,
  { script, size, scale, dir }: ThroughputOptions,
): Promise<RateRun> {
  const folder = mkdtempSync(join(dir ?? tmpdir(), 'tickmesh-bench-'));
  const count = Math.max(1, Math.round(flow.count * scale));
  const ends: FlowOptions = { flow: flow.name, folder, size, count, baseNs: newBase() };
  try {
    await using writer = await startTask<FlowEnd>(script, 'flow-write', ends);
    await using reader = await startTask<FlowEnd>(script, 'flow-read', ends);
    const taking = reader.go();
    const [first, last] = await Promise.all([writer.go(), taking]);
    if (last.records < count) throw new TypeError(`${count - last.records} records never came`);
    return {
      perSecond: count / ((last.atNs - first.atNs) / 1e9),
      cpuPerMillion: ((first.usage.cpuMs + last.usage.cpuMs) / 1e3 / count) * 1e6,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
