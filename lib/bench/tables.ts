/** Every section as a table: once for the terminal, once for Markdown, from the same rows. Pure. */
import { notifyHead, notifyRows } from './notify/table.ts';
import { percentileUs } from './histogram.ts';
import { stages, stageTitles } from './notify/run.ts';
import type { Report } from './report.ts';
import {
  firstHead,
  firstRows,
  residentHead,
  residentRows,
  type Serving,
} from './clients/serving.ts';
import { timesFaster, type RateLine } from './rates.ts';
import { grouped, rateText, spreadText, usText } from './text.ts';

export type Table = {
  readonly title: string;
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

export function tables(report: Report): Table[] {
  const found: Table[] = [];
  for (const { rate, size } of groups(report))
    found.push({
      title: `notify: ${grouped(rate)} records/s, lines of ${size} bytes`,
      head: notifyHead,
      rows: notifyRows(report.notify.filter((line) => line.rate === rate && line.size === size)),
    });
  for (const rate of new Set(report.notify.map((line) => line.rate)))
    found.push(stageTable(report, rate));
  if (report.sweep.length > 0) found.push(sweepTable(report));
  if (report.idle.length > 0) found.push(idleTable(report));
  const rates: readonly (readonly [string, readonly RateLine[], readonly string[]])[] = [
    [
      'throughput: append -> notice -> lines split in the reader',
      report.throughput,
      ['zeromq-message', 'naive'],
    ],
    ['replay: a history to a consumer', report.replay, ['readline', 'tardis', 'json-parse']],
    ['catch-up: a log over sockets', report.catchup, ['push-pull']],
    ['fan-out: frames to WebSocket clients, CPU of the server', report.fanout, ['ws-send-100']],
  ];
  for (const [title, lines, peers] of rates)
    if (lines.length > 0) found.push(rateTable(title, lines, peers));
  if (report.serving) found.push(...servingTables(report.serving));
  return found;
}

function groups(report: Report): { rate: number; size: number }[] {
  const seen = new Map(report.notify.map(({ rate, size }) => [`${rate} ${size}`, { rate, size }]));
  return [...seen.values()];
}

function stageTable({ notify }: Report, rate: number): Table {
  return {
    title: `stages: ${grouped(rate)} records/s, p50 of each (us)`,
    head: ['way', ...stages.map((stage) => stageTitles[stage])],
    rows: notify
      .filter((line) => line.rate === rate && line.fromDue.samples > 0)
      .map((line) => [
        line.title,
        ...stages.map((stage) => {
          const summary = line.stages[stage];
          return summary ? usText(percentileUs(summary, 50)) : '';
        }),
      ]),
  };
}

function sweepTable({ sweep, settings }: Report): Table {
  const rates = [...new Set(sweep.map((line) => line.rate))];
  const titles = [...new Set(sweep.map((line) => line.title))];
  return {
    title: `sweep: p50 and p99 from when records were due (us); one run of 1 s each, ${settings.shape}`,
    head: ['way', ...rates.flatMap((rate) => [`${rateText(rate)}/s p50`, 'p99'])],
    rows: titles.map((title) => [
      title,
      ...rates.flatMap((rate) => {
        const line = sweep.find((each) => each.title === title && each.rate === rate);
        if (!line) return ['', ''];
        const mark = line.verdict === 'FAIL' ? '!' : '';
        return [50, 99].map(
          (percentile) => `${usText(percentileUs(line.fromDue, percentile))}${mark}`,
        );
      }),
    ]),
  };
}

function idleTable({ idle }: Report): Table {
  const share = (value: number): string => `${value.toFixed(2)} %`;
  return {
    title: 'idle: share of a core, and times a second that a process woke and slept again',
    head: ['way', 'writer', 'reader', 'wakes w', 'wakes r'],
    rows: idle.map((line) => [
      line.title,
      share(line.writer.cpuPercent),
      share(line.reader.cpuPercent),
      line.writer.waitsPerSecond.toFixed(1),
      line.reader.waitsPerSecond.toFixed(1),
    ]),
  };
}

function rateTable(title: string, lines: readonly RateLine[], peers: readonly string[]): Table {
  const known = peers.flatMap((name) => lines.filter((line) => line.name === name));
  return {
    title,
    head: [
      'way',
      '/s (median) [runs]',
      'CPU-s per million',
      ...known.map((peer) => `x ${peer.name}`),
    ],
    rows: lines.map((line) => [
      line.title,
      spreadText(line.perSecond, (value) => rateText(value) + (line.unit === 'bytes' ? 'B' : '')),
      Number.isNaN(line.cpuPerMillion)
        ? ''
        : line.cpuPerMillion.toFixed(line.unit === 'bytes' ? 4 : 2),
      ...known.map((peer) => (line.side === 'ours' ? spreadText(timesFaster(line, peer)) : '')),
    ]),
  };
}

const servingTables = (serving: Serving): Table[] => [
  {
    title: 'first message after a client asked, log at 1,000 records/s',
    head: firstHead,
    rows: firstRows(serving),
  },
  {
    title: 'resident memory of a publisher over a replay',
    head: residentHead,
    rows: residentRows(serving),
  },
];
