/**
 * What happens to a socket's connections, as libzmq tells it. A socket has one stream of events; any number of handlers
 * may hear it. An error of the stream (it wakes up for nothing at times) is no error of the socket.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Event, Socket } from 'zeromq';

export type SocketEvent = Event['type'];
type Handler = (type: SocketEvent) => void;

const handlers = new WeakMap<Socket, Handler[]>();
/** A flood of connections must not keep the event loop to itself. */
const BATCH = 100;

/** Calls `handler` with each event from now on, until the socket closes. */
export function onEvent(socket: Socket, handler: Handler): void {
  const known = handlers.get(socket);
  if (known) known.push(handler);
  else {
    const list = [handler];
    handlers.set(socket, list);
    void run(socket, list);
  }
}

async function run(socket: Socket, list: readonly Handler[]): Promise<void> {
  const { events } = socket;
  for (let heard = 1; !events.closed; heard++) {
    try {
      // Undefined when it was closed in the meantime, whatever its type says.
      const event = (await events.receive()) as Event | undefined;
      if (!event) return;
      for (const handler of list) handler(event.type);
      if (heard % BATCH === 0) await nextTurn();
    } catch {
      if (socket.closed) return;
      await nextTurn();
    }
  }
}
