/** Measures what was asked for, one section after another, never two at a time. */
import type { Environment } from './environment-disk.ts';
import { clients } from './clients/clients-process.ts';
import { serving } from './clients/serving-websocket.ts';
import { catchup } from './catchup/catchup-process.ts';
import { percentileUs } from './histogram.ts';
import { idle } from './notify/idle-process.ts';
import { notify, type NotifyResult } from './notify/notify-process.ts';
import type { Scripts } from './notify/pair-process.ts';
import type { Line } from './notify/summary.ts';
import { plan } from './notify/plan.ts';
import { replay } from './replay/replay-process.ts';
import type { Report, Section, Settings } from './report.ts';
import { Rounds } from './rounds.ts';
import type { Shape } from './schedule.ts';
import { startServers, type Servers } from './servers-process.ts';
import { throughput } from './throughput/throughput-process.ts';
import { idleNames, sweepNames, transportNamed, transports } from './transport/registry.ts';
import type { Transport } from './transport/transport.ts';

export type MeasureOptions = {
  readonly environment: Environment;
  readonly settings: Settings;
  readonly shape: Shape;
  readonly scripts: Scripts & { readonly task: string };
  readonly dir?: string;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
};

const SWEEP_MS = 1_000;
const BEHIND_US = 250_000;
const REST_MS = 3_000;
const REST_ROUNDS = 1;
const CATCHUP_RECORDS = 500_000;

export async function measure(options: MeasureOptions): Promise<Report> {
  const { settings, signal, environment } = options;
  const sinceMs = performance.now();
  const problems: string[] = [];
  const wants = (section: Section): boolean => settings.what.includes(section) && !signal.aborted;
  const inSection = (section: Section) => (text: string) => options.progress(`${section}: ${text}`);
  const rounds = (section: Section, count = settings.rounds): Rounds =>
    new Rounds({ count, signal, progress: inSection(section), problems });
  const dir = options.dir === undefined ? {} : { dir: options.dir };
  const { scripts } = options;
  const chosen = settings.transports.map(transportNamed);
  const latency = wants('notify') || wants('sweep') || wants('idle');
  await using servers = await serversFor(latency ? chosen : [], inSection('notify'));
  problems.push(...servers.missing.map((why) => `left out, ${why}`));
  const running = servers.running as Record<string, { address: string; pid: number }>;
  const usable = chosen.filter(({ needs }) => needs === undefined || running[needs]);
  const named = settings.transports.length < transports.length;
  const runs = async (
    section: Section,
    rates: readonly number[],
    roundsOf: number,
    ways: readonly Transport[],
    durationMs: number,
  ): Promise<NotifyResult> => {
    const result = await notify({
      planned: plan({
        transports: ways,
        rates,
        sizes: settings.sizes,
        rounds: roundsOf,
        all: named,
      }),
      shape: options.shape,
      warmMs: settings.warmMs,
      durationMs,
      repeats: section === 'notify',
      scripts,
      servers: running,
      ...dir,
      signal,
      progress: inSection(section),
    });
    problems.push(...result.problems);
    return result;
  };
  const told = wants('notify')
    ? await runs('notify', settings.rates, settings.rounds, usable, settings.durationMs)
    : undefined;
  const ofThese = (names: readonly string[]): Transport[] =>
    usable.filter(({ name }) => named || names.includes(name));
  const swept: Line[] = [];
  let following = ofThese(sweepNames);
  for (const rate of wants('sweep') ? settings.sweepRates : []) {
    const { lines } = await runs('sweep', [rate], 1, following, SWEEP_MS);
    swept.push(...lines);
    following = following.filter(({ name }) =>
      lines.some((line) => line.transport === name && follows(line)),
    );
  }
  const idleLines = wants('idle')
    ? await idle({
        ...options,
        transports: ofThese(idleNames).filter(({ silent }) => !silent),
        rounds: rounds('idle', Math.min(settings.rounds, REST_ROUNDS)),
        servers: running,
        restMs: REST_MS,
      })
    : [];
  const script = scripts.task;
  const size = settings.sizes[0]!;
  const flows = wants('throughput')
    ? await throughput({
        rounds: rounds('throughput'),
        script,
        size,
        scale: settings.scale,
        ...dir,
      })
    : [];
  const replayed = wants('replay')
    ? await replay({
        rounds: rounds('replay'),
        script,
        records: settings.records,
        ...dir,
        progress: inSection('replay'),
      })
    : [];
  const copied = wants('catchup')
    ? await catchup({
        rounds: rounds('catchup'),
        script,
        records: Math.min(CATCHUP_RECORDS, settings.records),
        ...dir,
      })
    : [];
  const fanned = wants('fanout')
    ? await clients({ rounds: rounds('fanout'), scale: settings.scale, ...dir })
    : [];
  const served = wants('fanout')
    ? await serving({
        records: settings.longRecords ?? settings.records,
        ...dir,
        signal,
        progress: inSection('fanout'),
        problems,
      })
    : undefined;
  return {
    format: 1,
    environment,
    settings,
    seconds: Math.round((performance.now() - sinceMs) / 1_000),
    steal: told?.steal ?? 0,
    busy: told?.busy ?? 0,
    notify: told?.lines ?? [],
    sweep: swept,
    idle: idleLines,
    throughput: flows,
    replay: replayed,
    catchup: copied,
    fanout: fanned,
    serving: served,
    problems,
  };
}

/** False for a way that was left behind: higher rates would only take longer. */
const follows = (line: Line): boolean =>
  line.verdict !== 'FAIL' && (percentileUs(line.fromDue, 99) ?? 0) < BEHIND_US;

async function serversFor(
  chosen: readonly Transport[],
  progress: (text: string) => void,
): Promise<Servers> {
  const needed = [...new Set(chosen.flatMap(({ needs }) => needs ?? []))];
  if (needed.length > 0) progress(`starting ${needed.join(' and ')}`);
  return await startServers(needed);
}
