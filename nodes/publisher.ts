/** A publisher process: feed -> WebSocket and REST of an exchange. Started by `tickmesh up`. */
import { exchanges, readers } from '../lib/exchange/registry.ts';
import { openFeed } from '../lib/feed/feed.ts';
import { standBack } from '../lib/launch/niceness-process.ts';
import { runNode, type NodeContext } from '../lib/launch/node-process.ts';
import type { Security } from '../lib/mesh/security-zeromq.ts';
import { logParts, type LogName } from '../lib/log/name.ts';
import { instrumentOf } from '../lib/market/instrument.ts';
import { Publisher } from '../lib/publisher/publisher.ts';
import { publisherDefaults, publisherFeed } from '../lib/publisher/settings.ts';
import type { PublisherSettings } from '../lib/topology/node.ts';
import { TickmeshError } from '../lib/world/error.ts';
import { firstLogs, moreLogs } from './logs.ts';
import { publisherCounts, securityCounts } from './counts.ts';
import { tellIncidents } from './incidents-timer.ts';
import { openSecurity } from './security.ts';
import { tellEvents } from './told.ts';

const slowWords = {
  skipping: 'a client reads too slowly: leaving out turns for it',
  skipped: 'a client that read too slowly has caught up or gone: so much was left out',
  cut: 'a client read too slowly and was cut (1008)',
} as const;

const exitCode = await runNode<PublisherSettings>(async (settings, context) => {
  const { signal, logger } = context;
  const data = dataOf(settings);
  standBack(settings.nice);
  await using security = await openSecurity(settings);
  let logs: readonly LogName[] = await firstLogs(settings, data, context);
  while (logs.length > 0 && !signal.aborted) {
    const round = new AbortController();
    const stop = AbortSignal.any([signal, round.signal]);
    const more = moreLogs(settings, data, logs, stop).then((found) => {
      if (found !== undefined) round.abort();
      return found;
    });
    await serve(settings, data, logs, { ...context, signal: stop }, security);
    round.abort();
    const found = await more;
    if (found === undefined) return;
    const fresh = found.filter((log) => !logs.includes(log));
    logger.info({ logs: fresh }, 'there are new logs: all is served anew, clients dial again');
    logs = found;
  }
});
process.exit(exitCode);

/** Serves these logs until the signal aborts or the feed fails. */
async function serve(
  settings: PublisherSettings,
  data: string,
  logs: readonly LogName[],
  { signal, logger, ready }: NodeContext,
  security: Security | undefined,
): Promise<void> {
  const from = { beforeEndUs: settings.historyMs * 1000 };
  const instruments = [...new Set(logs.map((log) => logParts(log).instrument))];
  const exchange = exchanges[settings.exchange]!;
  const { listen, slowClient } = settings;
  const notices = noticesOf(settings);
  const feed = openFeed({ data, logs, from, signal, security, notices, ...publisherFeed });
  await using publisher = new Publisher({
    venue: (seams) =>
      exchange.venue({
        ...seams,
        instruments: instruments.map((name) => instrumentOf(name)),
        readers: readers(),
        logs,
      }),
    feed,
    more: () => ({ feed: feed.stats }),
    time: settings.time,
    settings: {
      slow: { ...publisherDefaults.slow, ...slowClient },
      origins: listen.origins,
      maxConnections: listen.connections ?? publisherDefaults.maxConnections,
    },
    onSlow: ({ event, ...client }) => logger.warn({ client }, slowWords[event]),
    onEvent: tellEvents(logger),
    onFailure: (err) => logger.error({ err }, 'a record or a request was not served'),
  });
  using _incidents = tellIncidents(logger, () => ({
    ...publisherCounts(publisher),
    ...securityCounts(security),
  }));
  const { port } = await publisher.start(listen.port, listen.host);
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  ready({
    urls: { WebSocket: `ws://${host}:${port}`, REST: `http://${host}:${port}` },
    note: `serves ${instruments.join(', ').slice(0, 200)}`,
  });
  await publisher.done;
}

/** Where it listens to which writer: what the topology has chosen, else what the logs say. */
function noticesOf({ from }: PublisherSettings) {
  const chosen = from.filter((link) => link.chosen);
  return { byWriter: Object.fromEntries(chosen.map(({ writer, feed }) => [writer, feed])) };
}

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
