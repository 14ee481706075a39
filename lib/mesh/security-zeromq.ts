/**
 * What makes the sockets of a node safe: its key pair, the keys of those that may connect, and of those it dials.
 * Each of its bound sockets is a domain of its own: whoever may read its notices may not write into its inbox.
 * Handed to whatever opens sockets; without it sockets are plain, and then bind to nothing that others can reach.
 */
import {
  curveKeyPair,
  type Pull,
  type Push,
  type Subscriber,
  type XPublisher,
  type XSubscriber,
} from 'zeromq';
import type { KeyPair, PublicKeys } from './curve.ts';
import { onEvent } from './events-zeromq.ts';
import { keepDialled } from './redial-zeromq.ts';
import { Zap, type Denial } from './zap-zeromq.ts';

export type SecurityOptions = {
  readonly node: string;
  readonly keys: KeyPair;
  /** Nodes that read from this one: they may hear it, ask it, and their inboxes are dialled. */
  readonly readers?: PublicKeys;
  /** Nodes that this one reads from: they may fill its inbox, and are dialled. */
  readonly writers?: PublicKeys;
  /** The process's handler, when several nodes live in one; else it gets one of its own. */
  readonly zap?: Zap;
};

export type Gate = 'feed' | 'catchup' | 'inbox';

/** A peer that refused us may have been told of us by then. */
const REDIAL_MS = 1_000;
/** Longest pause between attempts on one host. */
const NEAR_RETRY_MS = 200;

export class Security implements AsyncDisposable {
  readonly node: string;
  readonly readers: PublicKeys;
  readonly writers: PublicKeys;
  readonly #keys: KeyPair;
  readonly #zap: Zap;
  readonly #ownsZap: boolean;
  readonly #stats = { broken: 0, refused: 0 };

  private constructor(options: SecurityOptions, zap: Zap) {
    this.node = options.node;
    this.readers = options.readers ?? {};
    this.writers = options.writers ?? {};
    this.#keys = options.keys;
    this.#zap = zap;
    this.#ownsZap = options.zap === undefined;
  }

  static async open(options: SecurityOptions): Promise<Security> {
    return new Security(options, options.zap ?? (await Zap.open()));
  }

  /**
   * `admitted` and `denied`: peers whose key was listed or not, of all nodes of this process. `broken`: connections to
   * this node that never became CURVE of ours (no key, another server's key, garbage, silence). `refused`: peers that
   * refused us.
   */
  get stats(): { admitted: number; denied: number; broken: number; refused: number } {
    return { ...this.#zap.stats, ...this.#stats };
  }
  get lastDenial(): Denial | undefined {
    return this.#zap.lastDenial;
  }

  /** The key of a node that the topology connects us with. */
  keyOf(side: 'readers' | 'writers', node: string): string | undefined {
    return Object.hasOwn(this[side], node) ? this[side][node] : undefined;
  }

  /** To be called before a socket binds. */
  guard(socket: XPublisher | Pull, gate: Gate): void {
    const domain = `${this.node}.${gate}`;
    const peers = Object.entries(gate === 'inbox' ? this.writers : this.readers);
    this.#zap.allow(domain, new Map(peers.map(([node, key]) => [key, node])));
    socket.curveServer = true;
    socket.curveSecretKey = this.#keys.secretKey;
    socket.zapDomain = domain;
    // Without this, a handler that is not there means "open to all".
    socket.zapEnforceDomain = true;
    // Whichever side sees first that it will not do closes: the other one is then only told that the handshake failed.
    onEvent(socket, (type) => {
      if (type === 'handshake:error:protocol' || type === 'handshake:error:other')
        this.#stats.broken++;
    });
  }

  /** Dials a peer that must own `serverKey`. */
  dial(socket: Subscriber | XSubscriber | Push, endpoint: string, serverKey: string): void {
    const { publicKey, secretKey } = this.#keys;
    socket.curvePublicKey = publicKey;
    socket.curveSecretKey = secretKey;
    socket.curveServerKey = serverKey;
    if (socket.reconnectMaxInterval === 0) socket.reconnectMaxInterval = NEAR_RETRY_MS;
    let timer: NodeJS.Timeout | undefined;
    const redial = (): void => {
      if (socket.closed) return;
      socket.disconnect(endpoint);
      socket.connect(endpoint);
    };
    // libzmq gives up for good on a peer that refuses us, or that speaks no CURVE: it says no "retry" then.
    onEvent(socket, (type) => {
      clearTimeout(timer);
      if (type === 'handshake:error:auth' || type === 'handshake:error:protocol')
        this.#stats.refused++;
      if (type === 'disconnect' || type === 'close' || type.startsWith('handshake:error'))
        timer = setTimeout(redial, REDIAL_MS).unref();
    });
    socket.connect(endpoint);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#ownsZap) await this.#zap[Symbol.asyncDispose]();
  }
}

/** A peer that must own a key. */
export type SecurePeer = { readonly security: Security; readonly serverKey: string };

/** A node that we are connected with by the topology. Throws TypeError for any other. */
export function securePeer(
  security: Security,
  side: 'readers' | 'writers',
  node: string,
): SecurePeer {
  const serverKey = security.keyOf(side, node);
  if (serverKey === undefined) throw new TypeError(`no key of "${node}" among the ${side}`);
  return { security, serverKey };
}

/** Dials with the key of the peer where there are keys; plainly where there are none. */
export function dial(socket: Subscriber | Push, endpoint: string, to?: SecurePeer): void {
  if (to) to.security.dial(socket, endpoint, to.serverKey);
  else {
    keepDialled(socket, endpoint);
    socket.connect(endpoint);
  }
}

/** A new key pair, from libzmq's random numbers. */
export const newKeys = (): KeyPair => curveKeyPair();
