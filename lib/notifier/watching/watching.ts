/**
 * The kernel tells when a log's head file is written (inotify through `fs.watch`): the quickest bell on one host, without
 * any connection, and nothing for the writer to do. Some file systems raise no events (network mounts, some bind mounts
 * of containers and virtual machines): it looks once a second whether it missed something, and is off as long as it did.
 */
import { knownOptions } from '../endpoint.ts';
import type { Notifier } from '../notifier.ts';
import { silentAnnouncer } from '../silent.ts';

export const watching: Notifier = {
  name: 'watching',
  supports: {
    acrossHosts: false,
    data: false,
    needsServer: false,
    needsFiles: true,
    heartbeats: false,
    quickest: true,
    channels: false,
    endpointSchemes: ['watching'],
  },
  endpoint: 'watching:',
  announce: async (options) => silentAnnouncer(options),
  async listen(options) {
    knownOptions(options.endpoint, []);
    const { WatchingListener } = await import('./disk-watching.ts');
    return new WatchingListener(options);
  },
};
