/**
 * Redis Pub/Sub, for those who run a Redis anyway. What is said while a listener is away is lost, as everywhere.
 *
 *   redis://[user:password@]host[:6379][?channel=name]     rediss:// over TLS
 *
 * A log's notices go to the Redis channel `tickmesh:<channel>:<log>`. User and password are not written to
 * `epochs.jsonl`: a reader that needs them is given an endpoint of its own.
 */
import { channelOption, knownOptions, serverOf } from '../endpoint.ts';
import type { Notifier } from '../notifier.ts';
import { loadPeer } from '../peer.ts';

const settingsOf = (endpoint: string) => {
  knownOptions(endpoint, ['channel']);
  return { server: serverOf(endpoint, 'rediss', 6379), channel: channelOption(endpoint) };
};
const load = () => loadPeer('ioredis', () => import('./redis-socket.ts'));

export const redis: Notifier = {
  name: 'redis',
  supports: {
    acrossHosts: true,
    data: false,
    needsServer: true,
    needsFiles: false,
    heartbeats: true,
    channels: true,
    endpointSchemes: ['redis', 'rediss'],
  },
  endpoint: 'redis://127.0.0.1:6379',
  async announce(options) {
    const settings = settingsOf(options.endpoint);
    return new (await load()).RedisAnnouncer(options, settings);
  },
  async listen(options) {
    const settings = settingsOf(options.endpoint);
    return new (await load()).RedisListener(options, settings);
  },
};
