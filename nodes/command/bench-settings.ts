/** What the command line of `tickmesh bench` asks for, checked. */
import { recordedTimes } from '../../lib/bench/recorded-disk.ts';
import { LINE_MIN } from '../../lib/bench/record.ts';
import { sections, type Section, type Settings } from '../../lib/bench/report.ts';
import type { Shape } from '../../lib/bench/schedule.ts';
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
  readonly records?: string | undefined;
  readonly dir?: string | undefined;
  readonly json?: string | undefined;
  readonly html?: string | undefined;
  readonly write?: string | undefined;
  readonly saveBaseline?: string | undefined;
  readonly baseline?: string | undefined;
  readonly nice?: string | undefined;
};

const SWEEP_RATES = [20_000, 50_000, 100_000, 200_000];
/** At which throughput flows run their own number of records. */
const RECORDS = 1_000_000;
/** Records of the replay over which a publisher's memory is looked at. */
const LONG = 10_000_000;

const refuse = (message: string, remedy: string): TickmeshError =>
  new TickmeshError('CONFIG_INVALID', message, { remedy });

/** Throws CONFIG_INVALID, SOURCE_INVALID. */
export function benchSettings(options: BenchOptions): { settings: Settings; shape: Shape } {
  const records = numbers('records', options.records ?? `${RECORDS}`, 1)[0]!;
  const shape = shapeOf(options.shape ?? 'constant');
  return {
    shape,
    settings: {
      what: sectionsOf(options.what),
      transports: options.transports
        ? options.transports.split(',').map((name) => transportNamed(name).name)
        : transports.map(({ name }) => name),
      rates: numbers('rate', options.rate ?? '1000,10000', 1),
      sweepRates: SWEEP_RATES,
      sizes: numbers('sizes', options.sizes ?? '158', LINE_MIN),
      shape: shape.kind,
      durationMs: duration('duration', options.duration ?? '2s'),
      warmMs: duration('warmup', options.warmup ?? (options.what === 'all' ? '500ms' : '1s')),
      rounds: numbers('runs', options.runs ?? '5', 1)[0]!,
      records,
      longRecords: options.records === undefined ? LONG : records,
      scale: records / RECORDS,
      nice: numbers('nice', options.nice ?? '0', -20)[0]!,
    },
  };
}

function sectionsOf(what: string): readonly Section[] {
  if (what === 'all') return sections;
  const found = sections.find((section) => section === what);
  if (found) return [found];
  throw refuse(`nothing to measure is called ${what}`, `one of ${sections.join(', ')}, all`);
}

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

function shapeOf(text: string): Shape {
  if (text === 'constant') return { kind: 'constant' };
  if (text === 'poisson') return { kind: 'poisson', seed: 'tickmesh' };
  if (text.startsWith('burst:'))
    return { kind: 'burst', timesUs: recordedTimes(text.slice('burst:'.length)) };
  throw refuse(`--shape: not a shape: ${text}`, 'constant, poisson, or burst:<recorded file>');
}
