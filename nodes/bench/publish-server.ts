/** Server of a bench: serves what its task says, and measures itself. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { batchesOf } from '../../lib/bench/batches.ts';
import type { FromServer, ServerTask, ToServer } from '../../lib/bench/publish-message.ts';
import { Meter } from '../../lib/bench/meter-process.ts';
import { exchanges, readers } from '../../lib/exchange/registry.ts';
import { openFeed } from '../../lib/feed/feed.ts';
import { publisherFeed } from '../../lib/publisher/settings.ts';
import type { FeedBatch } from '../../lib/feed/record.ts';
import { instrumentOf } from '../../lib/market/instrument.ts';
import { Publisher } from '../../lib/publisher/publisher.ts';

const say = (what: FromServer): Promise<void> =>
  new Promise((resolve) => process.send?.(what, undefined, {}, () => resolve()));
const told = (): Promise<ToServer> =>
  new Promise((resolve) => process.once('message', (message: ToServer) => resolve(message)));
/** A slow client must set the pace, not be cut. */
const SLOW = { policy: 'wait', boundBytes: 4 << 20, waitMs: 120_000 } as const;

// Who started it is gone: nobody reads its figures, and a server that nobody ends would stay.
process.once('disconnect', () => process.exit());

const message = await told();
if ('task' in message) await (message.task.mode === 'ws-send' ? peer : publisher)(message.task);
process.exit();

/** Batches of a feed or from memory, held back until somebody says go. `warm` is called once the warm-up is over. */
async function* gated(task: ServerTask, warm: () => void): AsyncGenerator<FeedBatch> {
  await told();
  let left = task.warmUp;
  for await (const batch of task.mode === 'feed' ? liveFeed(task) : batchesOf(task)) {
    if (left > 0 && (left -= batch.records.length) <= 0) warm();
    yield batch;
  }
}

/** What is on disk already is history, which no client gets: here it counts as written just now. */
async function* liveFeed({ data, logs }: ServerTask): AsyncGenerator<FeedBatch> {
  const feed = openFeed({ data, logs, from: 'start', until: 'end', ...publisherFeed });
  for await (const batch of feed) yield { ...batch, live: true };
}

async function publisher(task: ServerTask): Promise<void> {
  const meter = new Meter();
  let records = 0;
  let frames = 0;
  const exchange = exchanges[task.exchange]!;
  const server = new Publisher({
    venue: (seams) =>
      exchange.venue({
        ...seams,
        instruments: task.instruments.map((name) => instrumentOf(name)),
        readers: readers(),
        logs: task.logs,
      }),
    feed:
      task.mode === 'live'
        ? openFeed({ data: task.data, logs: task.logs, ...publisherFeed })
        : gated(task, () => {
            meter.start();
            ({ records, frames } = server.metrics);
          }),
    time: task.mode === 'live' ? 'wall' : 'records',
    settings: { slow: SLOW },
    onFailure: (error) => process.stderr.write(`${String(error)}\n`),
  });
  const { port } = await server.start(0);
  await say({ port });
  await server.done;
  await server.stop(60_000);
  const { metrics } = server;
  await say({
    result: {
      ...meter.stop(metrics.records - records),
      records: metrics.records,
      sent: metrics.frames,
      measuredRecords: metrics.records - records,
      measuredFrames: metrics.frames - frames,
      metrics,
    },
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
  let warm = 0;
  const warmed = (): void => {
    meter.start();
    warm = records;
  };
  for await (const batch of gated(task, warmed)) {
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
  const served = sockets.size;
  const closed = [...sockets].map(
    (s) => new Promise<void>((done) => s.once('close', () => done())),
  );
  for (const socket of sockets) socket.close(1000);
  await Promise.all(closed);
  await say({
    result: {
      ...meter.stop(records - warm),
      records,
      sent: records * served,
      measuredRecords: records - warm,
      measuredFrames: (records - warm) * served,
    },
  });
}
