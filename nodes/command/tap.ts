/** `tickmesh tap LOG`: records of a log on the terminal, from any place on. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { openFeed } from '../../lib/feed/feed.ts';
import type { From } from '../../lib/feed/record.ts';
import type { FeedEvent, FeedRecord } from '../../lib/feed/record.ts';
import { listLogs } from '../../lib/log/disk-list.ts';
import { nearest } from '../../lib/topology/nearest.ts';
import { isLogPattern, logMatcher } from '../../lib/topology/pattern.ts';
import { parseDuration } from '../../lib/topology/units.ts';
import { isWriter } from '../../lib/topology/wiring.ts';
import { TickmeshError } from '../../lib/world/error.ts';
import { load } from './load.ts';

export type TapOptions = {
  readonly log: string;
  readonly data?: string | undefined;
  readonly from: string;
  readonly count?: string | undefined;
  readonly exit: boolean;
  readonly json: boolean;
};

/** "start", "end", "-100", "-15m", or a time, as a feed's beginning. Throws CONFIG_INVALID. */
export function parseFrom(text: string): From {
  if (text === 'start' || text === 'end') return text;
  if (/^-\d{1,12}$/.test(text)) return { last: -Number(text) };
  const agoMs = text.startsWith('-') ? parseDuration(text.slice(1)) : undefined;
  if (agoMs !== undefined) return { beforeEndUs: Math.round(agoMs * 1000) };
  const timeMs = /^\d{4}-\d\d-\d\d(?:T|$)/.test(text) ? Date.parse(text) : NaN;
  if (Number.isFinite(timeMs)) return { timeUs: timeMs * 1000 };
  throw new TickmeshError(
    'CONFIG_INVALID',
    `--from: not a place in a log: ${JSON.stringify(text)}`,
    {
      remedy:
        'write start, end, -100 (records before the end), -15m (time before the end), or 2024-08-08T23:55:00Z',
    },
  );
}

export async function tap(options: TapOptions, env: NodeJS.ProcessEnv): Promise<number> {
  const from = parseFrom(options.from);
  const most = options.count === undefined ? Infinity : Number(options.count);
  if (!(most > 0)) {
    throw new TickmeshError(
      'CONFIG_INVALID',
      `--count: not a number of records: ${options.count}`,
      {
        remedy: 'write a whole number, e.g. -n 10',
      },
    );
  }
  const data = options.data === undefined ? await dataOfTopology(env) : resolve(options.data);
  const logs = chooseLogs(options.log, data);
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  process.stdout.on('error', stop);
  const feed = openFeed({
    data,
    logs,
    from,
    signal: stopping.signal,
    ...(options.exit ? { until: 'end' } : {}),
  });
  const show = options.json
    ? (record: FeedRecord) => record.line.toString('utf8')
    : shower(logs.length > 1);
  let shown = 0;
  for await (const { records, events } of feed) {
    const wanted = records.slice(0, most - shown);
    shown += wanted.length;
    // A slow terminal slows the reading: nothing piles up here.
    if (wanted.length > 0 && !process.stdout.write(wanted.map(show).join('')))
      await drained(stopping.signal);
    for (const event of events) tell(event);
    if (shown >= most) break;
  }
  return 0;
}

const drained = (signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    if (signal.aborted) return done();
    process.stdout.once('drain', done);
    signal.addEventListener('abort', () => done(), { once: true });
  });

/** Time, log when there are several, payload. */
const shower =
  (several: boolean) =>
  (record: FeedRecord): string => {
    const at = new Date(Math.floor(record.timeUs / 1000)).toISOString().slice(0, 23);
    const time = `${at}${String(record.timeUs % 1000).padStart(3, '0')}Z`;
    const mark = record.mark === undefined ? '' : `[${record.mark}] `;
    return `${time}  ${several ? `${record.log}  ` : ''}${mark}${record.payload.toString('utf8')}\n`;
  };

/** What is no record goes to the other stream: records can be piped on. */
function tell(event: FeedEvent): void {
  if (event.state === 'gap')
    process.stderr.write(`-- ${event.log}: ${event.to - event.from} bytes are kept no more\n`);
  else if (event.state === 'rewound')
    process.stderr.write(`-- ${event.log}: the writer took back ${event.lines} records\n`);
  else if (event.state === 'degraded')
    process.stderr.write(`-- ${event.log ?? 'all logs'}: no notices, polling\n`);
}

/** The logs meant: one that may come later, or those that a pattern matches now. */
function chooseLogs(text: string, data: string): string[] {
  if (!isLogPattern(text)) {
    throw new TickmeshError('NAME_INVALID', `not a log: ${JSON.stringify(text.slice(0, 200))}`, {
      remedy:
        'write <exchange>/<instrument>/<channel>, e.g. binance/BTC-USDT/trade; "*" stands for any letters',
    });
  }
  const there = listLogs(data);
  const found = there.filter(logMatcher([text]));
  if (found.length > 0) return found;
  const meant = nearest(text, there);
  throw new TickmeshError('LOG_MISSING', `there is no log ${text} in ${data}`, {
    remedy:
      meant !== undefined
        ? `did you mean ${meant}?`
        : there.length > 0
          ? `there are: ${there.slice(0, 12).join(', ')}${there.length > 12 ? ' …' : ''}`
          : 'start the mesh (tickmesh up), or name the folder: --data',
  });
}

/** Without --data: the folder of the fetchers of topology.yaml, else "data". */
async function dataOfTopology(env: NodeJS.ProcessEnv): Promise<string> {
  if (env['TICKMESH_TOPOLOGY'] === undefined && !existsSync('topology.yaml'))
    return resolve('data');
  const { plan, topology } = await load({ options: {} }, env);
  const folders = new Set(
    plan.nodes.flatMap(({ name, settings }) =>
      settings.run !== 'publisher' && isWriter(topology.file.nodes[name]) ? [settings.data] : [],
    ),
  );
  const [data] = folders;
  if (folders.size === 1 && data !== undefined) return data;
  throw new TickmeshError('CONFIG_INVALID', 'the topology has several data folders', {
    remedy: `name one: --data ${[...folders].join(' or --data ')}`,
  });
}
