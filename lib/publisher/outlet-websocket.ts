/**
 * The one place that goes below the API of `ws`: it writes frames that are encoded already straight to the TCP socket
 * that the upgrade handed us, one write for a whole turn, where `ws.send` would encode and write each for each client.
 *
 * Why that is safe: without an extension, `ws` too writes each frame (pong, close) to the socket whole and at once, so
 * frames of both lie end to end, never within each other. It holds frames back only while it compresses or reads a
 * Blob; then `bufferedAmount` is more than what the socket holds, and we go through `ws.send`, behind what it holds.
 * The same where permessage-deflate was agreed on, and after the closing handshake has begun nothing is written at all.
 */
import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { Outlet } from './client.ts';
import { framePayloads } from './frame.ts';

export class WebSocketOutlet implements Outlet {
  readonly peer: string;
  readonly #socket: Duplex;
  #webSocket: WebSocket | undefined;
  #direct = false;

  constructor(socket: Duplex, peer: string) {
    this.peer = peer;
    this.#socket = socket;
  }

  /** The handshake is done. `direct` false: never below the API. */
  open(webSocket: WebSocket, direct: boolean): void {
    this.#webSocket = webSocket;
    this.#direct = direct && webSocket.extensions === '';
  }

  buffered(): number {
    return this.#webSocket?.bufferedAmount ?? 0;
  }

  write(frames: Buffer): boolean {
    const webSocket = this.#webSocket;
    if (webSocket === undefined || webSocket.readyState !== WebSocket.OPEN) return true;
    if (this.#direct && webSocket.bufferedAmount === this.#socket.writableLength) {
      this.#socket.write(frames);
      // A socket tries at once: what the kernel has taken is no longer counted.
      return this.#socket.writableLength === 0;
    }
    for (const payload of framePayloads(frames)) webSocket.send(payload, { binary: false });
    return false;
  }

  /** Calls `action` each time the network has taken all there was. */
  onDrain(action: () => void): void {
    this.#socket.on('drain', action);
  }

  close(code: number, reason: string): void {
    this.#webSocket?.close(code, reason);
  }
}
