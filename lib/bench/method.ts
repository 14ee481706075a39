/** How the figures come about and where they come from: the same words in every output. Pure. */
import type { Environment } from './environment-disk.ts';
import type { Report } from './report.ts';

export const method: readonly string[] = [
  "Open loop: every record has its due time before the first one goes out (constant, Poisson, or the gaps of a recording). The sender keeps to it whatever becomes of its records. Latency is taken from when the append began (p50 … max) and from when the record was due (due p50, due p99): the second contains every stall, also the sender's own.",
  'Writer and reader are processes of their own over real files; a broker is one more. Clocks are CLOCK_MONOTONIC, common to all processes of a host, and every moment is stamped by number: due, begun, written, told; noticed, in hand.',
  'Runs are interleaved: every way once a round, round after round. A ratio is taken within a round and told as its median with the smallest and largest. Samples of all rounds are pooled for percentiles.',
  'A percentile is told only when at least ten samples lie beyond it. A run begins with 6,000 records at 5,000 a second, so that what is measured is compiled code, as in a process that has run for a while, and then some at its own rate. This warm-up is left out of latencies and CPU, but not of the count of records.',
  'Every record is accounted for by its number. One lost, doubled or out of order makes a result FAIL. A run whose sender was more than 1 ms late for more than 1 % of its records, or from which the host took more than 5 % of the time, is invalid: it is tried again, and left out of medians and ratios.',
  'CPU is user and system time of each process over the measured time, as a share of one core, pacing included (the row "pacing alone" says how much that is). A peer gets the same lines, sizes and rates, and its cheapest calls. A publisher runs with the flags that `tickmesh up` gives it, its peer on Node as it comes (with those flags it was up to a tenth faster).',
  'On Linux our writers run at niceness 5, as `tickmesh up` starts fetchers, and peers as they come. What that does by itself is measured beside it: ours with `nice: 0`, and peers whose writer stands back as far ("nice 5").',
];

/** What it was measured on, as pairs. */
export function circumstances({
  environment,
  settings,
  seconds,
  steal,
  busy,
}: Report): [string, string][] {
  const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
  return [
    ['measured', environment.at],
    ['machine', machineOf(environment)],
    [
      'kernel',
      `${environment.kernel}, clock ${environment.clockSource}, governor ${environment.governor}`,
    ],
    ['files', `${environment.fileSystem} at ${environment.folder}`],
    ['Node', environment.node],
    [
      'packages',
      Object.entries(environment.versions)
        .map(([name, version]) => `${name} ${version}`)
        .join(', '),
    ],
    ['commit', environment.commit],
    ['load before', environment.load.toFixed(2)],
    ['busiest run', `all processes ${percent(busy)} of all cores, host took ${percent(steal)}`],
    [
      'settings',
      `${settings.rates.join(', ')} records/s, ${settings.shape}, lines of ${settings.sizes.join(', ')} bytes, ${settings.rounds} rounds of ${settings.durationMs / 1_000} s after ${settings.warmMs / 1_000} s of warm-up, niceness ${settings.nice}`,
    ],
    ['took', `${Math.floor(seconds / 60)} min ${seconds % 60} s`],
  ];
}

export const machineOf = ({ cpu, cores, memoryGb, virtualised }: Environment): string =>
  `${cores} cores of ${cpu}, ${memoryGb} GiB${virtualised ? ', virtual' : ''}`;

/** The command that does it again. */
export function commandOf({ settings }: Report): string {
  const everything = settings.what.length > 1;
  return [
    'npm run bench --',
    everything ? 'all' : settings.what[0]!,
    `--rate ${settings.rates.join(',')}`,
    `--duration ${settings.durationMs}ms`,
    `--warmup ${settings.warmMs}ms`,
    `--sizes ${settings.sizes.join(',')}`,
    `--runs ${settings.rounds}`,
    ...(settings.nice === 0 ? [] : [`--nice ${settings.nice}`]),
  ].join(' ');
}
