/**
 * The whole mesh as its users run it: `tickmesh up FILE`, real processes, real recordings, clients on real sockets.
 * Everything between a recorded file and a client's socket is there: source, fetcher, log, notices, feed, publisher.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test, { type ExecutionContext } from 'ava';
import { openFeed } from '../lib/feed/feed.ts';
import { Fetcher } from '../lib/fetcher/fetcher.ts';
import { logName } from '../lib/log/name.ts';
import { realClock } from '../lib/world/clock.ts';
import { recorded } from './support/data.ts';
import { cbcap, hft } from './support/captures.ts';
import { KrakenBook } from './support/kraken-client.ts';
import { judgeBook, type Depth } from './support/mesh-book.ts';
import { digest, FrameClient } from './support/mesh-client.ts';
import { runScript, type Running } from './support/processes.ts';
import { bytesOf, epochsOf, tear, tornOf } from './support/mesh-files.ts';
import { freePort, MeshFolder } from './support/mesh-up.ts';

const HFT = 'binance/spot-btcusdt-20240808.hft.gz';
const STREAMS = 'btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade';
const BINANCE_LOGS = ['trade', 'depth', 'bookTicker'].map((name) => `binance/BTC-USDT/${name}`);

const fetcher = (file: string, pace: string | number): string => `
  recorder:
    run: fetcher
    source: { kind: capture, file: ${JSON.stringify(file)}, pace: ${pace} }
`;
/** A publisher that is told its logs, so that it serves before there are any. */
const publisher = (exchange: string, port: number, logs: readonly string[]): string => `
  ${exchange}:
    run: publisher
    exchange: ${exchange}
    from: recorder
    logs: [${logs.join(', ')}]
    listen: { port: ${port} }
    slow_client: { policy: wait }
`;

function client(t: ExecutionContext, url: string): FrameClient {
  const made = new FrameClient(url);
  t.teardown(() => made.close());
  return made;
}

/** Passes where the recording is absent, with the reason logged. */
function recording(t: ExecutionContext, name: string): string | undefined {
  const path = recorded(t, name);
  if (path === undefined) t.pass();
  return path;
}

/** The stream frames of the Binance recording. */
const framesOf = (path: string): string[] =>
  [...hft(path)].flatMap(({ frame }) => (frame === undefined ? [] : [frame]));

for (const pace of ['unpaced', 20] as const) {
  const how = pace === 'unpaced' ? 'as fast as it goes' : `${pace} times as fast`;
  test(`a recording played ${how}: all 41,248 frames reach a client byte for byte, in order, once, and its book is the exchange's`, async (t) => {
    const path = recording(t, HFT);
    if (path === undefined) return;
    const expected = framesOf(path);
    t.is(expected.length, 41_248);
    const mesh = new MeshFolder(t);
    const port = await freePort();
    const file = mesh.write(fetcher(path, pace) + publisher('binance', port, BINANCE_LOGS));
    await mesh.up([file, '--only', 'binance']);
    const stream = client(t, `ws://127.0.0.1:${port}/stream?streams=${STREAMS}`);
    await stream.until(() => stream.isOpen);

    const startMs = performance.now();
    await mesh.up([file, '--only', 'recorder']);
    await stream.until(() => stream.frames.length >= 500);
    const answer = await fetch(`http://127.0.0.1:${port}/api/v3/depth?symbol=BTCUSDT&limit=5000`);
    const depth = (await answer.json()) as Depth;
    await stream.until(() => stream.frames.length >= expected.length);
    const tookMs = performance.now() - startMs;

    t.is(stream.frames.length, expected.length);
    t.is(digest(stream.frames), digest(expected));
    const { applied, compared, held } = judgeBook(stream.frames, depth);
    t.true(compared > 1_000, `${compared} books compared`);
    t.is(held, compared, 'the best bid and ask of every book are those of the bookTicker');
    t.log(`${Math.round(tookMs)} ms; oracle: ${held} of ${compared} books, ${applied} diffs`);
  });
}

test('of a log that begins while it is waited for, every record is live: a client that was there first gets all', async (t) => {
  const mesh = new MeshFolder(t);
  const log = logName('binance/BTC-USDT/trade');
  const other = logName('binance/BTC-USDT/depth');
  const abort = new AbortController();
  t.teardown(() => abort.abort());
  const feed = openFeed({ data: mesh.data, logs: [log, other], signal: abort.signal });
  const payload = Buffer.from(`{"s":"${'x'.repeat(1000)}"}`);
  await using fetcher = await Fetcher.open({
    node: 'recorder',
    data: mesh.data,
    eventTimeUs: () => undefined,
    clock: realClock,
    source: {
      logs: [log, other],
      async *open() {
        for (let turn = 0; turn < 10; turn++)
          yield Array.from({ length: 200 }, (_, at) => ({ log: at % 2 ? log : other, payload }));
      },
    },
  });
  await fetcher.run(abort.signal);
  let records = 0;
  for await (const batch of feed) {
    if (batch.records.length > 0) t.true(batch.live, `after ${records} records`);
    records += batch.records.length;
    if (records === 2_000) break;
  }
  t.is(records, 2_000);
});

/** A Kraken client of one depth: subscribed, with a strict book a symbol. */
async function krakenClient(
  t: ExecutionContext,
  port: number,
  depth: number,
  symbols: readonly string[],
): Promise<{ stream: FrameClient; finish(): Promise<void>; books: Map<string, KrakenBook> }> {
  const stream = client(t, `ws://127.0.0.1:${port}/v2`);
  const having = (text: string): number =>
    stream.frames.filter((frame) => frame.includes(text)).length;
  await stream.until(() => stream.isOpen);
  stream.send({ method: 'subscribe', params: { channel: 'book', symbol: symbols, depth } });
  await stream.until(() => having('"success":true') === symbols.length);
  const books = new Map(symbols.map((symbol) => [symbol, new KrakenBook(depth)]));
  return {
    stream,
    books,
    /** All that was sent before is there; every book frame goes through its book. */
    async finish() {
      stream.send({ method: 'ping', req_id: 4711 });
      await stream.until(() => stream.frames.at(-1)!.includes('"pong"') || having('"pong"') > 0);
      for (const text of bookFrames(stream)) {
        const symbol = /"symbol":"([^"]+)"/.exec(text)![1]!;
        if (!books.get(symbol)!.take(text)) t.fail(`checksum at depth ${depth}: ${text}`);
      }
    },
  };
}
const isBook = (text: string): boolean => text.startsWith('{"channel":"book"');
const bookFrames = (stream: FrameClient): string[] =>
  stream.frames.map((frame) => frame.toString()).filter(isBook);

/** Waits until a publisher has taken so many records. */
async function taken(port: number, records: number): Promise<void> {
  let last = 0;
  const look = async (): Promise<void> => {
    const answer = await fetch(`http://127.0.0.1:${port}/-/metrics`);
    last = ((await answer.json()) as { records: number }).records;
  };
  while (last < records) await Promise.all([look(), new Promise((next) => setTimeout(next, 50))]);
}

test("Kraken recordings: every checksum holds against the wire's digits, at the recorded depth 25 byte for byte, and at 10", async (t) => {
  const recordings = [
    { symbol: 'BTC/USD', name: 'kraken/v2/book25-btcusd-20260802.cbcap.gz', want: 2052 },
    { symbol: 'XRP/USD', name: 'kraken/v2/book25-xrpusd-20260802.cbcap.gz', want: 1147 },
  ];
  const paths = recordings.map(({ name }) => recording(t, name));
  if (paths.includes(undefined)) return;
  const symbols = recordings.map(({ symbol }) => symbol);
  const logs = symbols.map((symbol) => `kraken/${symbol.replace('/', '-')}/book-25`);
  const mesh = new MeshFolder(t);
  const port = await freePort();
  const source = `{ kind: capture, file: [${paths.join(', ')}], pace: unpaced }`;
  const file = mesh.write(
    `  recorder: { run: fetcher, source: ${source} }\n${publisher('kraken', port, logs)}`,
  );
  await mesh.up([file, '--only', 'kraken']);
  const deep = await krakenClient(t, port, 25, symbols);
  const derived = await krakenClient(t, port, 10, symbols);
  await mesh.up([file, '--only', 'recorder']);
  await taken(port, 2052 + 1147);
  for (const each of [deep, derived]) await each.finish();

  for (const [at, { symbol, want }] of recordings.entries()) {
    const file = [...cbcap(paths[at]!)].map(({ frame }) => frame).filter(isBook);
    const sent = bookFrames(deep.stream).filter((text) => text.includes(`"symbol":"${symbol}"`));
    t.is(sent.length, want);
    t.is(digest(sent), digest(file), 'byte for byte');
    const [full, ten] = [deep.books.get(symbol)!, derived.books.get(symbol)!];
    t.is(full.valid, want);
    t.is(ten.valid, ten.messages);
    t.true(ten.messages > 100);
    t.deepEqual(ten.bids, full.bids.slice(0, 10));
    t.deepEqual(ten.asks, full.asks.slice(0, 10));
    t.log(`${symbol}: 25: ${full.valid} of ${want}, 10: ${ten.valid} of ${ten.messages}`);
  }
});

test('across venues: a Binance recording served by the Kraken publisher has a valid checksum in every message', async (t) => {
  const path = recording(t, HFT);
  if (path === undefined) return;
  const mesh = new MeshFolder(t);
  const port = await freePort();
  const file = mesh.write(fetcher(path, 'unpaced') + publisher('kraken', port, BINANCE_LOGS));
  await mesh.up([file, '--only', 'kraken']);
  const clients = [];
  for (const depth of [10, 25, 1000])
    clients.push(await krakenClient(t, port, depth, ['BTC/USDT']));
  await mesh.up([file, '--only', 'recorder']);
  await taken(port, 41_249);
  for (const each of clients) {
    await each.finish();
    const book = each.books.get('BTC/USDT')!;
    t.is(book.valid, book.messages);
    t.true(book.messages > 1_000, `${book.messages} messages`);
    t.log(`${book.depth}: ${book.valid} of ${book.messages}`);
  }
});

/** Runs a block of the README as it stands there, in the folder of a mesh. */
function readmeExample(t: ExecutionContext, mesh: MeshFolder, name: string): Running {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const block = readme.split('```js\n').find((text) => text.startsWith(`// ${name}\n`))!;
  // Below our package, so that it finds us by our name.
  const script = fileURLToPath(new URL(`../${mesh.project}-${name}`, import.meta.url));
  writeFileSync(script, block.slice(0, block.indexOf('```')));
  const running = runScript(script, [], { cwd: mesh.dir });
  t.teardown(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
    rmSync(script);
  });
  return running;
}

/** What the shipped topology says, in a folder of its own, on ports of its own. */
async function shipped(t: ExecutionContext) {
  const mesh = new MeshFolder(t);
  const [binance, kraken] = [await freePort(), await freePort()];
  const text = readFileSync(new URL('../../topology.yaml', import.meta.url), 'utf8');
  const file = join(mesh.dir, 'topology.yaml');
  writeFileSync(file, text.replace('project: demo', `project: ${mesh.project}`));
  const env = { TICKMESH_BINANCE_PORT: String(binance), TICKMESH_KRAKEN_PORT: String(kraken) };
  return { mesh, binance, kraken, env };
}

test.serial(
  'the shipped topology: both exchanges within 10 s, tap, and Ctrl-C stops all',
  async (t) => {
    const { mesh, binance, kraken, env } = await shipped(t);
    const startMs = performance.now();
    const running = await mesh.up([], env);
    const trades = client(t, `ws://127.0.0.1:${binance}/ws/btcusdt@trade`);
    await trades.until(() => trades.frames.length >= 3);
    const book = await krakenClient(t, kraken, 10, ['BTC/USD']);
    await book.stream.until(() => bookFrames(book.stream).length >= 3);
    const tookMs = performance.now() - startMs;
    // A machine that is busy with other work is slower by as much as waits for each of its cores.
    const share = Math.max(1, loadavg()[0]! / cpus().length);
    t.true(tookMs < 10_000 * share, `${tookMs} ms`);
    t.log(
      `${Math.round(tookMs)} ms to the first trades and books, load ${share.toFixed(1)} a core`,
    );
    await book.finish();
    t.is(book.books.get('BTC/USD')!.valid, book.books.get('BTC/USD')!.messages);

    const tap = mesh.run(['tap', 'binance/*/trade', '-n', '5'], env);
    const tapped = await tap.ended;
    t.is(tapped.code, 0, tapped.err);
    t.is(tapped.out.split('\n').length, 5);
    t.regex(tapped.out, /^\d{4}-\d\d-\d\dT[\d:.]+Z {2}binance\/\w+-USDT\/trade {2}\{"e":"trade"/m);

    const example = readmeExample(t, mesh, 'embed.mjs');
    await example.line(/ binance\/BTC-USDT\/trade (?:live|past) \{"e":"trade"/);
    await example.line(/ kraken\/BTC-USD\/trade live \{"channel":"trade"/);

    const pids = mesh.pids();
    t.is(pids.length, 4);
    // A terminal's Ctrl-C goes to every process of its group.
    for (const pid of [...pids, running.child.pid!]) process.kill(pid, 'SIGINT');
    const { code, out } = await running.ended;
    t.is(code, 0);
    t.regex(out, /all nodes are stopped/);
    t.deepEqual(mesh.leftRunning(), []);
  },
);

/** The recording's payloads and frames, by log and by stream. */
function byLog(path: string): { payloads: Map<string, string[]>; places: Map<string, number> } {
  const payloads = new Map<string, string[]>();
  const places = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const { log, payload, frame, stream } of hft(path)) {
    if (!payloads.has(log)) payloads.set(log, []);
    payloads.get(log)!.push(payload);
    if (frame === undefined) continue;
    const count = counts.get(stream) ?? 0;
    places.set(frame, count);
    counts.set(stream, count + 1);
  }
  return { payloads, places };
}

const rounds = process.env['TICKMESH_LONG'] === undefined ? 3 : 50;

test(`kill -9 of fetcher and publisher, ${rounds} times in the middle of writing: nothing is lost, nothing twice`, async (t) => {
  const path = recording(t, HFT);
  if (path === undefined) return;
  const { payloads, places } = byLog(path);
  const mesh = new MeshFolder(t);
  const port = await freePort();
  const file = mesh.write(
    fetcher(path, '20, loop: true') +
      publisher('binance', port, BINANCE_LOGS) +
      '    history: 10s\n',
    'mesh.yaml',
    'defaults: { restart: { backoff: 150ms, max_backoff: 150ms, max: 1000 } }',
  );
  const running = await mesh.up([file]);
  const stream = new FrameClient(`ws://127.0.0.1:${port}/stream?streams=${STREAMS}`, {
    again: true,
  });
  t.teardown(() => stream.close());
  const half = '{"t":1723161255030314,"e":1723161255029001,"data":{"e":"tra';
  let torn = 0;
  for (let round = 1; round <= rounds; round++) {
    const before = stream.connections.length;
    await stream.until(() => stream.frames.length >= 100 + ((round * 7919) % 900));
    const log = BINANCE_LOGS[round % BINANCE_LOGS.length]!;
    const kills = [
      mesh.killNode('recorder', () => {
        if (round % 2 === 0) return;
        tear(mesh.data, log, half);
        torn++;
      }),
      mesh.killNode('binance'),
    ];
    await Promise.all(kills);
    await stream.until(() => stream.connections.length > before && stream.frames.length > 0);

    // What a feed reads is what stands in the files.
    const lines = new Map<string, Buffer[]>(BINANCE_LOGS.map((name) => [name, []]));
    const feed = openFeed({ data: mesh.data, logs: BINANCE_LOGS, from: 'start', until: 'end' });
    for await (const { records } of feed)
      for (const record of records) lines.get(record.log)!.push(record.line);
    for (const name of BINANCE_LOGS) {
      const read = Buffer.concat(lines.get(name)!);
      t.true(read.equals(bytesOf(mesh.data, name, read.length)), `${name}, round ${round}`);
      t.deepEqual(
        epochsOf(mesh.data, name),
        Array.from({ length: round + 1 }, (_, at) => at + epochsOf(mesh.data, name)[0]!),
      );
      // And that is the recording, over and over.
      const texts = payloads.get(name)!;
      let at = 0;
      let wrong = 0;
      for (const line of lines.get(name)!) {
        const text = line.toString('utf8', 50, line.length - 2);
        if (text.startsWith('null,"mark":')) continue;
        if (text !== texts[at++ % texts.length]) wrong++;
      }
      t.is(wrong, 0, `${name}: ${at} records, round ${round}`);
    }
  }
  const cut = BINANCE_LOGS.flatMap((name) => tornOf(mesh.data, name));
  t.true(cut.length >= torn && cut.includes(half), 'torn tails are kept aside');

  running.child.kill('SIGINT');
  t.is((await running.ended).code, 0);
  t.deepEqual(mesh.leftRunning(), []);
  // Within a connection each stream goes on without a gap, whatever became of the fetcher meanwhile.
  let frames = 0;
  for (const connection of stream.connections) {
    const last = new Map<string, number>();
    for (const frame of connection) {
      const text = frame.toString();
      const name = text.slice(0, text.indexOf(','));
      const place = places.get(text);
      const before = last.get(name);
      const count = payloads.get(`binance/BTC-USDT/${/@(\w+)/.exec(name)![1]}`)!.length;
      if (place === undefined) t.fail(`not of the recording: ${text.slice(0, 200)}`);
      else if (before !== undefined && place !== before + 1 && place !== 0)
        t.fail(`${name} ${place} of ${count} after ${before}`);
      last.set(name, place!);
      frames++;
    }
  }
  t.log(`${rounds} rounds, ${stream.connections.length} connections, ${frames} frames`);
});

test('a log that comes later is served without a restart of the publisher', async (t) => {
  const mesh = new MeshFolder(t);
  const port = await freePort();
  const write = (...instruments: string[]): string =>
    mesh.write(`
  recorder:
    run: fetcher
    source: { kind: synthetic, binance: [${instruments.join(', ')}], kraken: [] }
  binance: { run: publisher, exchange: binance, from: recorder, listen: { port: ${port} } }
`);
  const file = write('BTC-USDT');
  const first = await mesh.up([file, '--only', 'recorder']);
  await mesh.up([file, '--only', 'binance']);
  const url = `ws://127.0.0.1:${port}/ws/btcusdt@trade/ethusdt@trade`;
  const stream = new FrameClient(url, { again: true });
  t.teardown(() => stream.close());
  await stream.until(() => stream.frames.some((frame) => frame.includes('"s":"BTCUSDT"')));
  first.child.kill('SIGTERM');
  await first.ended;
  await mesh.up([write('BTC-USDT', 'ETH-USDT'), '--only', 'recorder']);
  await stream.until(() => stream.frames.some((frame) => frame.includes('"s":"ETHUSDT"')));
  t.is(stream.connections.length, 2, 'clients dial again once');
  t.is(mesh.pids('binance').length, 1, 'one publisher process');
});

test.serial(
  'what keeps a mesh from starting is one line, what to do about it, and nothing left running',
  async (t) => {
    const { mesh, binance, env } = await shipped(t);
    const running = await mesh.up([], env);
    const other = (file: string, extra: string): string => {
      const text = readFileSync(join(mesh.dir, 'topology.yaml'), 'utf8');
      writeFileSync(
        join(mesh.dir, file),
        text
          .replace(/project: \S+/, `project: ${mesh.project}-b`)
          .replace(/(run: fetcher)/g, `$1\n    ${extra}`),
      );
      return file;
    };
    const free = {
      TICKMESH_BINANCE_PORT: String(await freePort()),
      TICKMESH_KRAKEN_PORT: String(await freePort()),
    };
    const mine = mesh.leftRunning();
    t.is(mine.length, 4);
    const cases: [string, string[], Record<string, string>, RegExp][] = [
      ['the same topology again', [], env, /fetcher failed: ipc:.* is in use by another process/],
      [
        'another topology with the same data folder',
        [other('same.yaml', 'data: data')],
        free,
        /-fetcher failed: .*data\/(binance|kraken)\/.* is being written by node "(binance|kraken)-fetcher", pid \d+/,
      ],
      [
        'a port that is taken',
        [other('port.yaml', 'data: data-b')],
        { ...free, TICKMESH_BINANCE_PORT: String(binance) },
        new RegExp(`binance failed: port ${binance} on 127.0.0.1 is taken`),
      ],
      [
        'a data folder that cannot be written',
        [other('folder.yaml', 'data: /proc/tickmesh')],
        free,
        /-fetcher (failed: )?cannot write \/proc\/tickmesh/,
      ],
    ];
    for (const [what, args, variables, said] of cases) {
      const { code, err } = await mesh.run(['up', ...args], variables).ended;
      t.is(code, 1, what);
      const [line = '', remedy = '', ...rest] = err.trimEnd().split('\n');
      t.regex(line, said, what);
      t.true(line.startsWith('tickmesh: '), line);
      t.regex(remedy, /^ {2}-> \w.{10,}/, what);
      t.deepEqual(rest, [], what);
      t.log(`${line}\n${remedy}`);
      t.deepEqual(mesh.leftRunning(), mine, what);
    }
    running.child.kill('SIGINT');
    t.is((await running.ended).code, 0);
  },
);
