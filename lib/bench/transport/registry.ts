/** Every way that the bench measures, in the order of its tables. A new one is one file and one line here. */
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

export const transports: readonly Transport[] = [
  pacing,
  zeromqNotification,
  zeromqTcpNotification,
  zeromqFile,
  watching,
  nodeIpc,
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
