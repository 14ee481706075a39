/**
 * Results that are a rate: so many records (or bytes) a second, and what a million of them costs in processor time. Runs are
 * interleaved; each row is held against its peer run by run. Pure.
 */
import { median } from './percentile.ts';
import { spread, type Spread } from './spread.ts';

export type RateRun = {
  readonly perSecond: number;
  /** Processor seconds of all processes a million. */
  readonly cpuPerMillion: number;
};

export type RateLine = {
  readonly name: string;
  readonly title: string;
  readonly side: 'peer' | 'ours';
  readonly unit: 'records' | 'bytes' | 'frames';
  /** By round; null where a run came to nothing. */
  readonly runs: readonly (RateRun | null)[];
  readonly perSecond: Spread;
  readonly cpuPerMillion: number;
};

export function rateLine(
  named: Pick<RateLine, 'name' | 'title' | 'side'> & { readonly unit?: RateLine['unit'] },
  runs: readonly (RateRun | null)[],
): RateLine {
  const counted = runs.filter((run) => run !== null);
  return {
    name: named.name,
    title: named.title,
    side: named.side,
    unit: named.unit ?? 'records',
    runs,
    perSecond: spread(counted.map((run) => run.perSecond)),
    cpuPerMillion: median(counted.map((run) => run.cpuPerMillion)),
  };
}

/** How many times as fast as the peer, run by run; undefined when no round has both. */
export function timesFaster(line: RateLine, peer: RateLine): Spread | undefined {
  const ratios = line.runs.flatMap((run, round) => {
    const other = peer.runs[round];
    return run && other ? [run.perSecond / other.perSecond] : [];
  });
  return ratios.length === 0 ? undefined : spread(ratios);
}
