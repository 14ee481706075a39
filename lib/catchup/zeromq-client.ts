/**
 * Asks holders of logs for bytes, and takes their answers: one inbox a process (PULL, binds), one PUSH a holder.
 * Of each log only the newest request waits to be sent; a holder that is not there yet gets it when it is.
 * Every request carries this process's own random tag: an answer without it was not asked for by us.
 */
import { randomInt } from 'node:crypto';
import type { Pull, Push } from 'zeromq';
import { Door } from '../mesh/door-zeromq.ts';
import { messages } from '../mesh/messages-zeromq.ts';
import { dial, securePeer, type SecurePeer, type Security } from '../mesh/security-zeromq.ts';
import { bindSocket, inboxSocket, requestSocket } from '../mesh/zeromq.ts';
import type { Ask } from './answer.ts';
import { decodeReply, encodeRequest, type Reply } from './frames.ts';

export type CatchupClientOptions = {
  /** Our name, as the holders' settings know it. */
  readonly node: string;
  readonly inbox: string | readonly string[];
  /** Only the nodes it reads from may answer, and only they are asked. Absent: plain sockets. */
  readonly security?: Security | undefined;
};

/** A way to ask one holder. */
export type Holder = { ask(log: string, ask: Ask): void };

export class CatchupClient implements AsyncDisposable {
  readonly stats = {
    answers: 0,
    /** Messages that were no answers; answers that nobody here had asked for. */
    invalid: 0,
    stray: 0,
  };
  readonly door: Door;
  readonly endpoints: readonly string[];
  readonly #node: string;
  readonly #security: Security | undefined;
  readonly #inbox: Pull;
  readonly #tag = randomInt(1, 2 ** 47);
  readonly #holders = new Map<string, Requests>();
  readonly #askers = new Map<string, (reply: Reply) => void>();
  readonly #hearing: Promise<void>;

  private constructor(
    options: CatchupClientOptions,
    inbox: Pull,
    endpoints: readonly string[],
    door: Door,
  ) {
    this.door = door;
    this.#node = options.node;
    this.#security = options.security;
    this.#inbox = inbox;
    this.endpoints = endpoints;
    this.#hearing = this.#hear();
  }

  /** Binds the inbox. Throws PORT_TAKEN or BIND_FAILED. */
  static async bind(options: CatchupClientOptions): Promise<CatchupClient> {
    const socket = inboxSocket();
    try {
      const door = new Door();
      door.watch(socket);
      options.security?.guard(socket, 'inbox');
      const endpoints: string[] = [];
      for (const endpoint of [options.inbox].flat())
        endpoints.push(await bindSocket(socket, endpoint));
      return new CatchupClient(options, socket, endpoints, door);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Answers about `log` go to `take` from now on. */
  follow(log: string, take: (reply: Reply) => void): void {
    this.#askers.set(log, take);
  }

  /** The holder that takes requests at `endpoint`. With keys: the node whose it must be. */
  holder(endpoint: string, node = ''): Holder {
    let requests = this.#holders.get(endpoint);
    if (!requests) {
      const to = this.#security && securePeer(this.#security, 'writers', node);
      this.#holders.set(endpoint, (requests = new Requests(endpoint, to)));
    }
    const to = requests;
    return {
      ask: (log, ask) =>
        to.push(log, encodeRequest({ node: this.#node, log, ask, tag: this.#tag })),
    };
  }

  async #hear(): Promise<void> {
    try {
      for await (const parts of messages(this.#inbox)) {
        const reply = decodeReply(parts);
        if (!reply) {
          this.stats.invalid++;
          continue;
        }
        const take = reply.tag === this.#tag ? this.#askers.get(reply.log) : undefined;
        if (!take) {
          this.stats.stray++;
          continue;
        }
        this.stats.answers++;
        take(reply);
      }
    } catch (error) {
      if (!this.#inbox.closed) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#inbox.close();
    for (const requests of this.#holders.values()) requests.close();
    await this.#hearing.catch(() => undefined);
    await Promise.all([...this.#holders.values()].map((requests) => requests.idle));
  }
}

/** Requests on their way to one holder. */
class Requests {
  readonly #socket: Push;
  readonly #waiting = new Map<string, Buffer[]>();
  #pumping = false;
  idle: Promise<void> = Promise.resolve();

  constructor(endpoint: string, to: SecurePeer | undefined) {
    this.#socket = requestSocket(endpoint);
    dial(this.#socket, endpoint, to);
  }

  push(log: string, parts: Buffer[]): void {
    this.#waiting.set(log, parts);
    if (!this.#pumping) this.idle = this.#pump();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    try {
      for (;;) {
        const next = this.#waiting.entries().next().value;
        if (!next || this.#socket.closed) return;
        const [log, parts] = next;
        this.#waiting.delete(log);
        try {
          await this.#socket.send(parts);
        } catch (error) {
          // The holder is not there (EAGAIN): keep what is newest, and wait for it. Else: the asker repeats.
          const absent = (error as NodeJS.ErrnoException).code === 'EAGAIN';
          if (absent && !this.#waiting.has(log)) this.#waiting.set(log, parts);
        }
      }
    } finally {
      this.#pumping = false;
    }
  }

  close(): void {
    this.#waiting.clear();
    this.#socket.close();
  }
}
