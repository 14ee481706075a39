/** Which pictures a report has. Pure. */
import { decode, percentileUs } from '../histogram.ts';
import type { Line } from '../notify/summary.ts';
import type { RateLine } from '../rates.ts';
import type { Report } from '../report.ts';
import { grouped, rateText } from '../text.ts';
import { barChart } from './bar-chart.ts';
import { lineChart, type Curve } from './line-chart.ts';

export type Figure = { readonly title: string; readonly note: string; readonly svg: string };

const nines = [50, 90, 99, 99.9, 99.99, 99.999];
const depth = (percentile: number): number => -Math.log10(1 - percentile / 100);
const STEPS = 60;

/** From the median on to the last percentile that the samples carry. */
function tail(line: Line): Curve {
  const histogram = decode(line.histograms.fromDue);
  const last = line.fromDue.percentiles.at(-1)?.percentile;
  const points: [number, number][] = [];
  if (last !== undefined) {
    const from = depth(50);
    for (let step = 0; step <= STEPS; step++) {
      const at = from + ((depth(last) - from) * step) / STEPS;
      points.push([at, histogram.getValueAtPercentile(100 * (1 - 10 ** -at)) / 1_000]);
    }
  }
  return { name: line.transport, title: line.title, points };
}

export function figures(report: Report): Figure[] {
  const found: Figure[] = [];
  const size = report.settings.sizes[0];
  const ofRate = (rate: number): readonly Line[] =>
    report.notify.filter((line) => line.rate === rate && line.size === size);
  for (const rate of new Set(report.notify.map((line) => line.rate))) {
    const lines = ofRate(rate).filter((line) => line.fromDue.samples > 0);
    const most = Math.max(0, ...lines.map((line) => line.fromDue.percentiles.length));
    if (most < 2) continue;
    const title = `Latency by percentile, ${grouped(rate)} records/s`;
    found.push({
      title,
      note: "From when a record was due until it was in the reader's hand; every curve ends where its samples do.",
      svg: lineChart({
        label: title,
        curves: lines.map(tail),
        ticks: nines.slice(0, most).map((at) => ({ at: depth(at), label: `${at} %` })),
        xTitle: 'percentile',
      }),
    });
  }
  for (const rate of new Set(report.notify.map((line) => line.rate))) {
    const lines = ofRate(rate).filter((line) => line.timeline.length > 1 && shownOverTime(line));
    if (lines.length === 0) continue;
    const lastMs = Math.max(...lines.map((line) => line.timeline.at(-1)!.atMs));
    const title = `Latency over time, ${grouped(rate)} records/s`;
    found.push({
      title,
      note: 'The slowest record of each sixtieth of the middle run: stalls of the machine show in all, stalls of a way in one.',
      svg: lineChart({
        label: title,
        curves: lines.map((line) => ({
          name: line.transport,
          title: line.title,
          points: line.timeline.map(({ atMs, maxUs }) => [atMs, Math.max(1, maxUs)]),
        })),
        ticks: [0, 0.25, 0.5, 0.75, 1].map((share) => ({
          at: share * lastMs,
          label: `${((share * lastMs) / 1_000).toFixed(1)} s`,
        })),
        xTitle: 'time into the run',
      }),
    });
  }
  if (report.sweep.length > 0) found.push(sweepFigure(report));
  const cpu = ofRate(report.settings.rates[0] ?? 0);
  if (cpu.length > 0) found.push(cpuFigure(cpu));
  const rates: readonly (readonly [string, string, readonly RateLine[]])[] = [
    ['Throughput', 'Append -> notice -> lines split in the reader.', report.throughput],
    ['Replay', 'A history to a consumer; decoding of records in memory.', report.replay],
    ['Catch-up', 'A log copied over sockets.', report.catchup],
    ['Fan-out', 'Frames to WebSocket clients.', report.fanout],
  ];
  for (const [title, note, lines] of rates)
    if (lines.length > 0) found.push(rateFigure(title, note, lines));
  return found;
}

/** Few enough to be told apart. */
const shownOverTime = ({ transport }: Line): boolean =>
  ['zeromq', 'fs-watch', 'node-ipc', 'redis', 'rabbitmq', 'tickmesh', 'tickmesh-spin'].includes(
    transport,
  );

function sweepFigure({ sweep, notify, settings }: Report): Figure {
  const [size] = settings.sizes;
  const ways = [...new Map(sweep.map((line) => [line.transport, line.title]))];
  const all = [...notify.filter((line) => line.size === size), ...sweep];
  const rates = [...new Set(all.map((line) => line.rate))].sort((a, b) => a - b);
  return {
    title: 'Rate sweep to the knee',
    note: 'The 99th percentile from when records were due, at rising rates: where a curve turns up, the way (or this sender) cannot follow any more.',
    svg: lineChart({
      label: 'Rate sweep',
      curves: ways.map(([name, title]) => ({
        name,
        title,
        points: rates.flatMap((rate): [number, number][] => {
          const line = all.find((each) => each.transport === name && each.rate === rate);
          const us = line && percentileUs(line.fromDue, 99);
          return us === undefined ? [] : [[Math.log10(rate), us]];
        }),
      })),
      ticks: rates.map((rate) => ({ at: Math.log10(rate), label: rateText(rate) })),
      xTitle: 'records a second',
    }),
  };
}

function cpuFigure(lines: readonly Line[]): Figure {
  const title = `Processor time at ${grouped(lines[0]!.rate)} records/s`;
  return {
    title,
    note: 'Share of a core: writer (its pacing included), reader, and broker or relaying parent.',
    svg: barChart({
      label: title,
      rows: lines.map(({ title: way, side, cpu }) => ({
        title: way,
        ours: side === 'ours',
        parts: [
          { value: cpu.writer, title: `writer ${cpu.writer} %` },
          { value: cpu.reader, title: `reader ${cpu.reader} %` },
          { value: cpu.middle, title: `broker or parent ${cpu.middle} %` },
        ],
        text: `${cpu.writer} + ${cpu.reader}${cpu.middle > 0 ? ` + ${cpu.middle}` : ''} %`,
      })),
    }),
  };
}

function rateFigure(title: string, note: string, lines: readonly RateLine[]): Figure {
  const measured = lines.filter((line) => !Number.isNaN(line.perSecond.median));
  return {
    title,
    note: `${note} In powers of ten.`,
    svg: barChart({
      label: title,
      log: true,
      rows: measured.map(({ title: way, side, unit, perSecond }) => ({
        title: way,
        ours: side === 'ours',
        parts: [{ value: perSecond.median, title: rateText(perSecond.median) }],
        text: `${rateText(perSecond.median)}${unit === 'bytes' ? 'B' : ''}/s`,
      })),
    }),
  };
}
