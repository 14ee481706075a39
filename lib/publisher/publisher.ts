/**
 * A publisher is a consumer of a feed, as a strategy is: it hands each record to a venue and what the venue says to the
 * venue's clients, over WebSockets and REST on one port. It owns sockets, timers and turns; the venue owns the meaning.
 *
 *   feed -> pump -> Venue.record -> Hub.publish -> one write a client a turn
 */
import type { Server } from 'node:http';
import type { RestRequest, RestResponse, Venue, VenueOptions } from '../exchange/exchange.ts';
import type { FeedBatch, FeedEvent } from '../feed/record.ts';
import { type Clock, realClock } from '../world/clock.ts';
import { listen, restServer } from './http.ts';
import { Hub } from './hub.ts';
import { MarketTime, type TimeSource } from './market-time.ts';
import { type PublisherMetrics, newMetrics } from './metrics.ts';
import { sweepMs } from './ping.ts';
import { Bell, later, letOthersRun, repeat } from './process.ts';
import { pump } from './pump.ts';
import { type PublisherSettings, publisherDefaults } from './settings.ts';
import type { SlowReport } from './slow.ts';
import { WebSockets } from './websocket.ts';

export type PublisherOptions = {
  /** Makes the venue: `({ broadcast, nowUs }) => binance.venue({ broadcast, nowUs, instruments })`. */
  readonly venue: (seams: Pick<VenueOptions, 'broadcast' | 'nowUs'>) => Venue;
  /** Ended by `stop`: closed where it can be, else by leaving the iteration. */
  readonly feed: AsyncIterable<FeedBatch> & Partial<AsyncDisposable>;
  /** Whose time it is: `wall` (default), or that of the `records` of a replay. */
  readonly time?: TimeSource;
  readonly settings?: Partial<PublisherSettings>;
  readonly clock?: Clock;
  /** More for `/-/metrics`: what its feed says of itself. */
  readonly more?: () => object;
  /** A defect of the venue, caught; what it did is counted in `metrics.failures`. */
  readonly onFailure?: (error: unknown) => void;
  /** A client reads too slowly: what becomes of it, with counts. */
  readonly onSlow?: (what: SlowReport) => void;
  /** What the feed tells between records. */
  readonly onEvent?: (event: FeedEvent) => void;
};

/** At most so long between looks at slow clients under `wait`, ms. */
const ROOM_MS = 20;

export class Publisher implements AsyncDisposable {
  readonly metrics: PublisherMetrics = newMetrics();
  readonly venue: Venue;
  /** Settles when the feed has ended (or `stop` was called); rejects where the feed fails. Serving goes on till `stop`. */
  readonly done: Promise<void>;
  /** Resolves once the feed has caught up with its logs, or has ended. */
  readonly caughtUp: Promise<void>;
  readonly #source: PublisherOptions['feed'];
  readonly #feed: AsyncIterator<FeedBatch>;
  readonly #settings: PublisherSettings;
  readonly #clock: Clock;
  readonly #time: MarketTime;
  readonly #hub: Hub;
  readonly #webSockets: WebSockets;
  readonly #server: Server;
  readonly #room = new Bell();
  readonly #closed = new Bell();
  readonly #onFailure: (error: unknown) => void;
  readonly #onEvent: (event: FeedEvent) => void;
  #timers: { stop(): void }[] = [];
  #settle: (outcome: Promise<void>) => void = () => {};
  #halt: () => void = () => {};
  #catchUp: () => void = () => {};
  #nextTickMs = 0;
  #ready = false;
  #stopped = false;
  #stopping: Promise<void> | undefined;

  constructor(options: PublisherOptions) {
    this.#settings = { ...publisherDefaults, ...options.settings };
    this.#clock = options.clock ?? realClock;
    this.#time = new MarketTime(options.time ?? 'wall', () => this.#clock.wallUs());
    this.#onFailure = options.onFailure ?? (() => {});
    this.#onEvent = options.onEvent ?? (() => {});
    this.#source = options.feed;
    this.#feed = options.feed[Symbol.asyncIterator]();
    this.caughtUp = new Promise((resolve) => (this.#catchUp = resolve));
    const stopped = new Promise<void>((resolve) => (this.#halt = resolve));
    const pumped = new Promise<void>((resolve) => (this.#settle = resolve));
    this.done = Promise.race([stopped, pumped]);
    this.done.catch(() => {});
    const { metrics } = this;
    const hub: Hub = new Hub({
      encode: (topic, variant, payload) => this.venue.encode(topic, variant, payload),
      wrap: (topic, variant) => this.venue.wrap?.(topic, variant),
      limits: this.#settings.slow,
      metrics,
      tell: options.onSlow,
      wake: () => queueMicrotask(() => hub.flush()),
    });
    this.#hub = hub;
    this.venue = options.venue({ broadcast: hub, nowUs: () => this.#time.nowUs() });
    this.#webSockets = new WebSockets({
      venue: this.venue,
      hub,
      metrics,
      settings: this.#settings,
      monoMs: () => this.#clock.monoMs(),
      wallMs: () => Math.floor(this.#clock.wallUs() / 1000),
      later,
      drained: () => this.#room.ring(),
      ended: () => this.#closed.ring(),
      failed: (error) => this.#failed(error),
    });
    this.#server = restServer({
      rest: (request) => this.#rest(request),
      ready: () => this.#ready,
      metrics: () => ({ ...metrics, ready: this.#ready, topics: this.topics, ...options.more?.() }),
      maxRequestBytes: this.#settings.maxRequestBytes,
      maxConnections: this.#settings.maxConnections,
      cut: (slow) => metrics[slow ? 'slowRequests' : 'strangeRequests']++,
    });
    this.#server.on('drop', () => metrics.refused++);
    this.#server.on('upgrade', (request, socket, head) =>
      this.#webSockets.upgrade(request, socket, head),
    );
  }

  /** True once the feed has caught up with its logs (or has ended). */
  get ready(): boolean {
    return this.#ready;
  }

  /** Clients of each topic. */
  get topics(): Record<string, number> {
    return this.#hub.subscribers();
  }

  /** Listens (port 0: any free one), then begins to take from the feed. Throws PORT_TAKEN, BIND_FAILED. */
  async start(port: number, host = '127.0.0.1'): Promise<{ port: number }> {
    const bound = await listen(this.#server, port, host);
    this.#timers = [
      repeat(() => this.#tick(), 1),
      repeat(() => {
        this.#webSockets.sweep();
        return sweepMs(this.venue.ping);
      }, sweepMs(this.venue.ping)),
    ];
    this.#settle(this.#pump());
    return { port: bound };
  }

  /** Closes all clients (1001), waits for their answers up to `graceMs`, and ends. May be called again. */
  stop(graceMs = 2000): Promise<void> {
    return (this.#stopping ??= this.#stop(graceMs));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(graceMs: number): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers) timer.stop();
    this.#room.ring();
    this.#halt();
    // Not awaited: a generator that waits for its next batch returns only when that comes.
    this.#feed.return?.().catch(() => {});
    this.#source[Symbol.asyncDispose]?.().then(undefined, (error) => this.#failed(error));
    this.#hub.flush();
    this.#webSockets.closeAll(1001, 'the server stops');
    const untilMs = this.#clock.monoMs() + graceMs;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    for (;;) {
      const leftMs = untilMs - this.#clock.monoMs();
      if (this.#webSockets.size === 0 || leftMs <= 0) break;
      await this.#closed.wait(leftMs);
    }
    this.#webSockets.terminateAll();
    this.#server.closeAllConnections();
    await closed;
  }

  async #pump(): Promise<void> {
    await pump(this.#feed, {
      venue: this.venue,
      hub: this.#hub,
      metrics: this.metrics,
      time: this.#time,
      tick: () => {
        this.#tick();
        return this.#nextTickMs * 1000;
      },
      monoMs: () => this.#clock.monoMs(),
      letOthersRun,
      room: () => this.#room.wait(ROOM_MS),
      seen: (batch) => this.#seen(batch),
      failed: (error) => this.#failed(error),
      stopped: () => this.#stopped,
    });
    this.#nowReady();
  }

  #seen({ live, events }: FeedBatch): void {
    const reached = events.some(({ state }) => state === 'caughtUp' || state === 'live');
    if (live || reached) this.#nowReady();
    for (const event of events) this.#onEvent(event);
  }

  #nowReady(): void {
    this.#ready = true;
    this.#catchUp();
  }

  /** Lets the venue publish what is due; says in how many ms to look again. */
  #tick(): number {
    if (!this.#time.known) return 100;
    const nowMs = Math.floor(this.#time.nowUs() / 1000);
    if (nowMs >= this.#nextTickMs) {
      try {
        this.#nextTickMs = Math.max(nowMs + 1, this.venue.tick(nowMs));
      } catch (error) {
        this.#nextTickMs = nowMs + 1000;
        this.#failed(error);
      }
    }
    return Math.min(this.#nextTickMs - nowMs, 1000);
  }

  #rest(request: RestRequest): RestResponse {
    this.metrics.requests++;
    try {
      return this.venue.rest(request);
    } catch (error) {
      this.#failed(error);
      return { status: 500, body: '{"error":"internal error"}' };
    }
  }

  #failed(error: unknown): void {
    this.metrics.failures++;
    this.#onFailure(error);
  }
}
