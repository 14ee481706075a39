/** A port between a writer and those who hear it, that can be taken away: refused, cut, or open and dead. */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP port of this host that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}

export class Flapper implements AsyncDisposable {
  readonly port: number;
  readonly target: number;
  #server: Server | undefined;
  readonly #pairs = new Set<readonly [Socket, Socket]>();

  private constructor(port: number, target: number) {
    this.port = port;
    this.target = target;
  }

  /** A new port that leads to a new port. */
  static async open(): Promise<Flapper> {
    const flapper = new Flapper(await freePort(), await freePort());
    await flapper.up();
    return flapper;
  }

  get endpoints(): { readonly bound: string; readonly heard: string } {
    return { bound: `tcp://127.0.0.1:${this.target}`, heard: `tcp://127.0.0.1:${this.port}` };
  }

  async up(): Promise<void> {
    this.#server = createServer((socket) => {
      const onward = connect(this.target, '127.0.0.1');
      const pair = [socket, onward] as const;
      this.#pairs.add(pair);
      const end = (): void => {
        this.#pairs.delete(pair);
        socket.destroy();
        onward.destroy();
      };
      for (const one of pair) one.on('error', end).on('close', end);
      socket.pipe(onward);
      onward.pipe(socket);
    });
    await new Promise<void>((resolve) => this.#server!.listen(this.port, '127.0.0.1', resolve));
  }

  /** Connections are cut, new ones refused. */
  async down(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()));
    for (const [socket] of this.#pairs) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.down();
  }
}
