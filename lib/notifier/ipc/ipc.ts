/**
 * Node's own process channel: a process says it to its parent, and the parent (`tickmesh up`, or whoever forked them
 * all and holds a `Relay`) passes it on to those of its children that listen. The parent may say and hear as well.
 * Nothing to install and nothing to run, but within one family only, and dead when the parent is.
 *
 *   node-ipc:[?channel=name]
 */
import { TickmeshError } from '../../world/error.ts';
import { channelOption, knownOptions } from '../endpoint.ts';
import type { Notifier, ProcessPort } from '../notifier.ts';

const settingsOf = (endpoint: string): string => {
  knownOptions(endpoint, ['channel']);
  return channelOption(endpoint);
};

async function portOf(given: ProcessPort | undefined): Promise<ProcessPort> {
  const port = given ?? (await import('./process-port.ts')).ownPort;
  if (port.connected) return port;
  throw new TickmeshError('CONFIG_INVALID', 'this process has no parent with a channel to it', {
    remedy: 'start it by "tickmesh up" or child_process.fork, or choose another notifier',
  });
}

export const ipc: Notifier = {
  name: 'ipc',
  supports: {
    acrossHosts: false,
    data: false,
    needsServer: false,
    needsFiles: false,
    heartbeats: true,
    channels: true,
    endpointSchemes: ['node-ipc'],
  },
  endpoint: 'node-ipc:',
  async announce(options) {
    const channel = settingsOf(options.endpoint);
    const port = await portOf(options.port);
    return new (await import('./port-notices.ts')).PortAnnouncer(options, channel, port);
  },
  async listen(options) {
    const channel = settingsOf(options.endpoint);
    const port = await portOf(options.port);
    return new (await import('./port-notices.ts')).PortListener(options, channel, port);
  },
};
