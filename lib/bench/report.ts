/** Everything that one call of the bench found out: what `--json` writes, and what tables, verdicts and pages are made of. */
import type { Environment } from './environment-disk.ts';
import type { IdleLine } from './notify/idle-process.ts';
import type { Line } from './notify/summary.ts';
import type { Serving } from './clients/serving.ts';
import type { RateLine } from './rates.ts';

export const sections = [
  'notify',
  'sweep',
  'idle',
  'throughput',
  'replay',
  'catchup',
  'fanout',
] as const;
export type Section = (typeof sections)[number];

export type Settings = {
  readonly what: readonly Section[];
  readonly transports: readonly string[];
  readonly rates: readonly number[];
  readonly sweepRates: readonly number[];
  readonly sizes: readonly number[];
  readonly shape: string;
  readonly durationMs: number;
  readonly warmMs: number;
  readonly rounds: number;
  /** Records of a history to replay. */
  readonly records: number;
  /** Records of the replay over which a publisher's memory is looked at; absent in older reports. */
  readonly longRecords?: number;
  /** Share of the usual amount of records in throughput runs. */
  readonly scale: number;
  readonly nice: number;
};

export type Report = {
  readonly format: 1;
  readonly environment: Environment;
  readonly settings: Settings;
  readonly seconds: number;
  /** Largest shares of a latency run that the host kept for others, and that all processes here took; 0..1. */
  readonly steal: number;
  readonly busy: number;
  readonly notify: readonly Line[];
  readonly sweep: readonly Line[];
  readonly idle: readonly IdleLine[];
  readonly throughput: readonly RateLine[];
  readonly replay: readonly RateLine[];
  readonly catchup: readonly RateLine[];
  readonly fanout: readonly RateLine[];
  /** Absent in reports that were kept before it was measured. */
  readonly serving?: Serving | undefined;
  /** What was left out, and why. */
  readonly problems: readonly string[];
};

/** The line of a transport at a rate. */
export const lineOf = (report: Report, transport: string, rate: number): Line | undefined =>
  report.notify.find((line) => line.transport === transport && line.rate === rate);

export const rateOf = (lines: readonly RateLine[], name: string): RateLine | undefined =>
  lines.find((line) => line.name === name && line.runs.some((run) => run !== null));

/** True when a record was lost, doubled or out of order anywhere. */
export const failed = (report: Report): boolean =>
  [...report.notify, ...report.sweep].some((line) => line.verdict === 'FAIL');
