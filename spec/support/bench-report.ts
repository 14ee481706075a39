/** A report as the bench would make it, from invented figures: for specs of what is made of reports. */
import { join, type Columns, type Run } from '../../lib/bench/notify/run.ts';
import { lines } from '../../lib/bench/notify/summary.ts';
import { rateLine, type RateLine } from '../../lib/bench/rates.ts';
import { replayWays } from '../../lib/bench/replay/ways.ts';
import type { Report } from '../../lib/bench/report.ts';
import { flows } from '../../lib/bench/throughput/flows.ts';
import { transports } from '../../lib/bench/transport/registry.ts';
import type { Usage } from '../../lib/bench/usage-process.ts';

export const columns = (
  count: number,
  set: (k: number) => Partial<Record<keyof Columns, number>>,
): Columns => {
  const made = Object.fromEntries(
    ['due', 'begun', 'written', 'told', 'noticed', 'read'].map((name) => [
      name,
      new Float64Array(count),
    ]),
  ) as unknown as Columns;
  for (let k = 0; k < count; k++)
    for (const [name, value] of Object.entries(set(k))) made[name as keyof Columns][k] = value;
  return made;
};

/** p50 by name, us; what is not named takes 200. */
const invented: Readonly<Record<string, number>> = {
  zeromq: 120,
  'fs-watch': 60,
  'node-ipc': 110,
  redis: 210,
  rabbitmq: 360,
  'poll-1ms': 550,
  'poll-100ms': 50_000,
  'poll-1s': 500_000,
  'tickmesh-zeromq': 140,
  tickmesh: 66,
  'tickmesh-adaptive': 22,
  'tickmesh-spin': 9,
};

const usage = (cpuMs: number): Usage => ({ cpuMs, elapsedMs: 1_000, waits: 900, rssBytes: 60e6 });

const COUNT = 1_200;

export const inventedRun = (
  transport: string,
  rate: number,
  round: number,
  p50Us = invented[transport] ?? 200,
  verdict: Run['verdict'] = 'ok',
): Run => ({
  transport,
  rate,
  size: 158,
  round,
  joined: join(
    columns(COUNT, (k) => {
      const due = 1e9 + (k * 1e9) / rate;
      // A long tail: every hundredth record takes ten times as long.
      const us = p50Us * (0.8 + 0.4 * ((k * 7) % 10) * 0.1) * (k % 100 === 99 ? 10 : 1);
      return {
        due,
        begun: due + 2e3,
        written: due + 7e3,
        told: due + 9e3,
        noticed: due + us * 900,
        read: due + us * 1e3,
      };
    }),
    0,
  ),
  account: { sent: COUNT, lost: verdict === 'FAIL' ? 1 : 0, doubled: 0, reordered: 0 },
  usage: {
    writer: usage(150),
    reader: usage(80),
    ...(transport === 'redis' ? { middle: usage(40) } : {}),
  },
  steal: 0,
  busy: 0.4,
  verdict,
  why: verdict === 'ok' ? '' : 'said so',
});

const rates = (
  named: readonly {
    readonly name: string;
    readonly title: string;
    readonly side: 'peer' | 'ours';
  }[],
  perSecond: Readonly<Record<string, number>>,
): RateLine[] =>
  named.map((each) =>
    rateLine(
      each,
      [0.9, 1, 1.1].map((factor) => ({
        perSecond: (perSecond[each.name] ?? 1e5) * factor,
        cpuPerMillion: 0.4,
      })),
    ),
  );

export function inventedReport(): Report {
  const named = transports.map(({ name }) => name).filter((name) => name !== 'pacing');
  const runs = [1_000, 10_000].flatMap((rate) =>
    named.flatMap((name) => [0, 1, 2].map((round) => inventedRun(name, rate, round))),
  );
  const swept = [20_000, 50_000].flatMap((rate) =>
    ['zeromq', 'tickmesh'].map((name) => inventedRun(name, rate, 0)),
  );
  return {
    format: 1,
    environment: {
      at: '2026-01-02T03:04:05.678Z',
      cpu: 'Imaginary <9000> & sons',
      cores: 2,
      memoryGb: 24,
      kernel: 'Linux 6.1',
      node: 'v20.20.2',
      virtualised: true,
      governor: 'unknown',
      clockSource: 'tsc',
      folder: '/tmp',
      fileSystem: 'ext2/ext3',
      versions: { zeromq: '6.8.0' },
      commit: 'abcdef0',
      load: 0.1,
    },
    settings: {
      what: ['notify', 'sweep', 'idle', 'throughput', 'replay', 'catchup', 'fanout'],
      transports: named,
      rates: [1_000, 10_000],
      sweepRates: [20_000, 50_000],
      sizes: [158],
      shape: 'constant',
      durationMs: 2_000,
      warmMs: 500,
      rounds: 3,
      records: 1_000_000,
      scale: 1,
      nice: 0,
    },
    seconds: 500,
    steal: 0.01,
    busy: 0.6,
    notify: lines(runs, transports),
    sweep: lines(swept, transports),
    idle: [
      {
        transport: 'tickmesh',
        title: 'tickmesh, same-host default',
        side: 'ours',
        writer: { cpuPercent: 0.1, waitsPerSecond: 2 },
        reader: { cpuPercent: 0.2, waitsPerSecond: 5 },
      },
    ],
    throughput: rates(flows, { tickmesh: 2.4e6, 'zeromq-message': 150e3, naive: 4e3 }),
    replay: rates(replayWays, {
      replay: 4e6,
      readline: 300e3,
      tardis: 250e3,
      decode: 1.5e6,
      'json-parse': 300e3,
      'merge-2': 1.4e6,
      'merge-20': 0.8e6,
    }),
    catchup: [],
    fanout: [],
    serving: {
      // One in fifty is late: the median says nothing of it, the bar does.
      firstMs: {
        url: Array.from({ length: 1_000 }, (_, i) => (i % 50 === 7 ? 40 : 5)),
        subscribe: Array.from({ length: 1_000 }, (_, i) => 2 + (i % 10) / 10),
      },
      resident: {
        records: 10_000_000,
        start: 70 * 2 ** 20,
        peak: 88 * 2 ** 20,
        early: 86 * 2 ** 20,
        late: 87 * 2 ** 20,
        slopePerMillion: 2 ** 20 / 10,
      },
    },
    problems: ['left out, rabbitmq: not installed'],
  };
}
