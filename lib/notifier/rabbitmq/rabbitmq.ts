/**
 * RabbitMQ (AMQP 0-9-1), for those who run one anyway. A fanout exchange a channel, a queue a listener.
 *
 *   amqp://[user:password@]host[:5672][/vhost][?channel=name][&persistent]     amqps:// over TLS
 *
 * Transient by default. `persistent`: the exchange and the queues survive the server, notices are confirmed by it and
 * acknowledged by their listeners; a queue keeps the newest 10,000 notices and goes a minute after its listener. It
 * promises more than a notice needs and costs what that costs. User and password are not written to `epochs.jsonl`.
 */
import { channelOption, knownOptions, serverOf } from '../endpoint.ts';
import type { Notifier } from '../notifier.ts';
import { loadPeer } from '../peer.ts';

const settingsOf = (endpoint: string) => {
  const options = knownOptions(endpoint, ['channel', 'persistent']);
  return {
    server: serverOf(endpoint, 'amqps', 5672),
    channel: channelOption(endpoint),
    persistent: options.has('persistent'),
  };
};
const load = () => loadPeer('amqplib', () => import('./amqp-socket.ts'));

export const rabbitmq: Notifier = {
  name: 'rabbitmq',
  supports: {
    acrossHosts: true,
    data: false,
    needsServer: true,
    needsFiles: false,
    heartbeats: true,
    channels: true,
    endpointSchemes: ['amqp', 'amqps'],
  },
  endpoint: 'amqp://127.0.0.1:5672',
  async announce(options) {
    const settings = settingsOf(options.endpoint);
    return new (await load()).RabbitAnnouncer(options, settings);
  },
  async listen(options) {
    const settings = settingsOf(options.endpoint);
    return new (await load()).RabbitListener(options, settings);
  },
};
