/**
 * libzmq reconnects after most ends of a connection, but gives up for good on a peer that broke the protocol or sent a
 * message beyond the limit. One bad message must not make a reader deaf for ever: it is dialled again.
 */
import type { Push, Subscriber } from 'zeromq';
import { onEvent } from './events-zeromq.ts';

/** After a disconnection libzmq says at once that it tries again, or never does. */
const REDIAL_MS = 1_000;

/** Call once for each endpoint that a socket is connected to. */
export function keepDialled(socket: Subscriber | Push, endpoint: string): void {
  let timer: NodeJS.Timeout | undefined;
  const redial = (): void => {
    if (socket.closed) return;
    try {
      socket.disconnect(endpoint);
    } catch {
      // Given up already.
    }
    socket.connect(endpoint);
  };
  onEvent(socket, (type) => {
    clearTimeout(timer);
    if (type === 'disconnect') timer = setTimeout(redial, REDIAL_MS).unref();
  });
}
