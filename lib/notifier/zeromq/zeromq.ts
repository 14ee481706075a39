/** ZeroMQ: no server, one socket a writer. `ipc://@name` on one host, `tcp://address:port` anywhere. */
import type { Notifier } from '../notifier.ts';

export const zeromq: Notifier = {
  name: 'zeromq',
  supports: {
    acrossHosts: true,
    data: true,
    needsServer: false,
    needsFiles: false,
    heartbeats: true,
    channels: false,
    binds: true,
    endpointSchemes: ['ipc', 'tcp'],
    hostSchemes: ['ipc'],
  },
  announce: async (options) => (await import('./zeromq-socket.ts')).ZeromqAnnouncer.bind(options),
  listen: async (options) => new (await import('./zeromq-socket.ts')).ZeromqListener(options),
};
