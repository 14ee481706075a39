/** A fetcher process: source -> log -> notices. Started by `tickmesh up`, or by hand with a settings file. */
import { exchanges } from '../lib/exchange/registry.ts';
import { Fetcher } from '../lib/fetcher/fetcher.ts';
import { runNode } from '../lib/launch/node-process.ts';
import { sources, type SourceName } from '../lib/source/registry.ts';
import type { FetcherSettings } from '../lib/topology/node.ts';
import { realClock } from '../lib/world/clock.ts';

const exitCode = await runNode<FetcherSettings>(async (settings, { signal, logger, ready }) => {
  const { source: factory } = await sources[settings.source.kind as SourceName]();
  const source = await factory.make(settings.source.settings, settings.dir);
  const { segment, fsync } = settings;
  const [feed] = settings.feed;
  await using fetcher = await Fetcher.open({
    node: settings.node,
    data: settings.data,
    source,
    ...(feed === undefined ? {} : { feed }),
    ...(settings.catchup.length === 0
      ? {}
      : { catchup: { endpoint: settings.catchup, readers: settings.inboxes } }),
    roll: { bytes: segment.bytes, ageMs: segment.ageMs ?? Infinity },
    sync: typeof fsync === 'number' ? { intervalMs: fsync } : fsync,
    eventTimeUs: (exchange, channel, payload) => exchanges[exchange]?.eventTimeUs(channel, payload),
    clock: realClock,
    report: ({ event, ...facts }) => {
      if (event === 'stalled')
        logger.error({ err: (facts as { error: unknown }).error }, 'the disk takes no more');
      else logger.info(facts, event);
    },
  });
  ready({ note: `${source.logs.length} logs` });
  await fetcher.run(signal);
  if (signal.aborted) return;
  logger.info(
    { records: fetcher.stats.records },
    'the source has ended; logs stay open for readers',
  );
  await new Promise<void>((resolve) => {
    signal.addEventListener('abort', () => resolve());
  });
});
// Sockets or timers of a library may still be open: the work is done.
process.exit(exitCode);
