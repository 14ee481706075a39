/** Server of a bench: serves what its task says, and measures itself. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { batchesOf } from '../../lib/bench/batches.ts';
import type { FromServer, ServerTask, ToServer } from '../../lib/bench/publish-message.ts';
import { Meter } from '../../lib/bench/meter-process.ts';
import { exchanges, readers } from '../../lib/exchange/registry.ts';
import { openFeed } from '../../lib/feed/feed.ts';
import type { FeedBatch } from '../../lib/feed/record.ts';
import { instrumentOf } from '../../lib/market/instrument.ts';
import { Publisher } from '../../lib/publisher/publisher.ts';

const say = (what: FromServer): Promise<void> =>
  new Promise((resolve) => process.send?.(what, undefined, {}, () => resolve()));
const told = (): Promise<ToServer> =>
  new Promise((resolve) => process.once('message', (message: ToServer) => resolve(message)));
/** A slow client must set the pace, not be cut. */
const SLOW = { policy: 'wait', boundBytes: 4 << 20, waitMs: 120_000 } as const;

const message = await told();
if ('task' in message) await (message.task.mode === 'ws-send' ? peer : publisher)(message.task);
process.exit();

/** Batches of a feed or from memory, held back until somebody says go. */
async function* gated(task: ServerTask, meter: Meter): AsyncGenerator<FeedBatch> {
  await told();
  meter.start();
  if (task.mode === 'feed') {
    const feed = openFeed({ data: task.data, logs: task.logs, from: 'start', until: 'end' });
    // What is on disk already is history, which no client gets: here it counts as written just now.
    for await (const batch of feed) yield { ...batch, live: true };
  } else yield* batchesOf(task);
}

async function publisher(task: ServerTask): Promise<void> {
  const meter = new Meter();
  const exchange = exchanges[task.exchange]!;
  const server = new Publisher({
    venue: (seams) =>
      exchange.venue({
        ...seams,
        instruments: task.instruments.map((name) => instrumentOf(name)),
        readers: readers(),
        logs: task.logs,
      }),
    feed: gated(task, meter),
    time: 'records',
    settings: { slow: SLOW },
    onFailure: (error) => process.stderr.write(`${String(error)}\n`),
  });
  const { port } = await server.start(0);
  await say({ port });
  await server.done;
  await server.stop(60_000);
  await say({
    result: { ...meter.stop(), records: server.metrics.records, metrics: server.metrics },
  });
}

/** The same records with nothing but `ws`. */
async function peer(task: ServerTask): Promise<void> {
  const meter = new Meter();
  const http = createServer();
  const sockets = new Set<WebSocket>();
  new WebSocketServer({ server: http, perMessageDeflate: false }).on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  await say({ port: (http.address() as AddressInfo).port });
  let records = 0;
  for await (const batch of gated(task, meter)) {
    for (const record of batch.records) {
      const { payload } = record;
      for (const socket of sockets) socket.send(payload, { binary: false });
      records++;
    }
    await new Promise<void>((resolve) => setImmediate(resolve));
    while ([...sockets].some((socket) => socket.bufferedAmount > SLOW.boundBytes)) {
      await new Promise<void>((resolve) => setTimeout(resolve, 1));
    }
  }
  const closed = [...sockets].map(
    (s) => new Promise<void>((done) => s.once('close', () => done())),
  );
  for (const socket of sockets) socket.close(1000);
  await Promise.all(closed);
  await say({ result: { ...meter.stop(), records } });
}
