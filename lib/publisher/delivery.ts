/**
 * The end of a turn for a crowd or a client: one write of what is piled up, unless the client is too slow for it.
 */
import type { Client } from './client.ts';
import type { PublisherMetrics } from './metrics.ts';
import { type SlowLimits, type SlowReport, admit, admitPrivate } from './slow.ts';
import type { Crowd } from './subscriptions.ts';

export class Delivery {
  readonly #limits: SlowLimits;
  readonly #metrics: PublisherMetrics;
  readonly #pin: () => void;
  readonly #tell: (what: SlowReport) => void;

  /** `pin` is called when a client goes on reading bytes that it was given, `tell` when one falls behind. */
  constructor(
    limits: SlowLimits,
    metrics: PublisherMetrics,
    pin: () => void,
    tell: (what: SlowReport) => void = () => undefined,
  ) {
    this.#limits = limits;
    this.#metrics = metrics;
    this.#pin = pin;
    this.#tell = tell;
  }

  /** Writes a crowd's frames to its clients, behind what waits for each alone. */
  crowd(crowd: Crowd): void {
    const { pile } = crowd;
    const { bytes, frames } = pile;
    if (frames === 0) return;
    let view: Buffer | undefined;
    let copy: Buffer | undefined;
    for (const client of crowd.clients as Set<Client>) {
      if (client.gone) continue;
      if (client.own.frames > 0) {
        this.#mixed(client, (view ??= pile.view()), frames);
        continue;
      }
      const buffered = client.outlet.buffered();
      const verdict = admit(this.#limits, buffered, bytes, client.skipped !== undefined);
      if (verdict !== 'write') {
        this.#refuse(client, verdict, bytes, frames);
        continue;
      }
      // A socket with a backlog keeps what it gets: bytes of their own, lest they pin a whole arena each.
      const piece = buffered > 0 ? (copy ??= pile.copy()) : (view ??= pile.view());
      this.caughtUp(client);
      this.#write(client, piece, frames);
    }
    pile.clear();
  }

  /** Writes what waits for this client alone. */
  client(client: Client): void {
    const { own } = client;
    if (own.frames === 0 || client.gone) return;
    const buffered = client.outlet.buffered();
    if (admitPrivate(this.#limits, buffered, own.bytes) === 'cut') {
      this.cut(client);
      return;
    }
    this.#write(client, buffered > 0 ? own.copy() : own.view(), own.frames);
    own.clear();
  }

  /** Closes a client that is too slow. */
  cut(client: Client): void {
    this.#metrics.slowDisconnects++;
    const waitingBytes = client.outlet.buffered();
    this.caughtUp(client);
    this.#tell({ event: 'cut', peer: peerOf(client), waitingBytes });
    this.part(client, 1008, 'too slow: the send buffer is full');
  }

  /** Nothing is left out for it any more: it has room again, or has gone. */
  caughtUp(client: Client): void {
    const { skipped } = client;
    if (!skipped) return;
    client.skipped = undefined;
    this.#tell({ event: 'skipped', peer: peerOf(client), ...skipped });
  }

  /** Closes a client and lets go of what was for it. */
  part(client: Client, code: number, reason: string): void {
    client.gone = true;
    client.own.clear();
    client.outlet.close(code, reason);
  }

  /** A client's own frames and the crowd's behind them, in one write. */
  #mixed(client: Client, topics: Buffer, frames: number): void {
    const { own } = client;
    const total = own.bytes + topics.length;
    const skipping = client.skipped !== undefined;
    const verdict = admit(this.#limits, client.outlet.buffered(), total, skipping);
    if (verdict === 'write') {
      this.caughtUp(client);
      this.#write(client, Buffer.concat([own.view(), topics], total), own.frames + frames);
      own.clear();
    } else {
      if (verdict === 'skip') this.client(client);
      if (!client.gone) this.#refuse(client, verdict, topics.length, frames);
    }
  }

  #write(client: Client, bytes: Buffer, frames: number): void {
    this.#metrics.writes++;
    this.#metrics.frames += frames;
    this.#metrics.bytes += bytes.length;
    if (!client.outlet.write(bytes)) this.#pin();
  }

  #refuse(client: Client, verdict: 'skip' | 'cut', bytes: number, frames: number): void {
    if (verdict === 'cut') {
      this.cut(client);
      return;
    }
    if (!client.skipped) {
      client.skipped = { turns: 0, frames: 0, bytes: 0 };
      const waitingBytes = client.outlet.buffered();
      this.#tell({ event: 'skipping', peer: peerOf(client), waitingBytes });
    }
    client.skipped.turns++;
    client.skipped.frames += frames;
    client.skipped.bytes += bytes;
    this.#metrics.skippedTurns++;
    this.#metrics.skippedFrames += frames;
    this.#metrics.skippedBytes += bytes;
  }
}

const peerOf = ({ outlet }: Client): string => outlet.peer ?? 'unknown';
