/**
 * Who may connect to what: the ZAP handler (ZeroMQ RFC 27) of a process. libzmq asks it about every connection to a
 * guarded socket, by domain and public key; it answers at once from memory, since a slow answer delays every join. There
 * is one in a process, bound before any guarded socket: without it such a socket admits nobody.
 *
 *   request = "1.0" request-id domain address identity mechanism key   ; identity is the socket's own, not the peer's
 *   reply   = "1.0" request-id ( "200" / "400" ) text user-id metadata
 *
 * What is revoked cuts no connection that stands: restart the node whose key it was, and those that it talked to.
 */
import { Reply } from 'zeromq';
import { KEY_BYTES, keyText } from './curve.ts';
import { messages } from './messages-zeromq.ts';

const ENDPOINT = 'inproc://zeromq.zap.01';

export type Denial = {
  readonly domain: string;
  readonly address: string;
  /** The stranger's public key; absent when it has none. */
  readonly publicKey?: string;
};

export class Zap implements AsyncDisposable {
  readonly stats = { admitted: 0, denied: 0 };
  /** The last one that was turned away. */
  lastDenial: Denial | undefined;
  readonly #socket: Reply;
  readonly #allowed = new Map<string, ReadonlyMap<string, string>>();
  readonly #answering: Promise<void>;

  private constructor(socket: Reply) {
    this.#socket = socket;
    this.#answering = this.#answer();
  }

  /** Throws TypeError when this process has one already. */
  static async open(): Promise<Zap> {
    const socket = new Reply({ linger: 0 });
    try {
      await socket.bind(ENDPOINT);
    } catch (cause) {
      socket.close();
      throw new TypeError('this process has a ZAP handler already', { cause });
    }
    return new Zap(socket);
  }

  /** Admits these, and nobody else, to the sockets of a domain. */
  allow(domain: string, nodes: ReadonlyMap<string, string>): void {
    this.#allowed.set(domain, nodes);
  }

  /** Who it is, or undefined: nobody that this domain knows. */
  #judge(domain: string, mechanism: string, key: Buffer | undefined): string | undefined {
    if (mechanism !== 'CURVE' || key?.length !== KEY_BYTES) return undefined;
    return this.#allowed.get(domain)?.get(keyText(key));
  }

  async #answer(): Promise<void> {
    try {
      for await (const parts of messages(this.#socket)) {
        const [version = '', id = '', ...rest] = parts;
        const [domain = '', address = '', , mechanism = ''] = rest.map((part) => part.toString());
        const key = rest[4];
        const node = this.#judge(domain, mechanism, key);
        if (node === undefined) {
          this.stats.denied++;
          const publicKey = key?.length === KEY_BYTES ? { publicKey: keyText(key) } : {};
          this.lastDenial = { domain, address, ...publicKey };
          await this.#socket.send([version, id, '400', 'not listed', '', '']);
        } else {
          this.stats.admitted++;
          await this.#socket.send([version, id, '200', 'OK', node, '']);
        }
      }
    } catch (error) {
      if (!this.#socket.closed) throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    await this.#answering.catch(() => undefined);
  }
}
