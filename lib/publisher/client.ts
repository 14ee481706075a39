/**
 * One WebSocket client as the hub keeps it: what it joined, what waits for it alone, how far it is behind. It knows its
 * connection only as an `Outlet`, so that all of this runs without a socket.
 */
import type { ClientPort } from '../exchange/exchange.ts';
import { Pile } from './arena.ts';
import type { Skipped } from './slow.ts';
import type { Audience, Crowd, Member } from './subscriptions.ts';

/** A client's connection, below the frames. */
export type Outlet = {
  /** Bytes handed over that the network has not taken yet. */
  buffered(): number;
  /** Whole text frames, end to end. True: nobody reads these bytes any more, they may be written over. */
  write(frames: Buffer): boolean;
  /** Who is at the other end, for whoever reads the log. */
  readonly peer?: string;
  /** Begins to close; never reports the end before it returns. */
  close(code: number, reason: string): void;
};

/** What a client asks of the hub. */
type Port = {
  send(client: Client, text: string): void;
  join(client: Client, topic: string, variant: string): void;
  leave(client: Client, topic: string, variant: string): void;
  close(client: Client, code: number, reason: string): void;
};

export class Client implements ClientPort, Member {
  readonly #hub: Port;
  readonly outlet: Outlet;
  readonly audiences = new Set<Audience>();
  crowd: Crowd | undefined = undefined;
  /** Frames for it alone. They leave before the crowd's frames that came after them. */
  readonly own = new Pile();
  /** Under `skip`: what was left out since it fell behind; undefined = it has not. */
  skipped: Skipped | undefined = undefined;
  /** Under `wait`: since when it is over the bound, ms; undefined = it is not. */
  behindSinceMs: number | undefined = undefined;
  /** Cut or gone: gets nothing more. */
  gone = false;

  constructor(hub: Port, outlet: Outlet) {
    this.#hub = hub;
    this.outlet = outlet;
  }

  send(text: string): void {
    this.#hub.send(this, text);
  }
  join(topic: string, variant: string): void {
    this.#hub.join(this, topic, variant);
  }
  leave(topic: string, variant: string): void {
    this.#hub.leave(this, topic, variant);
  }
  close(code: number, reason: string): void {
    this.#hub.close(this, code, reason);
  }
}
