/** Notices over ZeroMQ: PUB binds in the writer, SUB connects in the reader. Loses what it must; that is harmless. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Subscriber, XPublisher } from 'zeromq';
import { kinds, type HeaderFields } from '../../mesh/header.ts';
import { Door } from '../../mesh/door-zeromq.ts';
import { onEvent } from '../../mesh/events-zeromq.ts';
import { eachMessage, messages } from '../../mesh/messages-zeromq.ts';
import { dial, securePeer } from '../../mesh/security-zeromq.ts';
import { bindSocket, feedSocket, subscriberSocket } from '../../mesh/zeromq.ts';
import {
  beatTopic,
  dataTopic,
  encodeData,
  encodeNotice,
  INLINE_MAX,
  LastName,
  noticeTopic,
  readNotice,
  type Heard,
  type Topic,
} from '../notice.ts';
import { Joins, type Join } from './joins.ts';
import type { Announcer, AnnouncerOptions, Listener, ListenerOptions } from '../notifier.ts';

type Topics = { readonly notice: Topic; readonly beat: Topic; readonly data: Topic };

/** After a flood that came soon behind another, nobody is let in for so long. */
const REST_MS = 1_000;
const SOON_MS = 10_000;

/** A closed socket's name is free a moment later; looked at so often. */
const REBIND_MS = 10;

export class ZeromqAnnouncer implements Announcer {
  readonly endpoint: string;
  readonly door: Door;
  readonly #options: AnnouncerOptions;
  #socket: XPublisher;
  readonly #topics = new Map<string, Topics>();
  /** Logs whose notices, and whose bytes, somebody asked for. */
  readonly #noticeJoins = new Set<string>();
  readonly #dataJoins = new Set<string>();
  readonly #joins: Joins;
  readonly #joined = new Set<string>();
  #hearing: Promise<void>;
  #shedMs = -Infinity;
  #disposed = false;
  /** Messages that the socket refused; the next heartbeat makes up for them. */
  refused = 0;
  /** How often all listeners were cut because of a flood of subscriptions. */
  shed = 0;

  private constructor(socket: XPublisher, endpoint: string, options: AnnouncerOptions, door: Door) {
    this.door = door;
    this.#socket = socket;
    this.endpoint = endpoint;
    this.#options = options;
    this.#joins = new Joins(options.logs, performance.now(), options.flood);
    this.#hearing = this.#hearJoins(socket);
  }

  static async bind(options: AnnouncerOptions): Promise<ZeromqAnnouncer> {
    const socket = feedSocket();
    try {
      const door = new Door();
      door.watch(socket);
      options.security?.guard(socket, 'feed');
      const endpoint = await bindSocket(socket, options.endpoint);
      const announcer = new ZeromqAnnouncer(socket, endpoint, options, door);
      options.onState?.('on');
      return announcer;
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Subscriptions to what is not announced here. */
  get foreign(): number {
    return this.#joins.foreign;
  }

  #topicsOf(log: string): Topics {
    let topics = this.#topics.get(log);
    if (!topics) {
      topics = { notice: noticeTopic(log), beat: beatTopic(log), data: dataTopic(log) };
      this.#topics.set(log, topics);
    }
    return topics;
  }

  announce(log: string, fields: HeaderFields): void {
    const { notice, beat } = this.#topicsOf(log);
    if (fields.kind !== kinds.NOTICE) this.#send(encodeNotice(beat, fields));
    // Where all watch the files or nobody is there, this is all that it costs.
    else if (this.#noticeJoins.has(log) || this.#joins.prefixed)
      this.#send(encodeNotice(notice, fields));
  }

  wantsData(log: string): boolean {
    return this.#dataJoins.has(log);
  }

  sendData(log: string, fields: HeaderFields, lines: Buffer): void {
    this.#send(encodeData(this.#topicsOf(log).data, fields, lines));
  }

  #send(message: Buffer): void {
    try {
      // sendTimeout 0 takes the synchronous path: it never waits and never throws EBUSY.
      this.#socket.send(message).catch(() => this.refused++);
    } catch {
      // Closed, or binding anew, while all listeners are cut: then send throws at once.
      this.refused++;
    }
  }

  async #hearJoins(socket: XPublisher): Promise<void> {
    try {
      for await (const [message] of messages(socket)) {
        const join = message && this.#joins.read(message);
        if (join) this.#note(join);
        if (!join && this.#joins.flooded(performance.now())) return await this.#bindAnew(socket);
      }
    } catch (error) {
      if (!socket.closed) throw error;
    }
  }

  #note({ log, topic, joined }: Join): void {
    const joins = topic === 'data' ? this.#dataJoins : this.#noticeJoins;
    if (topic !== 'beat') {
      if (joined) joins.add(log);
      else joins.delete(log);
    }
    if (joined && topic !== 'data') this.#welcome(log);
  }

  /** Whoever subscribes again and again makes us repeat the end once a turn, not each time. */
  #welcome(log: string): void {
    const { onJoin } = this.#options;
    if (!onJoin) return;
    if (this.#joined.size === 0)
      setImmediate(() => {
        for (const one of this.#joined) onJoin(one);
        this.#joined.clear();
      });
    this.#joined.add(log);
  }

  /** Drops all listeners and their topics. Those that mean it dial again; what they miss they read from the log. */
  async #bindAnew(flooded: XPublisher): Promise<void> {
    const { onState, security } = this.#options;
    this.shed++;
    const nowMs = performance.now();
    const again = nowMs - this.#shedMs < SOON_MS;
    this.#shedMs = nowMs;
    onState?.('off', new Error('too many subscriptions: all listeners were cut'));
    flooded.close();
    this.#noticeJoins.clear();
    this.#dataJoins.clear();
    this.#joins.prefixed = false;
    if (again) await sleep(REST_MS);
    while (!this.#disposed) {
      const socket = feedSocket();
      this.#socket = socket;
      try {
        this.door.watch(socket);
        security?.guard(socket, 'feed');
        await bindSocket(socket, this.endpoint);
        onState?.('on');
        this.#hearing = this.#hearJoins(socket);
        return;
      } catch {
        socket.close();
        await sleep(REBIND_MS);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#disposed = true;
    this.#socket.close();
    await this.#hearing.catch(() => undefined);
    this.#socket.close();
  }
}

export class ZeromqListener implements Listener {
  readonly #socket: Subscriber;
  readonly #hearing: Promise<void>;
  readonly #logs: readonly string[];
  readonly #data: boolean;
  #resting = false;
  /** By log: the largest position that a notice named, and where bytes that a notice promised have not come. */
  readonly #told = new Map<string, number>();
  readonly #owed = new Set<string>();
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
    this.#logs = options.logs === 'all' ? [] : options.logs;
    this.#data = options.data ?? false;
    if (options.logs === 'all') this.#socket.subscribe();
    else
      for (const log of options.logs) {
        this.#socket.subscribe(noticeTopic(log), beatTopic(log));
        if (options.data) this.#socket.subscribe(dataTopic(log));
      }
    this.#hearing = this.#hear(options.onHeard);
  }

  rest(resting: boolean): void {
    if (this.#socket.closed || this.#logs.length === 0) return;
    this.#resting = resting;
    const topics = this.#logs.map(noticeTopic);
    if (resting) this.#socket.unsubscribe(...topics);
    else this.#socket.subscribe(...topics);
  }

  async #hear(onHeard: ListenerOptions['onHeard']): Promise<void> {
    const names = new LastName();
    const checked = this.#logs.length > 0;
    await eachMessage(this.#socket, (parts) => {
      const heard = parts.length === 1 ? readNotice(parts[0]!, names) : undefined;
      if (!heard) {
        this.invalid++;
        return;
      }
      if (checked) this.#check(heard);
      onHeard(heard);
    });
  }

  /**
   * A heartbeat that names more than the notices did says that notices do not come. The announcer may have been told by
   * a stranger that the last of us has left: a ZeroMQ socket passes that on unchecked. We say that we are here.
   */
  #check({ log, header: { kind, position, length } }: Heard): void {
    if (kind === kinds.NOTICE) {
      this.#told.set(log, position);
      if (this.#data && length > 0 && length <= INLINE_MAX) this.#owed.add(log);
    } else if (kind === kinds.DATA) this.#owed.delete(log);
    else if (!this.#resting) {
      const told = this.#told.get(log);
      this.#told.set(log, position);
      if (!this.#owed.delete(log) && (told === undefined || position <= told)) return;
      const topics = [noticeTopic(log), ...(this.#data ? [dataTopic(log)] : [])];
      // Said once more, and taken back on our side only: the socket counts.
      this.#socket.subscribe(...topics);
      this.#socket.unsubscribe(...topics);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#hearing.catch(() => undefined);
  }
}
