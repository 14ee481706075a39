/** What the parts of a node have turned away so far, in the words of its log. Counts only rise. */
import type { CatchupServer } from '../lib/catchup/zeromq-server.ts';
import type { Fetcher } from '../lib/fetcher/fetcher.ts';
import { doorsOf, type DoorStats } from '../lib/mesh/door-zeromq.ts';
import type { Security } from '../lib/mesh/security-zeromq.ts';
import type { Announcer } from '../lib/notifier/notifier.ts';
import type { Publisher } from '../lib/publisher/publisher.ts';
import type { Counts } from './incidents-timer.ts';

export const fetcherCounts = ({ stats }: Fetcher): Counts => ({
  'records that can be no line, a gap mark in their place': stats.refused,
});
export const securityCounts = (security: Security | undefined): Counts =>
  security
    ? {
        'unlisted keys': security.stats.denied,
        'connections without our keys': security.stats.broken,
        'refusals by peers': security.stats.refused,
      }
    : {};
export const securityFacts = (security: Security | undefined): object =>
  security?.lastDenial ? { lastDenial: security.lastDenial } : {};

/** What libzmq turned away, at the sockets that a node binds. */
export const doorCounts = (...doors: readonly (DoorStats | undefined)[]): Counts => ({
  'connections that spoke nothing of ours': doorsOf(doors).strange,
});
/** No refusals: peers come and go. But one that is cut for what it sends shows only here. */
export const endedCounts = (...doors: readonly (DoorStats | undefined)[]): Counts => ({
  'connections that left, or were cut for a message beyond the limit': doorsOf(doors).ended,
});

export const announcerCounts = (announcer: Announcer | undefined): Counts =>
  announcer
    ? {
        'subscriptions to what is not announced here': announcer.foreign ?? 0,
        'floods of subscriptions, all listeners cut': announcer.shed ?? 0,
      }
    : {};
export const serverCounts = (server: CatchupServer | undefined): Counts =>
  server
    ? {
        'messages that were no requests': server.stats.invalid,
        'requests of strangers': server.stats.strangers,
        'requests beyond the budget': server.stats.overdrawn,
      }
    : {};

export const publisherCounts = ({ metrics }: Publisher): Counts => ({
  'connections refused': metrics.refused,
  'requests that took too long to come': metrics.slowRequests,
  'requests that were no HTTP': metrics.strangeRequests,
  'clients that sent no WebSocket frames': metrics.malformed,
  'clients that read too slowly': metrics.slowDisconnects,
  'clients that answered no pings': metrics.silentDisconnects,
  'turns left out': metrics.skippedTurns,
  'times that a client had to wait with its requests': metrics.heldBack,
});
