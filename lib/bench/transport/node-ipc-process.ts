/**
 * Node's own channel between processes. Direct: the writer is the reader's parent. Relayed, as the founding document's
 * Figure 2 has it: both are children of a third process, which passes on what the one says to the other.
 */
import { Tail, appending } from './file-disk.ts';
import type { ReadContext, Transport } from './transport.ts';

type Note = { readonly type: 'data_available'; readonly end: number };

const isNote = (message: unknown): message is Note =>
  typeof message === 'object' &&
  message !== null &&
  (message as Partial<Note>).type === 'data_available';

async function read(context: ReadContext): Promise<AsyncDisposable> {
  const tail = new Tail(context, context.arrivals);
  context.onParent((message) => {
    if (!isNote(message) || message.end <= tail.position) return;
    context.arrivals.woken();
    tail.readOn();
  });
  return {
    async [Symbol.asyncDispose]() {
      tail[Symbol.dispose]();
    },
  };
}

export const nodeIpc: Transport = {
  name: 'node-ipc',
  title: 'Node IPC parent -> child + append + read',
  side: 'peer',
  reads: true,
  parent: 'writer',
  write: async (context) =>
    appending(context, (end) => context.reader!.send({ type: 'data_available', end })),
  read,
};

export const nodeIpcRelayed: Transport = {
  name: 'node-ipc-relayed',
  title: 'Node IPC child -> parent -> child + append + read',
  side: 'peer',
  reads: true,
  parent: 'relay',
  rateMax: 1_000,
  write: async (context) =>
    appending(context, (end) => void process.send?.({ type: 'data_available', end })),
  read,
};
