/** A WebSocket client that keeps every frame as it came, and dials again when it is cut off. */
import { createHash } from 'node:crypto';
import { WebSocket } from 'ws';

export class FrameClient {
  /** Frames of each connection, in order. */
  readonly connections: Buffer[][] = [];
  readonly #url: string;
  readonly #again: boolean;
  #socket: WebSocket | undefined;
  #closed = false;
  readonly #checks = new Set<() => void>();

  constructor(url: string, options: { readonly again?: boolean } = {}) {
    this.#url = url;
    this.#again = options.again ?? false;
    this.#dial();
  }

  #dial(): void {
    const socket = new WebSocket(this.#url);
    const frames: Buffer[] = [];
    this.#socket = socket;
    socket.on('open', () => {
      this.connections.push(frames);
      this.#check();
    });
    socket.on('message', (bytes) => {
      frames.push(bytes as Buffer);
      this.#check();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#check();
      if (this.#again && !this.#closed) setTimeout(() => this.#dial(), 20);
    });
  }

  #check(): void {
    for (const check of this.#checks) check();
  }

  /** Frames of the connection that is open, or was last. */
  get frames(): readonly Buffer[] {
    return this.connections.at(-1) ?? [];
  }
  get isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Until `condition` holds; looked at after every frame. Rejects when the connection ends and is not dialled again. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const holds = condition();
        const over = this.#socket?.readyState === WebSocket.CLOSED && !this.#again;
        if (!holds && !over) return;
        this.#checks.delete(check);
        if (holds) resolve();
        else reject(new Error(`the connection ended after ${this.frames.length} frames`));
      };
      this.#checks.add(check);
      check();
    });
  }

  send(message: unknown): void {
    this.#socket!.send(JSON.stringify(message));
  }

  close(): void {
    this.#closed = true;
    this.#socket?.terminate();
  }
}

/** sha256 over frames, each with its length: the same digest means the same frames in the same order. */
export function digest(frames: Iterable<Buffer | string>): string {
  const hash = createHash('sha256');
  for (const frame of frames) hash.update(`${Buffer.byteLength(frame)}\n`).update(frame);
  return hash.digest('hex');
}
