/** A replica process: another node's logs -> the same logs here -> notices. Started by `tickmesh up`. */
import { standBack } from '../lib/launch/niceness-process.ts';
import { runNode } from '../lib/launch/node-process.ts';
import type { Security } from '../lib/mesh/security-zeromq.ts';
import { listLogs } from '../lib/log/disk-list.ts';
import { discoverLogs } from '../lib/replica/discover-timer.ts';
import { Replica } from '../lib/replica/replica.ts';
import type { ReplicaReport } from '../lib/replica/report.ts';
import type { ReplicaSettings } from '../lib/topology/node.ts';
import { logMatcher } from '../lib/topology/pattern.ts';
import { realClock } from '../lib/world/clock.ts';
import type { Logger } from '../lib/world/logger.ts';
import { aborted } from './aborted.ts';
import { tellEnded, tellIncidents } from './incidents-timer.ts';
import {
  announcerCounts,
  doorCounts,
  endedCounts,
  securityCounts,
  securityFacts,
  serverCounts,
} from './counts.ts';
import { openSecurity } from './security.ts';

const exitCode = await runNode<ReplicaSettings>(async (settings, { signal, logger, ready }) => {
  const { node, data, from, fsync } = settings;
  logger.debug({ source: from.writer, feed: from.feed }, 'listening for logs to copy');
  await using security = await openSecurity(settings);
  const logs = await namesOf(settings, signal, security);
  if (logs.length === 0) return;
  const { feed, catchup, inboxes, inbox } = settings;
  // Readers find every log's folder, even if its bytes are still coming.
  const waiting = new Set<string>(logs);
  const settled = (log: string): void => {
    waiting.delete(log);
    if (waiting.size === 0) ready({ note: `copies ${logs.length} logs of ${from.writer}` });
  };
  await using replica = await Replica.open({
    node,
    data,
    logs,
    from: { writer: from.writer, feed: from.feed, catchup: from.catchup! },
    security,
    inbox,
    feed,
    ...(catchup.length > 0 ? { catchup: { endpoint: catchup, readers: inboxes } } : {}),
    sync: typeof fsync === 'number' ? { intervalMs: fsync } : fsync,
    clock: realClock,
    report: (what) => {
      tell(logger, what);
      settled(what.log);
    },
  });
  standBack(settings.nice);
  const doors = () => [replica.announcer?.door, replica.server?.door, replica.client?.door];
  using _ended = tellEnded(logger, () => endedCounts(...doors()));
  using _incidents = tellIncidents(
    logger,
    () => ({
      ...securityCounts(security),
      ...announcerCounts(replica.announcer),
      ...serverCounts(replica.server),
      ...(security ? {} : doorCounts(...doors())),
    }),
    () => securityFacts(security),
  );
  await aborted(signal);
  logger.debug({ ...replica.stats }, 'stopping');
});
process.exit(exitCode);

/** The logs to copy: those it copied before, and those its source announces. */
async function namesOf(
  { data, from, logs: patterns }: ReplicaSettings,
  signal: AbortSignal,
  security: Security | undefined,
): Promise<readonly string[]> {
  if (!patterns.some((pattern) => pattern.includes('*'))) return patterns;
  const matches = logMatcher(patterns);
  const known = listLogs(data).filter(matches);
  // Without the source there is nothing to copy, but what is here can be served on.
  const patience =
    known.length > 0 ? AbortSignal.any([signal, AbortSignal.timeout(5_000)]) : signal;
  const found = await discoverLogs({
    feed: from.feed,
    writer: from.writer,
    security,
    matches,
    signal: patience,
  });
  return signal.aborted ? [] : [...new Set([...known, ...found])].sort();
}

function tell(logger: Logger, { event, ...facts }: ReplicaReport): void {
  if ('error' in facts) {
    const { error: err, log } = facts;
    logger.error({ err, log }, event === 'stalled' ? 'the disk takes no more' : event);
  } else if (event === 'degraded' || event === 'gap' || event === 'rewound')
    logger.warn(facts, event);
  // A line a log: what all of them have reached is said by "ready".
  else
    logger[event === 'recovered' && 'tornBytes' in facts && facts.tornBytes > 0 ? 'warn' : 'debug'](
      facts,
      event,
    );
}
