/** `tickmesh bench WHAT`: measures, prints a table, and leaves files behind where asked to. */
import { writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { environment } from '../../lib/bench/environment-disk.ts';
import { notify } from '../../lib/bench/notify/notify-process.ts';
import { plan } from '../../lib/bench/notify/plan.ts';
import { notifyHead, notifyRows } from '../../lib/bench/notify/table.ts';
import { Progress } from '../../lib/bench/progress-process.ts';
import { LINE_MIN } from '../../lib/bench/record.ts';
import { grouped, textTable } from '../../lib/bench/text.ts';
import { startServers } from '../../lib/bench/servers-process.ts';
import { transportNamed, transports } from '../../lib/bench/transport/registry.ts';
import { parseDuration } from '../../lib/topology/units.ts';
import { TickmeshError } from '../../lib/world/error.ts';

export type BenchOptions = {
  readonly what: string;
  readonly rate?: string | undefined;
  readonly duration?: string | undefined;
  readonly warmup?: string | undefined;
  readonly sizes?: string | undefined;
  readonly transports?: string | undefined;
  readonly runs?: string | undefined;
  readonly shape?: string | undefined;
  readonly dir?: string | undefined;
  readonly json?: string | undefined;
  readonly nice?: string | undefined;
};

const refuse = (message: string, remedy: string): TickmeshError =>
  new TickmeshError('CONFIG_INVALID', message, { remedy });

function numbers(option: string, text: string, least: number): number[] {
  const values = text.split(',').map(Number);
  if (values.some((value) => !(value >= least && Number.isFinite(value))))
    throw refuse(`--${option}: not numbers from ${least} on: ${text}`, `e.g. --${option} ${least}`);
  return values;
}

function duration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms < 0)
    throw refuse(`--${option}: not a time: ${text}`, 'e.g. 2s, 500ms');
  return ms;
}

const script = (name: string): string =>
  fileURLToPath(new URL(`../bench/${name}.js`, import.meta.url));

export async function bench(options: BenchOptions, print: (text: string) => void): Promise<number> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, stop);
  // Inherited by every process that is started from here on.
  if (options.nice !== undefined) setPriority(Number(options.nice));
  using progress = new Progress(process.stderr);
  const place = environment(options.dir);
  const chosen = options.transports
    ? options.transports.split(',').map(transportNamed)
    : transports;
  const planned = plan({
    transports: chosen,
    rates: numbers('rate', options.rate ?? '1000,10000', 1),
    sizes: numbers('sizes', options.sizes ?? '158', LINE_MIN),
    rounds: numbers('runs', options.runs ?? '5', 1)[0]!,
    all: options.transports !== undefined,
  });
  const needed = new Set(chosen.flatMap(({ needs }) => needs ?? []));
  if (needed.size > 0) progress.show(`starting ${[...needed].join(' and ')}`);
  await using servers = await startServers([...needed]);
  const result = await notify({
    planned,
    shape: { kind: 'constant' },
    warmMs: duration('warmup', options.warmup ?? '1s'),
    durationMs: duration('duration', options.duration ?? '2s'),
    scripts: { writer: script('writer'), reader: script('reader') },
    servers: servers.running,
    ...(options.dir === undefined ? {} : { dir: options.dir }),
    signal: stopping.signal,
    progress: (text) => progress.show(text),
  });
  progress.clear();
  const rates = new Set(result.lines.map((line) => line.rate));
  for (const rate of rates) {
    const rows = result.lines.filter((line) => line.rate === rate);
    print(`\n${grouped(rate)} records/s\n${textTable(notifyHead, notifyRows(rows))}`);
  }
  for (const problem of servers.missing) print(`left out, ${problem}\n`);
  for (const problem of result.problems) print(`left out: ${problem}\n`);
  if (options.json !== undefined)
    writeFileSync(
      options.json,
      `${JSON.stringify({ environment: place, notify: result }, null, 1)}\n`,
    );
  if (stopping.signal.aborted) return 130;
  return result.lines.some((line) => line.verdict === 'FAIL') ? 1 : 0;
}
