/** Figures kept to be held against later: of one machine only, and of medians only. Pure. */
import { machineOf } from './method.ts';
import { percentileUs } from './histogram.ts';
import type { Report } from './report.ts';

export type Baseline = {
  readonly format: 1;
  readonly machine: string;
  readonly at: string;
  readonly commit: string;
  /** By name: "us" the less the better, "/s" the more the better. */
  readonly figures: Readonly<Record<string, number>>;
};

/** Beyond these a change is told as worse. */
const SLOWER = 1.2;
const FEWER = 0.85;

export function baselineOf(report: Report): Baseline {
  const figures: Record<string, number> = {};
  for (const line of report.notify) {
    if (line.verdict !== 'ok') continue;
    for (const percentile of [50, 99]) {
      const us = percentileUs(line.fromBegun, percentile);
      const name = `${line.transport} ${line.rate}/s ${line.size} B p${percentile} us`;
      // Tails of our peers are nobody's regression.
      if (us !== undefined && (percentile === 50 || line.side === 'ours')) figures[name] = us;
    }
  }
  for (const line of [...report.throughput, ...report.replay, ...report.catchup, ...report.fanout])
    if (!Number.isNaN(line.perSecond.median))
      figures[`${line.name} ${line.unit}/s`] = Math.round(line.perSecond.median);
  const { environment } = report;
  return {
    format: 1,
    machine: machineOf(environment),
    at: environment.at,
    commit: environment.commit,
    figures,
  };
}

export type Change = {
  readonly figure: string;
  readonly before: number;
  readonly now: number;
  readonly worse: boolean;
};

/** What has changed since; undefined when the machines differ: then nothing can be said. */
export function changes(before: Baseline, now: Baseline): readonly Change[] | undefined {
  if (before.machine !== now.machine) return undefined;
  return Object.entries(before.figures).flatMap(([figure, old]) => {
    const value = now.figures[figure];
    if (value === undefined) return [];
    const worse = figure.endsWith('us') ? value > old * SLOWER : value < old * FEWER;
    return [{ figure, before: old, now: value, worse }];
  });
}
