/** The keys of a node process: what its settings name, read from the disk. */
import type { CatchupServer } from '../lib/catchup/zeromq-server.ts';
import { readKeyPair } from '../lib/mesh/disk-keys.ts';
import { Security } from '../lib/mesh/security-zeromq.ts';
import type { Announcer } from '../lib/notifier/notifier.ts';
import type { NodeSettings } from '../lib/topology/node.ts';
import { TickmeshError } from '../lib/world/error.ts';
import type { Counts } from './incidents-timer.ts';

/** Undefined in a mesh without keys. Throws INSECURE, CONFIG_INVALID. */
export async function openSecurity({
  node,
  security,
}: NodeSettings): Promise<Security | undefined> {
  if (!security) return undefined;
  const { keyFile, publicKey, readers, writers } = security;
  const keys = readKeyPair(keyFile);
  if (keys.publicKey !== publicKey) {
    throw new TickmeshError('CONFIG_INVALID', `the others know "${node}" by another key`, {
      facts: { keyFile },
      remedy: `copy ${node}.pub from this host to all hosts, and start their nodes again`,
    });
  }
  return Security.open({ node, keys, readers, writers });
}

/** What a node's sockets have turned away so far, in the words of the log. */
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
