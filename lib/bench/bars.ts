/**
 * What was promised against what was reached. A bar hangs on the median of the runs; the spread stands beside it, so that a
 * reader sees how much it is worth. Pure.
 */
import { mbText, msText, percentileMs, type FirstWay } from './clients/serving.ts';
import { percentileUs } from './histogram.ts';
import { cpuRatio, ratio, type Line } from './notify/summary.ts';
import { timesFaster, type RateLine } from './rates.ts';
import { lineOf, rateOf, type Report } from './report.ts';
import type { Spread } from './spread.ts';
import { grouped, rateText, ratioText, spreadText, usText } from './text.ts';

export type Bar = {
  readonly what: string;
  readonly bar: string;
  readonly reached: string;
  /** Undefined when it was not measured. */
  readonly met: boolean | undefined;
};

const bar = (
  what: string,
  limit: number,
  sense: '<=' | '>=',
  reached: Spread | number | undefined,
  text: (value: number) => string = ratioText,
): Bar => {
  const value = typeof reached === 'number' ? reached : reached?.median;
  const known = value !== undefined && !Number.isNaN(value);
  return {
    what,
    bar: `${sense} ${text(limit)}`,
    reached: !known
      ? 'not measured'
      : typeof reached === 'number'
        ? text(reached)
        : spreadText(reached, text),
    met: known ? (sense === '<=' ? value <= limit : value >= limit) : undefined,
  };
};

export function bars(report: Report): Bar[] {
  return [
    ...latencyBars(report),
    ...rateBars(report),
    ...fanoutBars(report),
    ...servingBars(report),
    ...idleBars(report),
  ];
}

const both = <T, R>(
  one: T | undefined,
  other: T | undefined,
  how: (a: T, b: T) => R,
): R | undefined => (one && other ? how(one, other) : undefined);

function latencyBars(report: Report): Bar[] {
  const at = (name: string, rate: number): Line | undefined => lineOf(report, name, rate);
  const p50 = (own: string, peer: string, rate: number): Spread | undefined =>
    both(at(own, rate), at(peer, rate), ratio);
  const spin = at('tickmesh-spin', 10_000);
  const zeromq = 'bare zeromq.js notification';
  return [
    bar(
      `ZeroMQ only, p50 at 1,000/s : ${zeromq}`,
      1.3,
      '<=',
      p50('tickmesh-zeromq', 'zeromq', 1_000),
    ),
    bar(
      `same-host default, p50 at 1,000/s : ${zeromq}`,
      0.6,
      '<=',
      p50('tickmesh', 'zeromq', 1_000),
    ),
    bar(
      `same-host default, p50 at 10,000/s : ${zeromq}`,
      0.45,
      '<=',
      p50('tickmesh', 'zeromq', 10_000),
    ),
    bar(
      'same-host default, p50 at 1,000/s : Node IPC + read',
      0.7,
      '<=',
      p50('tickmesh', 'node-ipc', 1_000),
    ),
    bar(
      'same-host default, p50 at 1,000/s : Redis Pub/Sub + read',
      0.35,
      '<=',
      p50('tickmesh', 'redis', 1_000),
    ),
    bar(
      'same-host default, p50 at 1,000/s : RabbitMQ + read',
      0.25,
      '<=',
      p50('tickmesh', 'rabbitmq', 1_000),
    ),
    bar(
      `adaptive, p50 at 10,000/s : ${zeromq}`,
      0.2,
      '<=',
      p50('tickmesh-adaptive', 'zeromq', 10_000),
    ),
    bar(`spin, p50 at 10,000/s : ${zeromq}`, 0.2, '<=', p50('tickmesh-spin', 'zeromq', 10_000)),
    bar(
      'spin, p50 at 10,000/s (two cores free)',
      15,
      '<=',
      spin && percentileUs(spin.fromBegun, 50) !== undefined ? spin.p50 : undefined,
      (us) => `${usText(us)} us`,
    ),
    bar(
      `CPU of all processes at 1,000/s, same-host default : ${zeromq}`,
      1.5,
      '<=',
      both(at('tickmesh', 1_000), at('zeromq', 1_000), cpuRatio),
    ),
  ];
}

function rateBars({ throughput, replay }: Report): Bar[] {
  const faster = (lines: readonly RateLine[], own: string, peer: string): Spread | undefined =>
    both(rateOf(lines, own), rateOf(lines, peer), timesFaster);
  const perSecond = (value: number): string => `${rateText(value)}/s`;
  const whole = rateOf(replay, 'replay');
  const two = rateOf(replay, 'merge-2');
  const twenty = rateOf(replay, 'merge-20');
  return [
    bar(
      'append -> notice -> split lines',
      2e6,
      '>=',
      rateOf(throughput, 'tickmesh')?.perSecond,
      perSecond,
    ),
    bar(
      '… : one zeromq message a record',
      15,
      '>=',
      faster(throughput, 'tickmesh', 'zeromq-message'),
    ),
    bar(
      '… : appendFile + JSON note + readline',
      300,
      '>=',
      faster(throughput, 'tickmesh', 'naive'),
    ),
    bar('raw replay of a log', 3e6, '>=', whole?.perSecond, perSecond),
    bar(
      '… CPU seconds a million',
      0.5,
      '<=',
      whole?.cpuPerMillion,
      (value) => `${value.toFixed(2)} s`,
    ),
    bar('… : readline + JSON.parse', 5, '>=', faster(replay, 'replay', 'readline')),
    bar('… : tardis-dev 13.35.3 raw', 5, '>=', faster(replay, 'replay', 'tardis')),
    bar('decoded trades : JSON.parse of a line', 4, '>=', faster(replay, 'decode', 'json-parse')),
    bar('merge of 2 logs by time', 1e6, '>=', two?.perSecond, perSecond),
    bar(
      'merge of 20 logs, cost of a record : of 2 logs (log 20 : log 2)',
      Math.log(20) / Math.log(2),
      '<=',
      two && twenty ? timesFaster(two, twenty) : undefined,
    ),
  ];
}

/** A shorter replay than this is not judged: it may end before anything has grown. */
const LONG = 10_000_000;
const RESIDENT = 90 * 2 ** 20;
/** What counts as flat, bytes between the second tenth of a replay and its last. */
const FLAT = 5 * 2 ** 20;

function servingBars({ serving }: Report): Bar[] {
  const first = (way: FirstWay): number | undefined =>
    serving && percentileMs(serving.firstMs[way], 99);
  const replayed = serving?.resident;
  const resident = replayed && replayed.records >= LONG ? replayed : undefined;
  return [
    bar('first message after SUBSCRIBE, p99', 20, '<=', first('subscribe'), msText),
    bar('first message after dialling a URL, p99', 20, '<=', first('url'), msText),
    bar(
      `resident memory of a publisher replaying ${grouped(LONG)} records`,
      RESIDENT,
      '<=',
      resident?.peak,
      mbText,
    ),
    bar(
      '… its growth from the second tenth to the last',
      FLAT,
      '<=',
      resident && resident.late - resident.early,
      mbText,
    ),
  ];
}

function fanoutBars({ fanout }: Report): Bar[] {
  const crowd = both(rateOf(fanout, 'publisher-100'), rateOf(fanout, 'ws-send-100'), timesFaster);
  const cpu = rateOf(fanout, 'feed-1')?.cpuPerMillion;
  const seconds = (value: number): string => `${value.toFixed(2)} s`;
  return [
    bar(
      'publishing, CPU seconds of the server a million frames, one client',
      0.7,
      '<=',
      cpu,
      seconds,
    ),
    bar('100 clients, 10 records a turn, frames/s : one ws.send each', 5, '>=', crowd),
  ];
}

function idleBars({ idle }: Report): Bar[] {
  const line = idle.find(({ transport }) => transport === 'tickmesh');
  const share = (value: number): string => `${value.toFixed(2)} %`;
  return [
    bar('idle, share of a core: fetcher', 0.5, '<=', line?.writer.cpuPercent, share),
    bar('idle, share of a core: reader', 0.5, '<=', line?.reader.cpuPercent, share),
  ];
}

export const barHead = ['what', 'bar', 'reached [runs]', 'verdict'] as const;
export const barRows = (found: readonly Bar[]): string[][] =>
  found.map(({ what, bar: limit, reached, met }) => [
    what,
    limit,
    reached,
    met === undefined ? '-' : met ? 'met' : 'MISSED',
  ]);
