/** Plain zeromq.js PUB/SUB: a notification alone, which writes and reads nothing; and with the file behind it. */
import { Publisher, Subscriber } from 'zeromq';
import { PROBE } from '../record.ts';
import { Tail, appending } from './file-disk.ts';
import type { Place, ReadContext, Transport, WriteContext } from './transport.ts';

const NOTE_BYTES = 64;

const endpointOf = ({ folder }: Place, tcp: boolean): string => {
  // A port of the run's own: folder names end in random letters.
  let hash = 0;
  for (const letter of folder) hash = (hash * 31 + letter.charCodeAt(0)) % 20_000;
  return tcp ? `tcp://127.0.0.1:${30_000 + hash}` : `ipc://${folder}/notes.ipc`;
};

/** sendTimeout 0: sends at once or not at all, so that no send has to be awaited (the default throws EBUSY instead). */
async function publisher(context: WriteContext, tcp: boolean): Promise<Publisher> {
  const socket = new Publisher({ sendTimeout: 0, linger: 0, sendHighWaterMark: 100_000 });
  await socket.bind(endpointOf(context, tcp));
  return socket;
}

function subscriber(
  context: ReadContext,
  tcp: boolean,
  take: (note: Buffer) => void,
): AsyncDisposable {
  const socket = new Subscriber({ receiveHighWaterMark: 100_000, linger: 0, reconnectInterval: 1 });
  socket.connect(endpointOf(context, tcp));
  socket.subscribe();
  const hearing = (async () => {
    try {
      for await (const [note] of socket) if (note) take(note);
    } catch (error) {
      if (!socket.closed) throw error;
    }
  })();
  return {
    async [Symbol.asyncDispose]() {
      socket.close();
      await hearing;
    },
  };
}

const notifying = (name: string, title: string, tcp: boolean): Transport => ({
  name,
  title,
  side: 'peer',
  reads: false,
  ...(tcp ? { rateMax: 1_000 } : {}),
  write: async (context) => {
    const socket = await publisher(context, tcp);
    const { now, stamps } = context;
    return {
      send(from, to) {
        for (let number = from; number < to; number++) {
          const measured = number !== PROBE;
          if (measured) stamps.begunNs[number] = now();
          const note = Buffer.allocUnsafe(NOTE_BYTES);
          note.writeDoubleLE(number, 0);
          socket.send(note).catch(() => undefined);
          if (measured) stamps.toldNs[number] = now();
        }
      },
      async [Symbol.asyncDispose]() {
        socket.close();
      },
    };
  },
  read: async (context) =>
    subscriber(context, tcp, (note) => {
      context.arrivals.woken();
      context.arrivals.take(note.readDoubleLE(0));
    }),
});

export const zeromqNotification = notifying(
  'zeromq',
  'zeromq.js PUB/SUB ipc, notification alone',
  false,
);
export const zeromqTcpNotification = notifying(
  'zeromq-tcp',
  'zeromq.js PUB/SUB tcp, notification alone',
  true,
);

export const zeromqFile: Transport = {
  name: 'zeromq-file',
  title: 'zeromq.js ipc + append + read',
  side: 'peer',
  reads: true,
  write: async (context) => {
    const socket = await publisher(context, false);
    return appending(
      context,
      (end) => {
        const note = Buffer.allocUnsafe(NOTE_BYTES);
        note.writeDoubleLE(end, 0);
        socket.send(note).catch(() => undefined);
      },
      () => socket.close(),
    );
  },
  read: async (context) => {
    const tail = new Tail(context, context.arrivals);
    const hearing = subscriber(context, false, (note) => {
      if (note.readDoubleLE(0) <= tail.position) return;
      context.arrivals.woken();
      tail.readOn();
    });
    return {
      async [Symbol.asyncDispose]() {
        await hearing[Symbol.asyncDispose]();
        tail[Symbol.dispose]();
      },
    };
  },
};
