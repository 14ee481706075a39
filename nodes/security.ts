/** The keys of a node process: what its settings name, read from the disk. */
import { readKeyPair } from '../lib/mesh/disk-keys.ts';
import { Security } from '../lib/mesh/security-zeromq.ts';
import type { NodeSettings } from '../lib/topology/node.ts';
import { TickmeshError } from '../lib/world/error.ts';

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
