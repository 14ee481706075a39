/** What Node is told on the command line of a node's process. Pure. */
import { publisherFlags } from '../publisher/settings.ts';
import type { NodeKind } from '../topology/node.ts';

/** Flags for a kind of node; `NODE_OPTIONS` reaches nodes too, and these go before it. */
export const flagsOf = (kind: NodeKind): readonly string[] =>
  kind === 'publisher' ? publisherFlags : [];
