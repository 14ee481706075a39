/**
 * A whole mesh of real processes over each notifier alone: whatever tells the publisher, and whatever dies, a client gets
 * what stands in the files, all of it, in order, once. Beside the one notifier there is only the feed's own looking now
 * and then, which is what is left while a server is dead.
 */
import test, { registerCompletionHandler, type ExecutionContext } from 'ava';
import { hybridEndpoint } from '../lib/notifier/hybrid/hybrid-parts.ts';
import type { FeedStats } from '../lib/feed/options.ts';
import { FrameClient } from './support/mesh-client.ts';
import { epochsOf, payloadsOf, tear, tornOf } from './support/mesh-files.ts';
import { freePort, MeshFolder } from './support/mesh-up.ts';
import { missing, rabbitServer, redisServer, type OwnServer } from './support/servers.ts';

registerCompletionHandler(() => process.exit());

const long = process.env['TICKMESH_LONG'] !== undefined;
const rounds = long ? 3 : 1;
const strict = long || process.env['NO_SKIPPED_TESTS'] !== undefined;

/** How one link is told of new records. */
type Way = {
  readonly title: string;
  /** The notifier that must be heard, by its name. */
  readonly is: string;
  /** `notify:` of the fetcher. */
  readonly notify: (port: number) => string;
  /** `hear:` of the publisher; absent: what the logs say. */
  readonly hear?: string;
  /** `feed:` of the fetcher is tcp; and sockets are encrypted. */
  readonly tcp?: boolean;
  readonly keys?: boolean;
  readonly server?: () => Promise<OwnServer>;
  /** Why it cannot be shown here. */
  readonly missing?: string | undefined;
  /** Shown in the short form as well. */
  readonly short?: boolean;
};

const ways: readonly Way[] = [
  { title: 'zeromq over ipc', is: 'zeromq', notify: () => 'zeromq', short: true },
  { title: 'zeromq over tcp', is: 'zeromq', notify: () => 'zeromq', tcp: true },
  {
    title: 'zeromq over tcp with keys',
    is: 'zeromq',
    notify: () => 'zeromq',
    tcp: true,
    keys: true,
  },
  { title: 'ipc, relayed by the parent', is: 'ipc', notify: () => 'ipc', short: true },
  { title: 'watching', is: 'watching', notify: () => 'watching', short: true },
  { title: 'polling by position', is: 'polling', notify: () => 'polling:?interval=20ms' },
  {
    title: 'polling by modification time, which the reader alone has chosen',
    is: 'polling',
    notify: () => 'zeromq',
    hear: 'polling:?interval=20ms&by=mtime',
  },
  {
    title: 'a hybrid',
    is: 'hybrid',
    notify: () => hybridEndpoint(['node-ipc:?channel=both', 'watching:']),
  },
  {
    title: 'redis',
    is: 'redis',
    notify: (port) => `redis://127.0.0.1:${port}`,
    hear: 'redis',
    server: redisServer,
    missing: missing.redis,
    short: true,
  },
  {
    title: 'rabbitmq',
    is: 'rabbitmq',
    notify: (port) => `amqp://127.0.0.1:${port}`,
    server: rabbitServer,
    missing: missing.rabbitmq,
  },
  {
    title: 'rabbitmq, persistent',
    is: 'rabbitmq',
    notify: (port) => `amqp://127.0.0.1:${port}?persistent`,
    hear: 'rabbitmq',
    server: rabbitServer,
    missing: missing.rabbitmq,
  },
];

/** Both have times in their payloads: no two records are alike. */
const LOGS = { trade: 'binance/BTC-USDT/trade', depth: 'binance/BTC-USDT/depth' } as const;
const STREAMS = 'btcusdt@trade/btcusdt@depth@100ms';
const HALF = '{"t":1723161255030314,"e":1723161255029001,"data":{"e":"tra';

async function start(t: ExecutionContext, way: Way) {
  const server = await way.server?.();
  if (server) t.teardown(() => server.end());
  await server?.start();
  const mesh = new MeshFolder(t);
  const port = await freePort();
  const file = mesh.write(
    `
  recorder:
    run: fetcher
    source: { kind: synthetic, rate: 400, binance: [BTC-USDT], kraken: [] }
    notify: ${JSON.stringify(way.notify(server?.port ?? 0))}
    feed: ${way.tcp ? `tcp://127.0.0.1:${await freePort()}` : 'auto'}
  binance:
    run: publisher
    exchange: binance
    from: recorder
    logs: [${Object.values(LOGS).join(', ')}]
    listen: { port: ${port} }
    slow_client: { policy: wait }
    history: 10s
${way.hear === undefined ? '' : `    hear: ${JSON.stringify(way.hear)}\n`}`,
    'mesh.yaml',
    `${way.keys ? 'keys: keys\n' : ''}defaults: { restart: { backoff: 150ms, max_backoff: 150ms, max: 1000 } }`,
  );
  if (way.keys) t.is((await mesh.run(['keys', 'new', '--topology', file]).ended).code, 0);
  const running = await mesh.up([file]);
  const stream = new FrameClient(`ws://127.0.0.1:${port}/stream?streams=${STREAMS}`, {
    again: true,
  });
  t.teardown(() => stream.close());
  return { mesh, running, stream, server, port };
}

/** Waits until the publisher's one notifier works and has been heard. */
async function heard(t: ExecutionContext, port: number, is: string): Promise<void> {
  const untilMs = performance.now() + 60_000;
  let last = '';
  let before: number | undefined;
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/-/metrics`);
    const { feed } = (await answer.json()) as { feed: FeedStats };
    const [one, ...more] = Object.values(feed.notifiers);
    last = JSON.stringify(feed);
    t.deepEqual(more, [], 'this notifier alone');
    if (one) t.is(one.notifier, is);
    if (one?.state === 'on' && before !== undefined && one.heard > before) return;
    if (one?.state === 'on') before ??= one.heard;
    if (performance.now() > untilMs) return t.fail(`${is} was not heard: ${last}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}

async function carry(t: ExecutionContext, way: Way): Promise<void> {
  const { mesh, running, stream, server, port } = await start(t, way);
  /** So many frames more, of whatever connection. */
  const more = async (count: number): Promise<void> => {
    const [connections, had] = [stream.connections.length, stream.frames.length];
    const enough = (): number => (stream.connections.length > connections ? 0 : had) + count;
    await stream.until(() => stream.frames.length >= enough());
  };
  await more(40);
  await heard(t, port, way.is);
  let torn = 0;
  for (let round = 1; round <= rounds; round++) {
    await more(40 + ((round * 7919) % 60));
    const connections = stream.connections.length;
    await mesh.killNode('recorder', () => {
      if (round % 2 === 0) return;
      tear(mesh.data, LOGS.trade, HALF);
      torn++;
    });
    await more(40);
    t.is(stream.connections.length, connections, 'a dead fetcher costs no client its connection');
    if (server) {
      await server.kill();
      await more(40);
      // A dead server keeps no publisher from coming back.
      if (round % 2 === 0) await mesh.killNode('binance');
      await more(40);
      await server.start();
      await heard(t, port, way.is);
    }
    const before = stream.connections.length;
    await mesh.killNode('binance');
    await stream.until(() => stream.connections.length > before && stream.frames.length >= 40);
    await heard(t, port, way.is);
  }
  if (long) {
    await Promise.all([mesh.killNode('recorder'), mesh.killNode('binance')]);
    await more(40);
    await heard(t, port, way.is);
  }

  // All that stands there now comes.
  const goal = payloadsOf(mesh.data, LOGS.trade).at(-1)!;
  await stream.until(() => stream.frames.slice(-2_000).some((frame) => frame.includes(goal)));
  running.child.kill('SIGINT');
  t.is((await running.ended).code, 0);
  t.deepEqual(mesh.leftRunning(), []);
  t.is(tornOf(mesh.data, LOGS.trade).filter((cut) => cut === HALF).length, torn, 'kept aside');
  t.is(new Set(epochsOf(mesh.data, LOGS.trade)).size, rounds + (long ? 2 : 1));
  judge(t, mesh.data, stream.connections);
}

/** Within a connection each stream is what stands in its file, from somewhere on, nothing left out, nothing twice. */
function judge(t: ExecutionContext, data: string, connections: readonly (readonly Buffer[])[]) {
  const places = new Map<string, Map<string, number>>();
  for (const [channel, log] of Object.entries(LOGS)) {
    // Not broadcast: the book as it was when a fetcher began.
    const payloads = payloadsOf(data, log).filter((payload) => payload.startsWith('{"e":'));
    places.set(channel, new Map(payloads.map((payload, at) => [payload, at])));
    t.is(places.get(channel)!.size, payloads.length, `no two records of ${log} are alike`);
  }
  let frames = 0;
  for (const connection of connections) {
    const last = new Map<string, number>();
    for (const frame of connection) {
      const [, channel, payload] =
        /^\{"stream":"btcusdt@(\w+)[^"]*","data":(.*)\}$/.exec(frame.toString()) ?? [];
      const place = places.get(channel ?? '')?.get(payload ?? '');
      const before = last.get(channel!);
      if (place === undefined) return t.fail(`not of the log: ${frame.toString().slice(0, 200)}`);
      if (before !== undefined && place !== before + 1)
        return t.fail(`${channel}: record ${place} after ${before}`);
      last.set(channel!, place);
      frames++;
    }
  }
  t.log(`${connections.length} connections, ${frames} frames, nothing lost, nothing twice`);
}

for (const way of ways) {
  const title = `over ${way.title}: fetcher and publisher${way.server ? ' and server' : ''} are killed, nothing is lost, nothing comes twice`;
  if (way.missing !== undefined)
    if (strict) test(title, (t) => t.fail(way.missing));
    else test.skip(`${title} (${way.missing})`, () => undefined);
  else if (long) test.serial(title, (t) => carry(t, way));
  else if (way.short) test(title, (t) => carry(t, way));
  else test.skip(`${title} (TICKMESH_LONG=1 runs it)`, () => undefined);
}
