/**
 * The founding document's Table 1 with what was measured beside it. Latency and cost are figures of this report; what no
 * stopwatch measures is judged by what the conformance suite and the specs of failures show. Pure.
 */
import { percentileUs } from './histogram.ts';
import type { Line } from './notify/summary.ts';
import { lineOf, type Report } from './report.ts';

export type Cell = {
  readonly said: string;
  readonly found: string;
  readonly verdict: 'confirmed' | 'refuted' | 'partly' | 'not measured';
};
export type Row = { readonly dimension: string; readonly cells: readonly [Cell, Cell, Cell] };

export const table1Note =
  'Latency, scalability and overhead are figures of this report, at 1,000 records/s. The other rows are judged by what each way is made of and by what the specs of failures show.';

export const columns = ['Node.js IPC', 'Message Queue', 'Storage Polling'] as const;

const RATE = 1_000;

/** A claim of "from … to" in microseconds, judged by medians: confirmed when all lie within, refuted when none does. */
function latencyCell(
  said: string,
  [fromUs, toUs]: readonly [number, number],
  lines: readonly (readonly [string, Line | undefined])[],
): Cell {
  const known = lines.flatMap(([name, line]) => {
    const p50 = line && percentileUs(line.fromBegun, 50);
    if (!line || p50 === undefined) return [];
    const p99 = percentileUs(line.fromBegun, 99);
    return [
      { name, p50, text: `${name} ${ms(p50)}${p99 === undefined ? '' : ` (p99 ${ms(p99)})`}` },
    ];
  });
  if (known.length === 0) return { said, found: 'not measured', verdict: 'not measured' };
  const within = known.filter(({ p50 }) => p50 >= fromUs && p50 <= toUs).length;
  return {
    said,
    found: known.map(({ text }) => text).join('; '),
    verdict: within === known.length ? 'confirmed' : within === 0 ? 'refuted' : 'partly',
  };
}

const ms = (us: number): string =>
  us < 100_000 ? `${(us / 1_000).toFixed(us < 10_000 ? 2 : 1)} ms` : `${Math.round(us / 1_000)} ms`;

const judged = (said: string, verdict: Cell['verdict'], found: string): Cell => ({
  said,
  found,
  verdict,
});

export function table1(report: Report): Row[] {
  const at = (name: string): Line | undefined => lineOf(report, name, RATE);
  const cpu = (name: string): string => {
    const line = at(name);
    return line
      ? `${(line.cpu.writer + line.cpu.reader + line.cpu.middle).toFixed(0)} % of a core at 1,000/s`
      : 'not measured';
  };
  const lost = report.notify.reduce((sum, line) => sum + (line.verdict === 'FAIL' ? 1 : 0), 0);
  const idle = (name: string): string => {
    const line = report.idle.find(({ transport }) => transport === name);
    return line
      ? `${line.reader.cpuPercent.toFixed(1)} % of a core at rest`
      : 'at rest not measured';
  };
  const knee = (name: string): string => {
    const kept = report.sweep.filter(
      (line) => line.transport === name && (percentileUs(line.fromDue, 99) ?? Infinity) < 50_000,
    );
    const best = Math.max(0, ...kept.map((line) => line.rate));
    return best > 0
      ? `follows ${best / 1_000}k records/s with p99 below 50 ms`
      : 'rates above 10,000/s not measured';
  };
  const zeromq = percentileUs(at('zeromq-file')?.fromBegun ?? nothing, 50);
  return [
    {
      dimension: 'Latency',
      cells: [
        latencyCell(
          'Very Low (<1ms)',
          [0, 1_000],
          [
            ['parent to child', at('node-ipc')],
            ['relayed by the parent', at('node-ipc-relayed')],
          ],
        ),
        latencyCell(
          'Low-Medium (5-50ms)',
          [5_000, 50_000],
          [
            ['ZeroMQ', at('zeromq-file')],
            ['Redis', at('redis')],
            ['RabbitMQ', at('rabbitmq')],
            ['RabbitMQ, persistent and confirmed', at('rabbitmq-confirmed')],
          ],
        ),
        latencyCell(
          'Medium-High (100ms-5s)',
          [100_000, 5e6],
          [
            ['every 1 ms', at('poll-1ms')],
            ['every 100 ms', at('poll-100ms')],
            ['every 1 s', at('poll-1s')],
            ['file watching', at('fs-watch')],
          ],
        ),
      ],
    },
    {
      dimension: 'Complexity',
      cells: [
        judged(
          'Low-Medium',
          'partly',
          'little code, but a relaying parent is one more process that must not die',
        ),
        judged(
          'Medium-High',
          'partly',
          'true of a broker; ZeroMQ is a library and needs no process of its own',
        ),
        judged(
          'Very Low',
          'partly',
          'a loop is simple; one that neither misses nor repeats needs positions, not modification times',
        ),
      ],
    },
    {
      dimension: 'Dependencies',
      cells: [
        judged('None', 'confirmed', 'part of Node'),
        judged(
          'External Broker',
          'partly',
          'Redis and RabbitMQ: a server; ZeroMQ: none, one native package',
        ),
        judged('None', 'confirmed', 'part of Node'),
      ],
    },
    {
      dimension: 'Delivery Guarantee',
      cells: [
        judged(
          'No',
          'confirmed',
          `by itself none; with the log as the queue ${lost === 0 ? 'no record was lost by any way here' : `${lost} results lost records`}`,
        ),
        judged(
          'Yes (AMQP) / No (Pub/Sub)',
          'partly',
          'true of the messages; it matters little once the file is the truth: a lost notice costs time, not a record',
        ),
        judged('Eventual', 'confirmed', 'whatever is in the file is found at the next look'),
      ],
    },
    {
      dimension: 'Process Independence',
      cells: [
        judged(
          'Low',
          'confirmed',
          'both ends must be of one family; the relay dies with the parent',
        ),
        judged('High', 'confirmed', 'any process may start, stop and come back'),
        judged('Very High', 'confirmed', 'neither side knows of the other'),
      ],
    },
    {
      dimension: 'Failure Recovery',
      cells: [
        judged('Manual', 'partly', 'manual for the channel; automatic over a polling floor'),
        judged(
          'Automatic (AMQP)',
          'partly',
          'automatic with every queue over a polling floor; ZeroMQ reconnects within 1 ms steps',
        ),
        judged('Implicit', 'confirmed', 'the next look finds everything'),
      ],
    },
    {
      dimension: 'Scalability',
      cells: [
        judged('Limited', 'partly', `one host only; ${knee('node-ipc')}`),
        judged('High', 'partly', `Redis ${knee('redis')}; ZeroMQ ${knee('zeromq-file')}`),
        judged('Medium', 'partly', 'one host, but as fast as reading a file: a batch per look'),
      ],
    },
    {
      dimension: 'Operational Overhead',
      cells: [
        judged('Low', 'confirmed', cpu('node-ipc')),
        judged(
          'Medium-High',
          zeromq === undefined ? 'not measured' : 'partly',
          `Redis ${cpu('redis')}; RabbitMQ ${cpu('rabbitmq')}; ZeroMQ ${cpu('zeromq-file')} and nothing to run`,
        ),
        judged(
          'Low',
          'partly',
          `every 1 ms ${idle('poll-1ms')}; every 100 ms ${idle('poll-100ms')}; watching ${idle('fs-watch')}`,
        ),
      ],
    },
  ];
}

const nothing = { samples: 0, percentiles: [], maxUs: 0 };

export const table1Head = [
  'dimension',
  ...columns.flatMap((column) => [`${column}: said`, 'found', 'verdict']),
];
export const table1Rows = (rows: readonly Row[]): string[][] =>
  rows.map(({ dimension, cells }) => [
    dimension,
    ...cells.flatMap(({ said, found, verdict }) => [said, found, verdict]),
  ]);
