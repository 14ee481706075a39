/** Notices over RabbitMQ. A listener says that it came, and the announcer then repeats the end of the log. */
import { randomUUID } from 'node:crypto';
import type { Channel, ChannelModel, ConfirmChannel, ConsumeMessage } from 'amqplib';
import type { HeaderFields } from '../../mesh/header.ts';
import { publicEndpoint } from '../endpoint.ts';
import { encodeNotice, noticeTopic, readNotice, type Topic } from '../notice.ts';
import type { Announcer, AnnouncerOptions, Listener, ListenerOptions } from '../notifier.ts';
import { exchangeOf, joinsOf, RabbitConnection, type RabbitSettings } from './amqp-connection.ts';

/** Most notices that the server has not confirmed. */
const FLYING_MAX = 1_000;
const KEPT_MAX = 10_000;
const KEPT_MS = 60_000;

/** Makes what both ends rely on: whoever comes first. */
async function declare(channel: Channel, settings: RabbitSettings): Promise<void> {
  const { persistent } = settings;
  const options = { durable: persistent, autoDelete: false };
  await channel.assertExchange(exchangeOf(settings), 'fanout', options);
  await channel.assertExchange(joinsOf(settings), 'fanout', { durable: false, autoDelete: false });
}

export class RabbitAnnouncer implements Announcer {
  readonly endpoint: string;
  refused = 0;
  readonly #settings: RabbitSettings;
  readonly #onJoin: ((log: string) => void) | undefined;
  readonly #exchange: string;
  readonly #connection: RabbitConnection;
  readonly #topics = new Map<string, Topic>();
  #channel: Channel | ConfirmChannel | undefined;
  #flying = 0;

  constructor({ endpoint, onJoin, onState }: AnnouncerOptions, settings: RabbitSettings) {
    this.endpoint = publicEndpoint(endpoint);
    this.#settings = settings;
    this.#onJoin = onJoin;
    this.#exchange = exchangeOf(settings);
    this.#connection = new RabbitConnection(settings, (model) => this.#setUp(model), onState);
  }

  async #setUp(model: ChannelModel): Promise<void> {
    const { persistent } = this.#settings;
    const channel = await (persistent ? model.createConfirmChannel() : model.createChannel());
    channel.on('error', () => undefined);
    channel.on('close', () => {
      if (this.#channel === channel) this.#channel = undefined;
    });
    await declare(channel, this.#settings);
    const { queue } = await channel.assertQueue('', { exclusive: true, durable: false });
    await channel.bindQueue(queue, joinsOf(this.#settings), '');
    await channel.consume(queue, (message) => message && this.#hearJoin(message), { noAck: true });
    this.#flying = 0;
    this.#channel = channel;
  }

  #hearJoin({ content }: ConsumeMessage): void {
    this.#onJoin?.(content.toString('latin1'));
  }

  announce(log: string, fields: HeaderFields): void {
    const channel = this.#channel;
    if (!channel || this.#flying >= FLYING_MAX) {
      this.refused++;
      return;
    }
    let topic = this.#topics.get(log);
    if (!topic) this.#topics.set(log, (topic = noticeTopic(log)));
    const notice = encodeNotice(topic, fields);
    try {
      if (this.#settings.persistent) this.#confirmed(channel as ConfirmChannel, notice);
      else if (!channel.publish(this.#exchange, '', notice)) this.#wait(channel);
    } catch {
      // The channel is closing: the next one is on its way.
      this.refused++;
    }
  }

  #confirmed(channel: ConfirmChannel, notice: Buffer): void {
    this.#flying++;
    channel.publish(this.#exchange, '', notice, { persistent: true }, (error: unknown) => {
      if (channel !== this.#channel) return;
      this.#flying--;
      if (error) this.refused++;
    });
  }

  /** The socket takes no more at the moment. */
  #wait(channel: Channel): void {
    this.#flying = FLYING_MAX;
    channel.once('drain', () => {
      if (channel === this.#channel) this.#flying = 0;
    });
  }

  wantsData(): boolean {
    return false;
  }
  sendData(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    const channel = this.#channel;
    this.#channel = undefined;
    // The exchange goes with its last user; who still listens makes it last.
    await channel?.deleteExchange(this.#exchange, { ifUnused: true }).catch(() => undefined);
    await this.#connection.close();
  }
}

export class RabbitListener implements Listener {
  invalid = 0;
  readonly #options: ListenerOptions;
  readonly #settings: RabbitSettings;
  readonly #logs: ReadonlySet<string> | undefined;
  readonly #connection: RabbitConnection;
  /** Found again after a restart of the server, with what it kept. */
  readonly #queue: string;
  #closed = false;
  #channel: Channel | undefined;

  constructor(options: ListenerOptions, settings: RabbitSettings) {
    this.#options = options;
    this.#settings = settings;
    this.#logs = options.logs === 'all' ? undefined : new Set(options.logs);
    this.#queue = `${exchangeOf(settings)}.${randomUUID()}`;
    this.#connection = new RabbitConnection(
      settings,
      (model) => this.#setUp(model),
      options.onState,
    );
  }

  async #setUp(model: ChannelModel): Promise<void> {
    const { persistent } = this.#settings;
    const channel = await model.createChannel();
    channel.on('error', () => undefined);
    await declare(channel, this.#settings);
    const { queue } = await (persistent
      ? channel.assertQueue(this.#queue, { durable: true, expires: KEPT_MS, maxLength: KEPT_MAX })
      : channel.assertQueue('', { durable: false, exclusive: true, maxLength: KEPT_MAX }));
    await channel.bindQueue(queue, exchangeOf(this.#settings), '');
    if (persistent) await channel.prefetch(FLYING_MAX);
    await channel.consume(
      queue,
      (message) => {
        if (!message) return;
        if (persistent) channel.ack(message);
        this.#hear(message.content);
      },
      { noAck: !persistent },
    );
    this.#channel = channel;
    for (const log of this.#logs ?? [])
      channel.publish(joinsOf(this.#settings), '', Buffer.from(log, 'latin1'));
  }

  #hear(message: Buffer): void {
    // What was on its way while we left is not for us.
    if (this.#closed) return;
    const heard = readNotice(message);
    if (!heard) this.invalid++;
    else if (!this.#logs || this.#logs.has(heard.log)) this.#options.onHeard(heard);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    if (this.#settings.persistent)
      await this.#channel?.deleteQueue(this.#queue).catch(() => undefined);
    await this.#connection.close();
  }
}
