/** Latency results as rows of a table. Pure. */
import { percentileUs } from '../histogram.ts';
import { grouped, spreadText, usText } from '../text.ts';
import { ratio, type Line } from './summary.ts';

/** Whom everybody is measured against. */
export const YARDSTICK = 'zeromq';

export const notifyHead = [
  'way (us)',
  'p50',
  'p90',
  'p99',
  'p99.9',
  'max',
  'due p50',
  'due p99',
  'p50 : zeromq [runs]',
  'cpu w',
  'cpu r',
  'cpu m',
  'samples',
  '',
] as const;

export function notifyRows(lines: readonly Line[]): string[][] {
  return lines.map((line) => {
    const peer = lines.find((each) => each.transport === YARDSTICK);
    const begun = (percentile: number): string => usText(percentileUs(line.fromBegun, percentile));
    const due = (percentile: number): string => usText(percentileUs(line.fromDue, percentile));
    return [
      line.title,
      begun(50),
      begun(90),
      begun(99),
      begun(99.9),
      usText(line.fromBegun.maxUs),
      due(50),
      due(99),
      peer && peer !== line ? spreadText(ratio(line, peer)) : '',
      `${line.cpu.writer} %`,
      `${line.cpu.reader} %`,
      line.cpu.middle > 0 ? `${line.cpu.middle} %` : '',
      grouped(line.fromBegun.samples),
      line.verdict === 'ok' ? '' : `${line.verdict}: ${line.why[0] ?? ''}`,
    ];
  });
}
