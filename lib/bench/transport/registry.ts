/** Every way that the bench measures, in the order of its tables. A new one is one file and one line here. */
import { TickmeshError } from '../../world/error.ts';
import { pollings } from './polling-disk.ts';
import { tickmeshes } from './tickmesh.ts';
import type { Transport } from './transport.ts';
import { watching } from './watching-disk.ts';
import { zeromqFile, zeromqNotification, zeromqTcpNotification } from './zeromq.ts';

export const transports: readonly Transport[] = [
  zeromqNotification,
  zeromqTcpNotification,
  zeromqFile,
  watching,
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
