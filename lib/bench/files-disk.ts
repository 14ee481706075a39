/** What the bench leaves behind: JSON, the page, Markdown, and histograms in HDR's own formats. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HistogramLogWriter } from 'hdr-histogram-js';
import { TickmeshError } from '../world/error.ts';
import type { Baseline } from './baseline.ts';
import { decode } from './histogram.ts';
import type { Report } from './report.ts';

export const writeText = (path: string, text: string): void => writeFileSync(path, text);
export const writeJson = (path: string, value: unknown): void =>
  writeFileSync(path, `${JSON.stringify(value, null, 1)}\n`);

/** Next to the JSON: a folder with a percentile distribution (.hgrm, us) a line, and all runs in one log (.hlog, ns). */
export function writeHistograms(jsonPath: string, report: Report): string {
  const folder = `${jsonPath.replace(/\.json$/, '')}-hdr`;
  mkdirSync(folder, { recursive: true });
  let log = '';
  const writer = new HistogramLogWriter((text) => (log += text));
  const startMs = Date.parse(report.environment.at);
  writer.outputLogFormatVersion();
  writer.outputComment(`latency from when a record was due, nanoseconds; one interval a run`);
  writer.outputStartTime(startMs);
  writer.baseTime = startMs;
  writer.outputLegend();
  for (const line of report.notify) {
    const name = `${line.transport}-${line.rate}-${line.size}`;
    const { fromDue, runs } = line.histograms;
    writeFileSync(
      join(folder, `${name}.hgrm`),
      decode(fromDue).outputPercentileDistribution(5, 1_000),
    );
    for (const [round, run] of runs.entries()) {
      const histogram = decode(run);
      histogram.tag = name;
      writer.outputIntervalHistogram(
        histogram,
        (round * report.settings.durationMs) / 1_000,
        ((round + 1) * report.settings.durationMs) / 1_000,
        1,
      );
    }
  }
  writeFileSync(join(folder, 'runs.hlog'), log);
  return folder;
}

/** Throws CONFIG_INVALID for a file that holds no baseline. */
export function readBaseline(path: string): Baseline {
  try {
    const found = JSON.parse(readFileSync(path, 'utf8')) as Partial<Baseline>;
    if (found.format === 1 && found.figures && found.machine) return found as Baseline;
    throw new TypeError('no figures in it');
  } catch (cause) {
    throw new TickmeshError('CONFIG_INVALID', `--baseline: ${path}: ${(cause as Error).message}`, {
      cause,
      remedy: 'write one with --save-baseline',
    });
  }
}
