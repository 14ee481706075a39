/** What both processes cost while nothing happens: heartbeats and polls, and whatever should not be there. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newBase } from '../clock-process.ts';
import type { Rounds } from '../rounds.ts';
import type { Transport } from '../transport/transport.ts';
import { cpuPercent, type Usage } from '../usage-process.ts';
import { SETTLE_MS } from './message.ts';
import { Pair, type Scripts } from './pair-process.ts';
import type { RunOptions } from './run-process.ts';
import { median } from '../percentile.ts';

export type IdleOptions = {
  readonly transports: readonly Transport[];
  readonly rounds: Rounds;
  readonly scripts: Scripts;
  readonly servers: RunOptions['servers'];
  readonly restMs: number;
  readonly dir?: string;
  readonly signal: AbortSignal;
};

export type IdleEnd = { readonly cpuPercent: number; readonly waitsPerSecond: number };
export type IdleLine = {
  readonly transport: string;
  readonly title: string;
  readonly side: 'peer' | 'ours';
  readonly writer: IdleEnd;
  readonly reader: IdleEnd;
};

const START_MS = 30_000;

export async function idle(options: IdleOptions): Promise<IdleLine[]> {
  const { transports, rounds } = options;
  const rested = await rounds.run(transports, (transport) => rest(transport, options));
  return transports.flatMap((transport, at) => {
    const runs = rested[at]!.filter((run) => run !== null);
    if (runs.length === 0) return [];
    const { name, title, side } = transport;
    const end = (who: 'writer' | 'reader'): IdleEnd => ({
      cpuPercent: median(runs.map((run) => cpuPercent(run[who]))),
      waitsPerSecond: median(runs.map((run) => (run[who].waits / run[who].elapsedMs) * 1e3)),
    });
    return [{ transport: name, title, side, writer: end('writer'), reader: end('reader') }];
  });
}

async function rest(
  transport: Transport,
  options: IdleOptions,
): Promise<{ writer: Usage; reader: Usage }> {
  const folder = mkdtempSync(join(options.dir ?? tmpdir(), 'tickmesh-bench-'));
  const servers = Object.entries(options.servers).map(([name, { address }]) => [name, address]);
  const pair = new Pair(
    {
      transport: transport.name,
      folder,
      size: 158,
      servers: Object.fromEntries(servers) as Record<string, string>,
      baseNs: newBase(),
      count: 1,
      warm: 0,
      faults: {},
      readerScript: options.scripts.reader,
    },
    transport,
    options,
  );
  try {
    await pair.all(pair.who, 'ready', START_MS);
    pair.order({ bench: 'probe', to: 'writer' });
    await pair.all(['reader'], 'heard', START_MS);
    for (const to of pair.who) pair.order({ bench: 'rest', to });
    await sleep(SETTLE_MS + options.restMs, undefined, { signal: options.signal });
    for (const to of pair.who) pair.order({ bench: 'finish', to });
    const told = await pair.all(pair.who, 'done', START_MS);
    const usage = (who: string): Usage => told.find(({ by }) => by === who)!.usage!;
    return { writer: usage('writer'), reader: usage('reader') };
  } finally {
    await pair.end();
    rmSync(folder, { recursive: true, force: true });
  }
}
