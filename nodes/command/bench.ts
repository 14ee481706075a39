/** `tickmesh bench WHAT`: measures, prints tables, and leaves files behind where asked to. */
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { barHead, barRows, bars } from '../../lib/bench/bars.ts';
import { baselineOf, changes } from '../../lib/bench/baseline.ts';
import { environment } from '../../lib/bench/environment-disk.ts';
import { readBaseline, writeHistograms, writeJson, writeText } from '../../lib/bench/files-disk.ts';
import { html } from '../../lib/bench/html/page.ts';
import { markdown } from '../../lib/bench/markdown.ts';
import { measure } from '../../lib/bench/measure-process.ts';
import { Progress } from '../../lib/bench/progress-process.ts';
import { failed, type Report } from '../../lib/bench/report.ts';
import { tables } from '../../lib/bench/tables.ts';
import { textTable } from '../../lib/bench/text.ts';
import { benchSettings, type BenchOptions } from './bench-settings.ts';

const script = (name: string): string =>
  fileURLToPath(new URL(`../bench/${name}.js`, import.meta.url));

export async function bench(options: BenchOptions, print: (text: string) => void): Promise<number> {
  const { settings, shape } = benchSettings(options);
  const before = options.baseline === undefined ? undefined : readBaseline(options.baseline);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  using progress = new Progress(process.stderr);
  // Inherited by every process that is started from here on.
  if (settings.nice !== 0) setPriority(settings.nice);
  const report = await measure({
    environment: environment(options.dir),
    settings,
    shape,
    scripts: { writer: script('writer'), reader: script('reader'), task: script('task') },
    ...(options.dir === undefined ? {} : { dir: options.dir }),
    signal: stopping.signal,
    progress: (text) => progress.show(text),
  });
  progress.clear();
  for (const { title, head, rows } of tables(report)) print(`\n${title}\n${textTable(head, rows)}`);
  const measured = bars(report).filter(({ met }) => met !== undefined);
  if (measured.length > 0) print(`\nbars\n${textTable(barHead, barRows(measured))}`);
  for (const problem of report.problems) print(`\n${problem}`);
  if (report.problems.length > 0) print('\n');
  leave(report, options, print);
  const worse = before ? compare(before, report, print) : false;
  if (stopping.signal.aborted) return 130;
  return failed(report) || worse ? 1 : 0;
}

function leave(report: Report, options: BenchOptions, print: (text: string) => void): void {
  if (options.json !== undefined) {
    writeJson(options.json, report);
    print(`\n${options.json}, and histograms in ${writeHistograms(options.json, report)}\n`);
  }
  if (options.html !== undefined) {
    writeText(options.html, html(report));
    print(`\n${options.html}\n`);
  }
  if (options.write !== undefined) {
    writeText(options.write, markdown(report));
    print(`\n${options.write}\n`);
  }
  if (options.saveBaseline !== undefined) {
    writeJson(options.saveBaseline, baselineOf(report));
    print(`\n${options.saveBaseline}\n`);
  }
}

/** True when something got worse. */
function compare(
  before: ReturnType<typeof readBaseline>,
  report: Report,
  print: (text: string) => void,
): boolean {
  const found = changes(before, baselineOf(report));
  if (!found) {
    print(`\nnot compared: the baseline is of another machine (${before.machine})\n`);
    return true;
  }
  const rows = found.map(({ figure, before: old, now, worse }) => [
    figure,
    String(old),
    String(now),
    `${(now / old).toFixed(2)}x`,
    worse ? 'WORSE' : '',
  ]);
  print(`\nagainst ${before.commit} of ${before.at}\n`);
  print(textTable(['figure', 'before', 'now', 'change', ''], rows));
  return found.some(({ worse }) => worse);
}
