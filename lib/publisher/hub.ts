/**
 * Fan-out: topics -> variants -> clients. A payload becomes one frame a (topic, variant) however many clients there
 * are; a turn's frames leave in one write a client, put together once for all clients with the same subscriptions.
 * Frames are appended until `flush`; a client sees what was published and what was sent to it alone in the order of
 * the calls. Pure: sockets are behind `Outlet`, time is an argument.
 */
import type { Broadcast, Wrap } from '../exchange/exchange.ts';
import { Client, type Outlet } from './client.ts';
import { Delivery } from './delivery.ts';
import { Arena, type Span } from './arena.ts';
import type { PublisherMetrics } from './metrics.ts';
import { type SlowLimits, type SlowReport, isBehind } from './slow.ts';
import { viewed } from './source.ts';
import { type Audience, type Crowd, Subscriptions } from './subscriptions.ts';

export type HubOptions = {
  /** The frame's text for one variant of a topic. */
  readonly encode: (topic: string, variant: string, payload: Buffer | string) => Buffer | string;
  /** What `encode` puts around every payload; undefined where it does more. */
  readonly wrap?: (topic: string, variant: string) => Wrap | undefined;
  readonly limits: SlowLimits;
  readonly metrics: PublisherMetrics;
  /** Told of slow clients. */
  readonly tell?: ((what: SlowReport) => void) | undefined;
  /** Called when something is waiting where nothing was: call `flush` soon. */
  readonly wake: () => void;
};

export class Hub implements Broadcast {
  readonly #encode: HubOptions['encode'];
  readonly #wrap: HubOptions['wrap'];
  readonly #limits: SlowLimits;
  readonly #metrics: PublisherMetrics;
  readonly #wake: () => void;
  readonly #delivery: Delivery;
  readonly #subscriptions: Subscriptions;
  readonly #arena = new Arena();
  readonly #clients = new Set<Client>();
  #dirtyCrowds: Crowd[] = [];
  readonly #dirtyClients = new Set<Client>();
  /** Bytes of frames encoded since the last flush. */
  turnBytes = 0;

  constructor(options: HubOptions) {
    this.#encode = options.encode;
    this.#wrap = options.wrap;
    this.#limits = options.limits;
    this.#metrics = options.metrics;
    this.#wake = options.wake;
    this.#delivery = new Delivery(
      options.limits,
      options.metrics,
      () => this.#arena.pin(),
      options.tell,
    );
    this.#subscriptions = new Subscriptions((crowd) => this.#delivery.crowd(crowd));
  }

  get clients(): ReadonlySet<Client> {
    return this.#clients;
  }

  /** Clients of each topic, all variants together. */
  subscribers(): Record<string, number> {
    return this.#subscriptions.counts();
  }

  attach(outlet: Outlet): Client {
    const client = new Client(this, outlet);
    this.#clients.add(client);
    return client;
  }

  /** The connection has ended: forgets the client. */
  detach(client: Client): void {
    this.#delivery.caughtUp(client);
    client.gone = true;
    this.#clients.delete(client);
    this.#dirtyClients.delete(client);
    this.#subscriptions.remove(client);
    client.own.clear();
  }

  wanted(topic: string): boolean {
    return this.#subscriptions.has(topic);
  }

  publish(topic: string, payload: Buffer | string, start = 0, end = payload.length): void {
    const audiences = this.#subscriptions.audiences(topic);
    if (audiences === undefined) return;
    for (let i = 0; i < audiences.length; i++) {
      const audience = audiences[i]!;
      const { crowds } = audience;
      const span = this.#frame(audience, payload, start, end);
      this.#metrics.encoded++;
      this.turnBytes += span.end - span.start;
      for (let j = 0; j < crowds.length; j++) {
        const crowd = crowds[j]!;
        if (crowd.pile.frames === 0) {
          this.#wakeOnce();
          this.#dirtyCrowds.push(crowd);
        }
        crowd.pile.add(span);
      }
    }
  }

  #frame(audience: Audience, payload: Buffer | string, start: number, end: number): Span {
    const { topic, variant } = audience;
    if (typeof payload === 'string')
      return this.#arena.frame(this.#encode(topic, variant, payload));
    let { wrap, source } = audience;
    if (wrap === undefined || wrap?.stands === false) {
      audience.wrap = wrap = this.#wrap?.(topic, variant) ?? null;
    }
    if (wrap === null) {
      const own = start === 0 && end === payload.length ? payload : payload.subarray(start, end);
      return this.#arena.frame(this.#encode(topic, variant, own));
    }
    if (source?.bytes !== payload) audience.source = source = viewed(payload);
    return this.#arena.wrapped(wrap.before, source, start, end, wrap.after);
  }

  send(client: Client, text: string): void {
    if (client.gone) return;
    // What the crowd got before must leave before.
    if (client.crowd !== undefined) this.#delivery.crowd(client.crowd);
    this.#wakeOnce();
    const { own } = client;
    own.add(this.#arena.frame(text));
    this.#dirtyClients.add(client);
    // Many large answers to one packet of requests: not all of them at once.
    if (own.bytes > this.#limits.boundBytes) this.#delivery.client(client);
  }

  join(client: Client, topic: string, variant: string): void {
    if (!client.gone) this.#subscriptions.join(client, topic, variant);
  }

  leave(client: Client, topic: string, variant: string): void {
    this.#subscriptions.leave(client, topic, variant);
  }

  /** Lets go what is waiting for the client, then closes it. */
  close(client: Client, code: number, reason: string): void {
    if (client.gone) return;
    if (client.crowd !== undefined) this.#delivery.crowd(client.crowd);
    this.#delivery.client(client);
    if (!client.gone) this.#delivery.part(client, code, reason);
  }

  /** The end of a turn: one write for each client that has something waiting. */
  flush(): void {
    const crowds = this.#dirtyCrowds;
    if (crowds.length > 0) {
      this.#dirtyCrowds = [];
      for (const crowd of crowds) this.#delivery.crowd(crowd);
    }
    if (this.#dirtyClients.size > 0) {
      for (const client of this.#dirtyClients) this.#delivery.client(client);
      this.#dirtyClients.clear();
    }
    this.#arena.rewind();
    this.turnBytes = 0;
  }

  /** Under `wait`: true while some client is to be waited for. Cuts those that have had their time. */
  behind(nowMs: number): boolean {
    if (this.#limits.policy !== 'wait') return false;
    let behind = false;
    for (const client of this.#clients) {
      const since = client.behindSinceMs;
      if (client.gone || !isBehind(this.#limits, client.outlet.buffered(), since !== undefined)) {
        client.behindSinceMs = undefined;
      } else if (nowMs - (client.behindSinceMs ??= nowMs) >= this.#limits.waitMs) {
        this.#delivery.cut(client);
      } else behind = true;
    }
    return behind;
  }

  #wakeOnce(): void {
    if (this.#dirtyCrowds.length === 0 && this.#dirtyClients.size === 0) this.#wake();
  }
}
