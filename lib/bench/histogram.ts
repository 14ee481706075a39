/** Latencies as HDR histograms: nanoseconds, three digits, up to a minute. They merge over runs and travel as base64. */
import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';
import { carried, interval95 } from './percentile.ts';

export type { Histogram } from 'hdr-histogram-js';

const HIGHEST_NS = 60e9;

export const newHistogram = (): Histogram =>
  build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST_NS,
    numberOfSignificantValueDigits: 3,
    useWebAssembly: false,
  });

/** Counts a latency. What took longer than a minute counts as a minute; a clock that ran back counts as 0. */
export function count(histogram: Histogram, latencyNs: number): void {
  histogram.recordValue(Math.min(HIGHEST_NS, Math.max(0, Math.round(latencyNs))));
}

export const encode = (histogram: Histogram): string => encodeIntoCompressedBase64(histogram);
export const decode = (text: string): Histogram => decodeFromCompressedBase64(text);

/** All of them as one. */
export function pooled(histograms: readonly Histogram[]): Histogram {
  const all = newHistogram();
  for (const each of histograms) all.add(each);
  return all;
}

export type Percentile = {
  readonly percentile: number;
  readonly us: number;
  /** Between which values the true one lies with 95 %. */
  readonly fromUs: number;
  readonly toUs: number;
};

export type Summary = {
  readonly samples: number;
  /** Only those that the samples carry. */
  readonly percentiles: readonly Percentile[];
  readonly maxUs: number;
};

const us = (ns: number): number => Math.round(ns / 10) / 100;

export function summarize(histogram: Histogram): Summary {
  const samples = histogram.totalCount;
  const at = (percentile: number): number => us(histogram.getValueAtPercentile(percentile));
  return {
    samples,
    maxUs: us(histogram.maxValue),
    percentiles: carried(samples).map((percentile) => {
      const [from, to] = interval95(samples, percentile);
      return { percentile, us: at(percentile), fromUs: at(from), toUs: at(to) };
    }),
  };
}

/** The percentile in microseconds; undefined where too few samples carry it. */
export const percentileUs = (summary: Summary, percentile: number): number | undefined =>
  summary.percentiles.find((each) => each.percentile === percentile)?.us;
