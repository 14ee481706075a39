/** Notices over ZeroMQ: PUB binds in the writer, SUB connects in the reader. Loses what it must; that is harmless. */
import type { Subscriber, XPublisher } from 'zeromq';
import type { HeaderFields } from '../../mesh/header.ts';
import { onEvent } from '../../mesh/events-zeromq.ts';
import { dial, securePeer } from '../../mesh/security-zeromq.ts';
import { bindSocket, feedSocket, subscriberSocket } from '../../mesh/zeromq.ts';
import {
  dataTopic,
  encodeData,
  encodeNotice,
  noticeTopic,
  readNotice,
  type Topic,
} from '../notice.ts';
import type { Announcer, AnnouncerOptions, Listener, ListenerOptions } from '../notifier.ts';

type Topics = { readonly notice: Topic; readonly data: Topic };

export class ZeromqAnnouncer implements Announcer {
  readonly endpoint: string;
  readonly #socket: XPublisher;
  readonly #onJoin: ((log: string) => void) | undefined;
  readonly #topics = new Map<string, Topics>();
  readonly #dataJoins = new Map<string, number>();
  readonly #hearing: Promise<void>;
  /** Messages that the socket refused; the next heartbeat makes up for them. */
  refused = 0;

  private constructor(socket: XPublisher, endpoint: string, onJoin?: (log: string) => void) {
    this.#socket = socket;
    this.endpoint = endpoint;
    this.#onJoin = onJoin;
    this.#hearing = this.#hearJoins();
  }

  static async bind(options: AnnouncerOptions): Promise<ZeromqAnnouncer> {
    const socket = feedSocket();
    try {
      options.security?.guard(socket, 'feed');
      const endpoint = await bindSocket(socket, options.endpoint);
      const announcer = new ZeromqAnnouncer(socket, endpoint, options.onJoin);
      options.onState?.('on');
      return announcer;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  #topicsOf(log: string): Topics {
    let topics = this.#topics.get(log);
    if (!topics)
      this.#topics.set(log, (topics = { notice: noticeTopic(log), data: dataTopic(log) }));
    return topics;
  }

  announce(log: string, fields: HeaderFields): void {
    this.#send(encodeNotice(this.#topicsOf(log).notice, fields));
  }

  wantsData(log: string): boolean {
    return this.#dataJoins.has(log);
  }

  sendData(log: string, fields: HeaderFields, lines: Buffer): void {
    this.#send(encodeData(this.#topicsOf(log).data, fields, lines));
  }

  #send(message: Buffer): void {
    // sendTimeout 0 takes the synchronous path: it never waits and never throws EBUSY.
    this.#socket.send(message).catch(() => this.refused++);
  }

  /** XPUB hands out subscriptions: 1 topic = somebody joined, 0 topic = the last one left. */
  async #hearJoins(): Promise<void> {
    try {
      for await (const [message] of this.#socket) {
        if (!message || message.length < 2) continue;
        const joined = message[0] === 1;
        const end = message.at(-1) === 0 ? message.length - 1 : message.length;
        const topic = message.toString('latin1', 1, end);
        if (topic.startsWith('D:')) {
          if (joined) this.#dataJoins.set(topic.slice(2), 1);
          else this.#dataJoins.delete(topic.slice(2));
        } else if (joined) this.#onJoin?.(topic);
      }
    } catch (error) {
      if (!this.#socket.closed) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#hearing.catch(() => undefined);
  }
}

export class ZeromqListener implements Listener {
  readonly #socket: Subscriber;
  readonly #hearing: Promise<void>;
  invalid = 0;

  /** Throws TypeError for a writer that there is no key of, where there are keys. */
  constructor(options: ListenerOptions) {
    const { security, writer = '' } = options;
    const peer = security && securePeer(security, 'writers', writer);
    this.#socket = subscriberSocket(options.endpoint);
    const { onState } = options;
    if (onState)
      onEvent(this.#socket, (type) => {
        if (type === 'handshake') onState('on');
        else if (type === 'disconnect') onState('off');
      });
    dial(this.#socket, options.endpoint, peer);
    if (options.logs === 'all') this.#socket.subscribe();
    else
      for (const log of options.logs) {
        this.#socket.subscribe(noticeTopic(log));
        if (options.data) this.#socket.subscribe(dataTopic(log));
      }
    this.#hearing = this.#hear(options.onHeard);
  }

  async #hear(onHeard: ListenerOptions['onHeard']): Promise<void> {
    try {
      for await (const parts of this.#socket) {
        const heard = parts.length === 1 ? readNotice(parts[0]!) : undefined;
        if (heard) onHeard(heard);
        else this.invalid++;
      }
    } catch (error) {
      if (!this.#socket.closed) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#hearing.catch(() => undefined);
  }
}
