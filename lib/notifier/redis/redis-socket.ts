/**
 * Notices over Redis. The listener says on `…:join` that it came, and the announcer then repeats the log's end: what was
 * said while nobody listened is not kept by anyone.
 */
import { Redis, type RedisOptions } from 'ioredis';
import type { HeaderFields } from '../../mesh/header.ts';
import { publicEndpoint, type serverOf } from '../endpoint.ts';
import { encodeNotice, noticeTopic, readNotice, type Topic } from '../notice.ts';
import type { Announcer, AnnouncerOptions, Listener, ListenerOptions } from '../notifier.ts';

export type RedisSettings = {
  readonly server: ReturnType<typeof serverOf>;
  readonly channel: string;
};

/** Most notices on their way: a server that stands still must not fill our memory. */
const FLYING_MAX = 1_000;
const RETRY_MAX_MS = 1_000;

const optionsOf = ({ server: { secure, host, port, username, password } }: RedisSettings) =>
  ({
    host,
    port,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(secure ? { tls: {} } : {}),
    // A notice that cannot be said now is worth nothing later.
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    keepAlive: 5_000,
    retryStrategy: (times) => Math.min(20 * 2 ** Math.min(times, 10), RETRY_MAX_MS),
  }) satisfies RedisOptions;

const prefixOf = ({ channel }: RedisSettings): string => `tickmesh:${channel}:`;
const joinOf = (settings: RedisSettings): string => `tickmesh:${settings.channel}?join`;

export class RedisAnnouncer implements Announcer {
  readonly endpoint: string;
  refused = 0;
  readonly #client: Redis;
  readonly #joins: Redis;
  readonly #prefix: string;
  readonly #topics = new Map<string, { readonly channel: string; readonly topic: Topic }>();
  #flying = 0;
  readonly #landed = (): void => void this.#flying--;
  readonly #lost = (): void => {
    this.#flying--;
    this.refused++;
  };

  constructor({ endpoint, onJoin, onState }: AnnouncerOptions, settings: RedisSettings) {
    this.endpoint = publicEndpoint(endpoint);
    this.#prefix = prefixOf(settings);
    const options = optionsOf(settings);
    let why: Error | undefined;
    this.#client = new Redis(options);
    this.#client.on('error', (error) => (why = error));
    this.#client.on('ready', () => onState?.('on'));
    this.#client.on('close', () => onState?.('off', why));
    this.#joins = new Redis(options);
    this.#joins.on('error', () => undefined);
    this.#joins.on('ready', () => {
      this.#joins.subscribe(joinOf(settings)).catch(() => this.#joins.disconnect(true));
    });
    this.#joins.on('message', (_channel, log) => onJoin?.(log));
  }

  announce(log: string, fields: HeaderFields): void {
    if (this.#flying >= FLYING_MAX || this.#client.status !== 'ready') {
      this.refused++;
      return;
    }
    let found = this.#topics.get(log);
    if (!found) {
      found = { channel: this.#prefix + log, topic: noticeTopic(log) };
      this.#topics.set(log, found);
    }
    this.#flying++;
    this.#client
      .publish(found.channel, encodeNotice(found.topic, fields))
      .then(this.#landed, this.#lost);
  }

  wantsData(): boolean {
    return false;
  }
  sendData(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    // What was said last leaves before we do.
    if (this.#client.status === 'ready')
      await Promise.race([this.#client.quit().catch(() => undefined), delay(QUIT_MS)]);
    this.#client.disconnect();
    this.#joins.disconnect();
  }
}

const QUIT_MS = 500;
const delay = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, ms).unref());

export class RedisListener implements Listener {
  invalid = 0;
  readonly #client: Redis;
  readonly #options: ListenerOptions;
  readonly #settings: RedisSettings;
  #closed = false;

  constructor(options: ListenerOptions, settings: RedisSettings) {
    this.#options = options;
    this.#settings = settings;
    const { onState } = options;
    this.#client = new Redis(optionsOf(settings));
    let why: Error | undefined;
    this.#client.on('error', (error) => (why = error));
    this.#client.on('close', () => onState?.('off', why));
    this.#client.on('ready', () => {
      this.#subscribe().then(
        () => this.#closed || onState?.('on'),
        () => this.#closed || this.#client.disconnect(true),
      );
    });
    this.#client.on('messageBuffer', (_channel: Buffer, message: Buffer) => this.#hear(message));
    this.#client.on('pmessageBuffer', (_pattern: string, _channel: Buffer, message: Buffer) =>
      this.#hear(message),
    );
  }

  #hear(message: Buffer): void {
    // What was on its way while we left is not for us.
    if (this.#closed) return;
    const heard = readNotice(message);
    if (heard) this.#options.onHeard(heard);
    else this.invalid++;
  }

  async #subscribe(): Promise<void> {
    const { logs } = this.#options;
    const prefix = prefixOf(this.#settings);
    if (logs === 'all') await this.#client.psubscribe(`${prefix}*`);
    else {
      await this.#client.subscribe(...logs.map((log) => prefix + log));
      await this.#sayJoined(logs);
    }
  }

  /** A connection that subscribes may say nothing itself. */
  async #sayJoined(logs: readonly string[]): Promise<void> {
    const other = this.#client.duplicate({ enableOfflineQueue: true, retryStrategy: () => null });
    other.on('error', () => undefined);
    try {
      for (const log of logs) await other.publish(joinOf(this.#settings), log);
    } finally {
      other.disconnect();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#client.disconnect();
  }
}
