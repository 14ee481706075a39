/** Every way that the bench measures, in the order of its tables. A new one is one file and one line here. */
import { writerNice } from '../../topology/nice.ts';
import { TickmeshError } from '../../world/error.ts';
import { nodeIpc, nodeIpcRelayed } from './node-ipc-process.ts';
import { pacing } from './pacing.ts';
import { pollings } from './polling-disk.ts';
import { rabbitmqs } from './rabbitmq.ts';
import { redis } from './redis.ts';
import { tickmeshes } from './tickmesh.ts';
import type { Transport } from './transport.ts';
import { watching } from './watching-disk.ts';
import { zeromqFile, zeromqNotification, zeromqTcpNotification } from './zeromq.ts';

/** What a peer gains when its writer stands back as ours does. `way`: its title without what all do. */
const niced = (peer: Transport, way: string, rest = ' + append + read'): Transport => {
  const nice = writerNice(process.platform);
  const title = `${way}, nice ${nice}${rest}`;
  return { ...peer, name: `${peer.name}-nice`, title, writerNice: nice, rateMax: 1_000 };
};

export const transports: readonly Transport[] = [
  pacing,
  zeromqNotification,
  niced(zeromqNotification, 'zeromq.js ipc, notification alone', ''),
  zeromqTcpNotification,
  zeromqFile,
  watching,
  niced(watching, 'fs.watch'),
  nodeIpc,
  niced(nodeIpc, 'Node IPC parent -> child'),
  nodeIpcRelayed,
  redis,
  ...rabbitmqs,
  ...pollings,
  ...tickmeshes,
];

/** The transport of that name. Throws CONFIG_INVALID, naming all there are. */
export function transportNamed(name: string): Transport {
  const found = transports.find((each) => each.name === name);
  if (found) return found;
  throw new TickmeshError('CONFIG_INVALID', `no such transport: ${name}`, {
    remedy: `one of ${transports.map((each) => each.name).join(', ')}`,
  });
}

/** Ways whose knee is looked for, at rates that rise until they cannot follow. */
export const sweepNames = [
  'zeromq',
  'zeromq-file',
  'fs-watch',
  'node-ipc',
  'redis',
  'tickmesh',
  'tickmesh-spin',
];
/** Ways whose cost at rest is taken. */
export const idleNames = [
  'zeromq-file',
  'fs-watch',
  'node-ipc',
  'redis',
  'poll-1ms',
  'poll-100ms',
  'tickmesh-zeromq',
  'tickmesh',
];
