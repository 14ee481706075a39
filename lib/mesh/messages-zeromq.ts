/**
 * Messages of a socket as they come, until it is closed. With CURVE, libzmq may say that there is one before it is
 * whole; zeromq.js then rejects with EAGAIN, and its own iterator ends. That is no error: look again.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pull, Reply, Subscriber, XPublisher } from 'zeromq';

type Receiving = Pull | Reply | Subscriber | XPublisher;

export function messages(socket: Receiving): AsyncIterable<Buffer[]> {
  const next = async (): Promise<IteratorResult<Buffer[]>> => {
    while (!socket.closed) {
      try {
        return { value: await socket.receive(), done: false };
      } catch (error) {
        if (socket.closed) break;
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await nextTurn();
      }
    }
    return { value: undefined, done: true };
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

const afterAllPromises = (resolve: () => void): void => process.nextTick(resolve);

/**
 * Calls `take` with each message of a socket, until that is closed: the fewest promises from a message to whoever is told
 * of it. Whoever was told goes first, then the socket is asked for more: that takes as long as reading a record.
 */
export async function eachMessage(
  socket: Receiving,
  take: (parts: Buffer[]) => void,
): Promise<void> {
  while (!socket.closed) {
    let parts: Buffer[];
    try {
      parts = await socket.receive();
    } catch (error) {
      if (socket.closed) return;
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      await nextTurn();
      continue;
    }
    take(parts);
    await new Promise<void>(afterAllPromises);
  }
}
