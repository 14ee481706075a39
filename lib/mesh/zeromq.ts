/**
 * ZeroMQ sockets as the mesh wants them. Every option that bites by default is set here, once:
 * linger 0 (else a process does not end), sendTimeout 0 on what must never wait (the default throws EBUSY from the 513th
 * unawaited send on), message caps, quick reconnects on one host, a short handshake for silent strangers.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Publisher, Pull, Push, Subscriber, XPublisher } from 'zeromq';
import { TickmeshError } from '../world/error.ts';
import { unguarded } from './curve.ts';
import { staysHere } from './loopback.ts';

export const MESSAGE_MAX = (1 << 20) + (128 << 10);
const REQUEST_MAX = 4_096;
/** How often, and how long apart, a bind is tried again. */
const RETRIES = 10;
const RETRY_MS = 25;

const sameHost = (endpoint: string): boolean =>
  endpoint.startsWith('ipc:') || endpoint.startsWith('inproc:');

/** PUB side that also hears who subscribes. */
export const feedSocket = (): XPublisher => {
  const socket = new XPublisher({
    sendHighWaterMark: 10_000,
    sendTimeout: 0,
    linger: 0,
    maxMessageSize: REQUEST_MAX,
  });
  socket.verbosity = 'allSubs';
  socket.handshakeInterval = 2_000;
  return socket;
};

export const subscriberSocket = (endpoint: string): Subscriber =>
  new Subscriber({
    receiveHighWaterMark: 10_000,
    linger: 0,
    maxMessageSize: MESSAGE_MAX,
    reconnectInterval: sameHost(endpoint) ? 1 : 100,
    // A writer that is gone is dialled ever more rarely: a thousand times a second would cost more than all notices.
    ...(sameHost(endpoint)
      ? { reconnectMaxInterval: 20 }
      : { reconnectMaxInterval: 5_000, heartbeatInterval: 1_000, heartbeatTimeout: 3_000 }),
  });

/** Requests come in here. */
export const requestsSocket = (): Pull =>
  new Pull({
    maxMessageSize: REQUEST_MAX,
    receiveHighWaterMark: 1_000,
    linger: 0,
    handshakeInterval: 2_000,
  });

/** How often a peer that is gone is tried again. On one host a refusal costs nothing: it is back as soon as it is there. */
const redials = (
  endpoint: string,
): { readonly reconnectInterval: number; readonly reconnectMaxInterval: number } => ({
  reconnectInterval: 10,
  reconnectMaxInterval: sameHost(endpoint) ? 50 : 1_000,
});

/** Requests go out here: to a peer that is there, or not at all. One send at a time. */
export const requestSocket = (endpoint = ''): Push =>
  new Push({
    immediate: true,
    sendTimeout: 1_000,
    linger: 0,
    sendHighWaterMark: 16,
    ...redials(endpoint),
  });

/** Answers come in here, one inbox a process. */
export const inboxSocket = (): Pull =>
  new Pull({
    maxMessageSize: MESSAGE_MAX,
    receiveHighWaterMark: 16,
    linger: 0,
    handshakeInterval: 2_000,
  });

/** Answers go out here, one lane an inbox. Nothing is kept for a peer that is gone. */
export const laneSocket = (endpoint = ''): Push =>
  new Push({
    immediate: true,
    sendTimeout: 1_000,
    linger: 0,
    sendHighWaterMark: 8,
    ...redials(endpoint),
  });

/** True when only listed keys get in, handler or no handler. */
const isGuarded = (socket: XPublisher | Publisher | Pull): boolean =>
  socket.securityMechanism === 'curve' &&
  socket.curveServer &&
  socket.zapEnforceDomain &&
  Boolean(socket.zapDomain);

/**
 * Binds; returns the endpoint really bound ("tcp://127.0.0.1:*" becomes a port). Throws PORT_TAKEN or BIND_FAILED, and
 * INSECURE for a plain socket that other computers could reach.
 */
export async function bindSocket(
  socket: XPublisher | Publisher | Pull,
  endpoint: string,
): Promise<string> {
  if (!staysHere(endpoint) && !isGuarded(socket)) throw unguarded(endpoint);
  try {
    await bindPatiently(socket, endpoint);
  } catch (cause) {
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw new TickmeshError(
      taken ? 'PORT_TAKEN' : 'BIND_FAILED',
      taken
        ? `${endpoint} is in use by another process`
        : `cannot bind ${endpoint}: ${(cause as Error).message}`,
      {
        cause,
        facts: { endpoint },
        remedy: !taken
          ? 'check the endpoint'
          : sameHost(endpoint)
            ? 'this mesh runs already: stop it, or give one of the two another project name'
            : 'stop that process, or choose another endpoint',
      },
    );
  }
  const last = socket.lastEndpoint;
  // libzmq reports an abstract name with its leading NUL or "@"; what was asked for is what peers dial.
  return endpoint.startsWith('tcp:') && last ? last : endpoint;
}

/** A socket that this process has just closed goes on listening for some milliseconds (its unbind is not safe in use). */
async function bindPatiently(
  socket: XPublisher | Publisher | Pull,
  endpoint: string,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await socket.bind(endpoint);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE' || attempt > RETRIES) throw error;
      await sleep(RETRY_MS);
    }
  }
}
