/**
 * WebSockets of one venue: upgrades, sessions, pings, closing. Whatever one client does (garbage, silence, a flood)
 * ends with that client.
 */
import type { IncomingMessage } from 'node:http';
import { isIPv4 } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Venue, VenueSession } from '../exchange/exchange.ts';
import type { Client } from './client.ts';
import type { Hub } from './hub.ts';
import type { PublisherMetrics } from './metrics.ts';
import { Inbox } from './inbox.ts';
import { WebSocketOutlet } from './outlet-websocket.ts';
import { Pings } from './ping.ts';
import type { PublisherSettings } from './settings.ts';

export type WebSocketParts = {
  readonly venue: Venue;
  readonly hub: Hub;
  readonly metrics: PublisherMetrics;
  readonly settings: PublisherSettings;
  readonly monoMs: () => number;
  readonly wallMs: () => number;
  readonly later: (action: () => void) => void;
  /** A client's socket has room again. */
  readonly drained: () => void;
  /** A client has gone. */
  readonly ended: () => void;
  /** The venue threw: a defect to count and report. */
  readonly failed: (error: unknown) => void;
};

type Connected = {
  readonly webSocket: WebSocket;
  readonly outlet: WebSocketOutlet;
  readonly pings: Pings;
  closingSinceMs: number | undefined;
};

const isLoopback = (address: string): boolean =>
  address === '::1' || (isIPv4(address) ? address : address.slice(7)).startsWith('127.');

export class WebSockets {
  readonly #parts: WebSocketParts;
  readonly #server: WebSocketServer;
  readonly #connected = new Set<Connected>();
  readonly #perAddress = new Map<string, number>();
  #stopping = false;

  constructor(parts: WebSocketParts) {
    this.#parts = parts;
    const options = {
      noServer: true,
      clientTracking: false,
      maxPayload: parts.settings.maxRequestBytes,
      maxFragments: 16,
      perMessageDeflate: parts.settings.compression && { threshold: 1024, concurrencyLimit: 4 },
    };
    this.#server = new WebSocketServer(options);
  }

  /** Handles 'upgrade' of an HTTP server. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { venue, hub, metrics, settings } = this.#parts;
    socket.on('error', () => {});
    const address = request.socket.remoteAddress ?? '';
    const origin = request.headers.origin;
    if (this.#stopping) return this.#refuse(socket, 503);
    if (origin !== undefined && settings.origins && !settings.origins.includes(origin)) {
      return this.#refuse(socket, 403);
    }
    if ((this.#perAddress.get(address) ?? 0) >= settings.maxPerAddress && !isLoopback(address)) {
      return this.#refuse(socket, 429);
    }
    const outlet = new WebSocketOutlet(socket, `${address}:${request.socket.remotePort ?? 0}`);
    const client = hub.attach(outlet);
    const connection = this.#guarded(() => venue.connect(request.url ?? '/', client));
    if (connection === undefined || 'refuse' in connection) {
      hub.detach(client);
      return this.#refuse(socket, connection?.refuse ?? 500);
    }
    const { session } = connection;
    let opened = false;
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      opened = true;
      outlet.open(webSocket, settings.direct);
      this.#serve(webSocket, outlet, session, client, address);
    });
    if (opened) return;
    // The handshake was malformed: ws has answered.
    metrics.refused++;
    hub.detach(client);
    this.#guarded(() => session.closed());
  }

  /** Sends pings that are due, cuts who is silent, destroys what does not close. */
  sweep(): void {
    const { venue, metrics, settings } = this.#parts;
    const nowMs = this.#parts.monoMs();
    for (const connected of this.#connected) {
      const { webSocket, pings } = connected;
      if (webSocket.readyState !== webSocket.OPEN) {
        connected.closingSinceMs ??= nowMs;
        if (nowMs - connected.closingSinceMs >= settings.closeMs) webSocket.terminate();
        continue;
      }
      const due = pings.due(nowMs);
      if (due === 'ping') {
        const payload = venue.ping.payload(this.#parts.wallMs());
        pings.sent(payload, nowMs);
        webSocket.ping(payload);
      } else if (due === 'cut') {
        metrics.silentDisconnects++;
        connected.closingSinceMs = nowMs;
        webSocket.close(1008, 'Pong timeout');
      }
    }
  }

  /** Begins to close all; turns new ones away. */
  closeAll(code: number, reason: string): void {
    this.#stopping = true;
    for (const client of this.#parts.hub.clients) client.close(code, reason);
  }

  /** Destroys what is left. */
  terminateAll(): void {
    for (const { webSocket } of this.#connected) webSocket.terminate();
  }

  get size(): number {
    return this.#connected.size;
  }

  #serve(
    webSocket: WebSocket,
    outlet: WebSocketOutlet,
    session: VenueSession,
    client: Client,
    address: string,
  ): void {
    const { venue, hub, metrics, monoMs } = this.#parts;
    const pings = new Pings(venue.ping, monoMs());
    const connected: Connected = { webSocket, outlet, pings, closingSinceMs: undefined };
    this.#connected.add(connected);
    this.#perAddress.set(address, (this.#perAddress.get(address) ?? 0) + 1);
    metrics.clients++;
    metrics.opened++;
    const run = (action: () => void): void => {
      if (!this.#guarded(() => (action(), true))) client.close(1011, 'internal error');
    };
    const inbox = new Inbox({
      // Behind a close that was asked for, a client's requests are not heard any more.
      take: (text) => client.gone || run(() => session.message(text)),
      pause: () => {
        metrics.heldBack++;
        webSocket.pause();
      },
      resume: () => webSocket.resume(),
      monoMs,
      later: this.#parts.later,
    });
    webSocket.on('message', (data) => {
      metrics.received++;
      inbox.put((data as Buffer).toString());
    });
    webSocket.on('pong', (data) => pings.pong(data.toString()));
    webSocket.on('error', () => metrics.malformed++);
    webSocket.once('close', () => {
      this.#connected.delete(connected);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left > 0) this.#perAddress.set(address, left);
      else this.#perAddress.delete(address);
      metrics.clients--;
      inbox.clear();
      client.gone = true;
      run(() => session.closed());
      hub.detach(client);
      this.#parts.drained();
      this.#parts.ended();
    });
    outlet.onDrain(this.#parts.drained);
    run(() => session.opened());
  }

  #refuse(socket: Duplex, status: number): void {
    this.#parts.metrics.refused++;
    socket.once('finish', () => socket.destroy());
    socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }

  /** The venue promises not to throw. Should it: counted, reported, and nobody else suffers. */
  #guarded<T>(action: () => T): T | undefined {
    try {
      return action();
    } catch (error) {
      this.#parts.failed(error);
      return undefined;
    }
  }
}
