/** Runs of one transport, rate and size as one line of a result: medians over the runs, their spread, all samples pooled. Pure. */
import { encode, percentileUs, pooled, summarize, type Summary } from '../histogram.ts';
import { median } from '../percentile.ts';
import { spread, type Spread } from '../spread.ts';
import { cpuPercent, type Usage } from '../usage-process.ts';
import { stages, type Moment, type Run, type Stage, type Verdict } from './run.ts';

export type Line = {
  readonly transport: string;
  readonly title: string;
  readonly side: 'peer' | 'ours';
  readonly reads: boolean;
  readonly rate: number;
  readonly size: number;
  readonly rounds: number;
  /** All valid runs' samples together. */
  readonly fromDue: Summary;
  readonly fromBegun: Summary;
  /** p50 of each run from when the append began, by round; undefined for a run that does not count. */
  readonly p50Us: readonly (number | null)[];
  readonly p99Us: readonly (number | null)[];
  readonly p50: Spread;
  readonly stages: Readonly<Partial<Record<Stage, Summary>>>;
  /** Processor time of all processes together, percent of a core, by round. */
  readonly cpuAll: readonly (number | null)[];
  /** Percent of a core. */
  readonly cpu: { readonly writer: number; readonly reader: number; readonly middle: number };
  readonly rssMb: { readonly writer: number; readonly reader: number };
  readonly timeline: readonly Moment[];
  /** FAIL if any run lost, doubled or reordered; invalid if no run counts. */
  readonly verdict: Verdict;
  readonly why: readonly string[];
  /** Both, compressed, base64: mergeable with other reports' of the same machine. */
  readonly histograms: {
    readonly fromDue: string;
    readonly fromBegun: string;
    /** From when records were due, run by run. */
    readonly runs: readonly string[];
  };
};

export type Named = {
  readonly title: string;
  readonly side: 'peer' | 'ours';
  readonly reads: boolean;
};

export function line(runs: readonly Run[], named: Named): Line {
  const { transport, rate, size } = runs[0]!;
  const valid = runs.filter((run) => run.verdict !== 'invalid');
  const counted = valid.length > 0 ? valid : runs;
  const fromDue = pooled(counted.map((run) => run.joined.fromDue));
  const fromBegun = pooled(counted.map((run) => run.joined.fromBegun));
  const ofRuns = (percentile: number): (number | null)[] =>
    runs.map((run) =>
      run.verdict === 'invalid'
        ? null
        : (percentileUs(summarize(run.joined.fromBegun), percentile) ?? null),
    );
  const p50Us = ofRuns(50);
  const cpu = (who: 'writer' | 'reader' | 'middle'): number =>
    tenths(median(counted.map((run) => percent(run.usage[who]))));
  const rss = (who: 'writer' | 'reader'): number =>
    Math.round(median(counted.map((run) => run.usage[who]?.rssBytes ?? 0)) / 1e6);
  const middle = counted.toSorted(
    (a, b) =>
      a.joined.fromBegun.getValueAtPercentile(50) - b.joined.fromBegun.getValueAtPercentile(50),
  )[counted.length >> 1]!;
  return {
    transport,
    title: named.title,
    side: named.side,
    reads: named.reads,
    rate,
    size,
    rounds: runs.length,
    fromDue: summarize(fromDue),
    fromBegun: summarize(fromBegun),
    p50Us,
    p99Us: ofRuns(99),
    p50: spread(p50Us.filter((value) => value !== null)),
    stages: Object.fromEntries(
      stages.flatMap((stage) => {
        const histograms = counted.flatMap((run) => run.joined.stages[stage] ?? []);
        return histograms.length === 0 ? [] : [[stage, summarize(pooled(histograms))]];
      }),
    ),
    cpuAll: runs.map(({ verdict, usage }) =>
      verdict === 'invalid'
        ? null
        : percent(usage.writer) + percent(usage.reader) + percent(usage.middle),
    ),
    cpu: { writer: cpu('writer'), reader: cpu('reader'), middle: cpu('middle') },
    rssMb: { writer: rss('writer'), reader: rss('reader') },
    timeline: middle.joined.timeline,
    verdict: runs.some((run) => run.verdict === 'FAIL')
      ? 'FAIL'
      : valid.length === 0
        ? 'invalid'
        : 'ok',
    why: runs.flatMap((run) => (run.why === '' ? [] : [`run ${run.round + 1}: ${run.why}`])),
    histograms: {
      fromDue: encode(fromDue),
      fromBegun: encode(fromBegun),
      runs: runs.map((run) => encode(run.joined.fromDue)),
    },
  };
}

const tenths = (value: number): number => Math.round(value * 10) / 10;
const percent = (usage: Usage | undefined): number => (usage ? tenths(cpuPercent(usage)) : 0);

/** Runs gathered into lines: by rate, by size, then in the order of `ways`. */
export function lines(
  runs: readonly Run[],
  ways: readonly (Named & { readonly name: string })[],
): Line[] {
  const groups = new Map<string, Run[]>();
  for (const run of runs) {
    const key = `${run.rate} ${run.size} ${run.transport}`;
    const group = groups.get(key);
    if (group) group.push(run);
    else groups.set(key, [run]);
  }
  const order = (transport: string): number => ways.findIndex(({ name }) => name === transport);
  return [...groups.values()]
    .map((group) => line(group, ways[order(group[0]!.transport)]!))
    .toSorted(
      (a, b) => a.rate - b.rate || a.size - b.size || order(a.transport) - order(b.transport),
    );
}

/** Processor time of one against another, run by run. */
export function cpuRatio(line: Line, peer: Line): Spread | undefined {
  return roundByRound(line.cpuAll, peer.cpuAll);
}

/** p50 of one against another, run by run of the same round: median and spread; undefined when no round has both. */
export const ratio = (line: Line, peer: Line): Spread | undefined =>
  roundByRound(line.p50Us, peer.p50Us);

function roundByRound(
  own: readonly (number | null)[],
  other: readonly (number | null)[],
): Spread | undefined {
  const ratios = own.flatMap((value, round) => {
    const peer = other[round];
    return value !== null && peer ? [value / peer] : [];
  });
  return ratios.length === 0 ? undefined : spread(ratios);
}
