/** Peers on zeromq.js: a message a record; and the naive way, an `appendFile`, a JSON note and a `readline` a record. */
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Subscriber, XPublisher } from 'zeromq';
import { newLine } from '../record.ts';
import type { Flow, FlowPlace } from './flow.ts';

const endpointOf = ({ folder }: FlowPlace): string => `ipc://${folder}/records.ipc`;
const TURN = 500;
/** What most send: small enough that ZeroMQ copies it. */
const MESSAGE_BYTES = 64;

/** Binds; `joined` resolves when a subscriber has come. Unbounded queues: nothing may be lost while it is counted. */
async function publisher(
  place: FlowPlace,
): Promise<{ socket: XPublisher; joined: Promise<unknown> }> {
  const socket = new XPublisher({ sendHighWaterMark: 0, sendTimeout: 0, linger: 5_000 });
  await socket.bind(endpointOf(place));
  return { socket, joined: socket.receive() };
}

function subscriber(place: FlowPlace): Subscriber {
  const socket = new Subscriber({ receiveHighWaterMark: 0, linger: 0, reconnectInterval: 1 });
  socket.connect(endpointOf(place));
  socket.subscribe();
  return socket;
}

export const zeromqFlow: Flow = {
  name: 'zeromq-message',
  title: 'zeromq.js, one message a record (64 B)',
  side: 'peer',
  count: 150_000,
  write: async (place) => {
    const { socket, joined } = await publisher(place);
    const message = Buffer.alloc(MESSAGE_BYTES);
    return async () => {
      await joined;
      for (let sent = 0; sent < place.count; sent++) {
        socket.send(message).catch(() => undefined);
        if (sent % TURN === TURN - 1) await nextTurn();
      }
    };
  },
  read: async (place) => {
    const socket = subscriber(place);
    return async () => {
      let taken = 0;
      for await (const _ of socket) if (++taken === place.count) break;
      return taken;
    };
  },
};

export const naiveFlow: Flow = {
  name: 'naive',
  title: 'await appendFile + JSON note + readline + JSON.parse',
  side: 'peer',
  count: 3_000,
  write: async (place) => {
    const { socket, joined } = await publisher(place);
    const path = join(place.folder, 'records.jsonl');
    const line = newLine(place.size, 1_700_000_000_000_000);
    return async () => {
      await joined;
      for (let sent = 0; sent < place.count; sent++) {
        await appendFile(path, line);
        await socket.send(JSON.stringify({ type: 'data_available', path, records: sent + 1 }));
      }
    };
  },
  read: async (place) => {
    const socket = subscriber(place);
    return async () => {
      let taken = 0;
      let start = 0;
      for await (const [note] of socket) {
        const { path, records } = JSON.parse(note!.toString()) as { path: string; records: number };
        if (records <= taken) continue;
        const lines = createInterface({ input: createReadStream(path, { start }) });
        lines.on('line', (line) => {
          JSON.parse(line);
          start += line.length + 1;
          taken++;
        });
        await once(lines, 'close');
        if (taken >= place.count) break;
      }
      return taken;
    };
  },
};
