/** A connection to RabbitMQ that comes back by itself, with its exchanges made anew each time. */
import { connect, type ChannelModel, type RecoveringChannelModel } from 'amqplib';
import type { serverOf } from '../endpoint.ts';
import type { OnState } from '../notifier.ts';

export type RabbitSettings = {
  readonly server: ReturnType<typeof serverOf>;
  readonly channel: string;
  readonly persistent: boolean;
};

export const exchangeOf = ({ channel }: RabbitSettings): string => `tickmesh.${channel}`;
/** Listeners say here that they came. */
export const joinsOf = ({ channel }: RabbitSettings): string => `tickmesh.${channel}?join`;

const HEARTBEAT_S = 5;
const RETRY_MAX_MS = 1_000;

export class RabbitConnection {
  readonly #opening: Promise<RecoveringChannelModel>;
  #closed = false;

  /** `setup` is called for each connection, before it counts as on. */
  constructor(
    { server }: RabbitSettings,
    setup: (model: ChannelModel) => Promise<void>,
    onState: OnState | undefined,
  ) {
    const { secure, host, port, username = 'guest', password = 'guest', path } = server;
    const say: OnState = (state, why) => {
      if (!this.#closed) onState?.(state, why);
    };
    this.#opening = connect(
      {
        protocol: secure ? 'amqps' : 'amqp',
        hostname: host,
        port,
        username,
        password,
        vhost: path === '' ? '/' : path,
        heartbeat: HEARTBEAT_S,
      },
      {
        noDelay: true,
        timeout: 5_000,
        recovery: {
          setup,
          waitForConnect: false,
          calculateDelay: (attempt) => Math.min(20 * 2 ** Math.min(attempt, 10), RETRY_MAX_MS),
        },
      },
    ).then((model) => {
      model.on('error', () => undefined);
      model.on('connect', () => say('on'));
      model.on('disconnect', (why) => say('off', why));
      model.on('connect-failed', (why) => say('off', why));
      return model;
    });
    this.#opening.catch((why: Error) => say('failed', why));
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening.then((model) => model.close()).catch(() => undefined);
  }
}
