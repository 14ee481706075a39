/** What one run came to: stamps joined by number, warm-up left out, as histograms and verdicts on the run itself. Pure. */
import type { Histogram } from 'hdr-histogram-js';
import { sound, type Account } from '../arrivals.ts';
import { count, newHistogram } from '../histogram.ts';
import type { Usage } from '../usage-process.ts';

/** Stamps by number; 0 where there is none. */
export type Columns = {
  readonly due: Float64Array;
  readonly begun: Float64Array;
  readonly written: Float64Array;
  readonly told: Float64Array;
  readonly noticed: Float64Array;
  readonly read: Float64Array;
};

/** Spans that a record's way is cut into; a transport stamps some of them. */
export const stages = ['pace', 'write', 'tell', 'travel', 'fetch'] as const;
export type Stage = (typeof stages)[number];

export const stageTitles: Readonly<Record<Stage, string>> = {
  pace: 'due -> begun',
  write: 'begun -> written',
  tell: 'written -> told',
  travel: 'written -> noticed',
  fetch: 'noticed -> in hand',
};

/** A moment of the run: the worst and the middle of what was due in it. */
export type Moment = { readonly atMs: number; readonly p50Us: number; readonly maxUs: number };

export type Lateness = { readonly share: number; readonly maxUs: number };

export type Joined = {
  /** From when it was due, and from when it was begun. */
  readonly fromDue: Histogram;
  readonly fromBegun: Histogram;
  readonly stages: Readonly<Partial<Record<Stage, Histogram>>>;
  readonly timeline: readonly Moment[];
  readonly lateness: Lateness;
};

const LATE_NS = 1e6;
const LATE_SHARE = 0.01;
const STEAL_SHARE = 0.05;
const MOMENTS = 60;

export function join(columns: Columns, warm: number): Joined {
  const { due, begun, read } = columns;
  const fromDue = newHistogram();
  const fromBegun = newHistogram();
  const perStage = new Map<Stage, Histogram>();
  let late = 0;
  let latestNs = 0;
  for (let k = warm; k < due.length; k++) {
    const lateNs = begun[k]! - due[k]!;
    if (lateNs > LATE_NS) late++;
    latestNs = Math.max(latestNs, lateNs);
    if (read[k] === 0) continue;
    count(fromDue, read[k]! - due[k]!);
    count(fromBegun, read[k]! - begun[k]!);
    for (const stage of stages) {
      const spanNs = span(columns, stage, k);
      if (spanNs === undefined) continue;
      let histogram = perStage.get(stage);
      if (!histogram) perStage.set(stage, (histogram = newHistogram()));
      count(histogram, spanNs);
    }
  }
  const measured = due.length - warm;
  return {
    fromDue,
    fromBegun,
    stages: Object.fromEntries(perStage),
    timeline: timeline(due, read, warm),
    lateness: { share: measured > 0 ? late / measured : 0, maxUs: Math.round(latestNs / 1_000) },
  };
}

function span(columns: Columns, stage: Stage, k: number): number | undefined {
  const { due, begun, written, told, noticed, read } = columns;
  const between = (a: number, b: number): number | undefined =>
    a > 0 && b > 0 ? b - a : undefined;
  switch (stage) {
    case 'pace':
      return between(due[k]!, begun[k]!);
    case 'write':
      return between(begun[k]!, written[k]!);
    case 'tell':
      return between(written[k]! || begun[k]!, told[k]!);
    case 'travel':
      return between(written[k]! || begun[k]!, noticed[k]!);
    case 'fetch':
      return between(noticed[k]!, read[k]!);
  }
}

function timeline(due: Float64Array, read: Float64Array, warm: number): Moment[] {
  const first = due[warm];
  if (first === undefined) return [];
  const widthNs = Math.max(1, (due.at(-1)! - first) / MOMENTS);
  const buckets = new Map<number, number[]>();
  for (let k = warm; k < due.length; k++) {
    if (read[k] === 0) continue;
    const bucket = Math.min(MOMENTS - 1, Math.floor((due[k]! - first) / widthNs));
    const values = buckets.get(bucket);
    if (values) values.push(read[k]! - due[k]!);
    else buckets.set(bucket, [read[k]! - due[k]!]);
  }
  return [...buckets].map(([bucket, values]) => {
    values.sort((a, b) => a - b);
    return {
      atMs: Math.round((bucket * widthNs) / 1e6),
      p50Us: Math.round(values[values.length >> 1]! / 1_000),
      maxUs: Math.round(values.at(-1)! / 1_000),
    };
  });
}

export type Verdict = 'ok' | 'FAIL' | 'invalid';

/** Why a run counts, does not count, or counts against its transport. */
export function judge(
  account: Account,
  lateness: Lateness,
  steal = 0,
): { verdict: Verdict; why: string } {
  if (!sound(account)) {
    const { lost, doubled, reordered } = account;
    return { verdict: 'FAIL', why: `${lost} lost, ${doubled} doubled, ${reordered} out of order` };
  }
  if (lateness.share > LATE_SHARE) {
    const share = (lateness.share * 100).toFixed(1);
    return {
      verdict: 'invalid',
      why: `the sender was over 1 ms late for ${share} % of the records`,
    };
  }
  if (steal > STEAL_SHARE) {
    const share = (steal * 100).toFixed(1);
    return { verdict: 'invalid', why: `the host kept ${share} % of the time for others` };
  }
  return { verdict: 'ok', why: '' };
}

export type Run = {
  readonly transport: string;
  readonly rate: number;
  readonly size: number;
  /** Which round of the interleaved order. */
  readonly round: number;
  readonly joined: Joined;
  readonly account: Account;
  readonly usage: {
    readonly writer?: Usage;
    readonly reader?: Usage;
    /** The broker, or the parent that relays. */
    readonly middle?: Usage;
  };
  /** Share of the run that the host kept for others, and what the whole machine was busy, 0..1. */
  readonly steal: number;
  readonly busy: number;
  readonly verdict: Verdict;
  readonly why: string;
};
