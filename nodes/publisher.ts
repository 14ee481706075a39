/** A publisher process: feed -> WebSocket and REST of an exchange. Started by `tickmesh up`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { exchanges, readers } from '../lib/exchange/registry.ts';
import { openFeed } from '../lib/feed/feed.ts';
import { runNode, type NodeContext } from '../lib/launch/node-process.ts';
import { listLogs } from '../lib/log/disk-list.ts';
import { logParts, type LogName } from '../lib/log/name.ts';
import { LogReader } from '../lib/log/disk-reader.ts';
import { instrumentOf } from '../lib/market/instrument.ts';
import { Publisher } from '../lib/publisher/publisher.ts';
import { publisherDefaults } from '../lib/publisher/settings.ts';
import type { PublisherSettings } from '../lib/topology/node.ts';
import { logMatcher } from '../lib/topology/pattern.ts';
import { TickmeshError } from '../lib/world/error.ts';

/** How often a folder without logs is looked at again. */
const LOOK_MS = 250;

const exitCode = await runNode<PublisherSettings>(async (settings, context) => {
  const { signal, logger, ready } = context;
  const data = dataOf(settings);
  const logs = await findLogs(settings, data, context);
  if (logs.length === 0) return;
  const instruments = [...new Set(logs.map((log) => logParts(log).instrument))];
  const exchange = exchanges[settings.exchange]!;
  const { listen, slowClient } = settings;
  await using publisher = new Publisher({
    venue: (seams) =>
      exchange.venue({
        ...seams,
        instruments: instruments.map((name) => instrumentOf(name)),
        readers: readers(),
        logs,
      }),
    feed: openFeed({ data, logs, from: { beforeEndUs: settings.historyMs * 1000 }, signal }),
    time: settings.time,
    settings: { slow: { ...publisherDefaults.slow, ...slowClient } },
    onFailure: (err) => logger.error({ err }, 'a record or a request was not served'),
  });
  const { port } = await publisher.start(listen.port, listen.host);
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  ready({
    urls: { WebSocket: `ws://${host}:${port}`, REST: `http://${host}:${port}` },
    note: `serves ${instruments.join(', ').slice(0, 200)}`,
  });
  await publisher.done;
});
process.exit(exitCode);

/** The one folder that it reads from. */
function dataOf({ from }: PublisherSettings): string {
  const folders = new Set(from.map(({ data }) => data));
  const [data] = folders;
  if (folders.size === 1 && data !== undefined) return data;
  throw new TickmeshError(
    'CONFIG_INVALID',
    'a publisher reads from one data folder of its own host',
    {
      remedy: 'give its fetchers one folder, or put a replica on this host and read from it',
    },
  );
}

/** Logs of its writers that it serves; waits for the first one. [] when told to stop before. */
async function findLogs(
  { from, logs: patterns }: PublisherSettings,
  data: string,
  { signal, logger }: NodeContext,
): Promise<LogName[]> {
  const matches = logMatcher(patterns);
  const writers = new Set(from.map(({ writer }) => writer));
  for (let waited = 0; !signal.aborted; waited++) {
    const found = listLogs(data).filter(
      (log) => matches(log) && writers.has(writerOf(data, log) ?? ''),
    );
    if (found.length > 0) return found;
    if (waited === 4) logger.warn({ data, patterns }, 'no log to serve yet, waiting');
    await sleep(LOOK_MS, undefined, { signal }).catch(() => undefined);
  }
  return [];
}

/** Node that wrote a log last. */
function writerOf(data: string, log: LogName): string | undefined {
  using reader = new LogReader(data, log);
  return reader.epochs(reader.head()?.epoch ?? -1).at(-1)?.node;
}
