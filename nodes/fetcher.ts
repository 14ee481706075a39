/** A fetcher process: source -> log -> notices. Started by `tickmesh up`, or by hand with a settings file. */
import { exchanges } from '../lib/exchange/registry.ts';
import { Fetcher } from '../lib/fetcher/fetcher.ts';
import { standBack } from '../lib/launch/niceness-process.ts';
import { runNode } from '../lib/launch/node-process.ts';
import { sources, type SourceName } from '../lib/source/registry.ts';
import type { FetcherSettings } from '../lib/topology/node.ts';
import { realClock } from '../lib/world/clock.ts';
import { aborted } from './aborted.ts';
import { tellEnded, tellIncidents } from './incidents-timer.ts';
import {
  announcerCounts,
  doorCounts,
  endedCounts,
  fetcherCounts,
  securityCounts,
  securityFacts,
  serverCounts,
} from './counts.ts';
import { openSecurity } from './security.ts';

const exitCode = await runNode<FetcherSettings>(async (settings, { signal, logger, ready }) => {
  const { source: factory } = await sources[settings.source.kind as SourceName]();
  const source = await factory.make(settings.source.settings, settings.dir);
  const { segment, fsync, feed, catchup, inboxes } = settings;
  let lastRefusal: object | undefined;
  await using security = await openSecurity(settings);
  await using fetcher = await Fetcher.open({
    node: settings.node,
    data: settings.data,
    source,
    feed,
    security,
    ...(catchup.length > 0 ? { catchup: { endpoint: catchup, readers: inboxes } } : {}),
    roll: segment,
    sync: typeof fsync === 'number' ? { intervalMs: fsync } : fsync,
    eventTimeUs: (exchange, channel, payload) => exchanges[exchange]?.eventTimeUs(channel, payload),
    clock: realClock,
    report: (what) => {
      if (what.event === 'stalled') logger.error({ err: what.error }, 'the disk takes no more');
      else if (what.event === 'resumed')
        logger.warn({ stalledMs: what.stalledMs }, 'the disk takes bytes again');
      else if (what.event === 'refused') {
        const { log, reason, bytes } = what;
        lastRefusal = { log, reason, bytes };
      } else {
        const { event, ...facts } = what;
        logger[facts.tornBytes > 0 || facts.unannouncedLines > 0 ? 'warn' : 'debug'](facts, event);
      }
    },
  });
  standBack(settings.nice);
  const doors = () => [fetcher.announcer?.door, fetcher.server?.door];
  using _ended = tellEnded(logger, () => endedCounts(...doors()));
  using _incidents = tellIncidents(
    logger,
    () => ({
      ...fetcherCounts(fetcher),
      ...securityCounts(security),
      ...announcerCounts(fetcher.announcer),
      ...serverCounts(fetcher.server),
      ...(security ? {} : doorCounts(...doors())),
    }),
    () => ({ ...securityFacts(security), ...(lastRefusal ? { lastRefusal } : {}) }),
  );
  ready({ note: `${source.logs.length} logs` });
  await fetcher.run(signal);
  if (signal.aborted) return;
  logger.info(
    { records: fetcher.stats.records },
    'the source has ended; logs stay open for readers',
  );
  await aborted(signal);
});
// Sockets or timers of a library may still be open: the work is done.
process.exit(exitCode);
