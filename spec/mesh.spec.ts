/**
 * The whole mesh as its users run it: `tickmesh up FILE`, real processes, real recordings, clients on real sockets.
 * Everything between a recorded file and a client's socket is there: source, fetcher, log, notices, feed, publisher.
 */
import test, { type ExecutionContext } from 'ava';
import { openFeed } from '../lib/feed/feed.ts';
import { Fetcher } from '../lib/fetcher/fetcher.ts';
import { logName } from '../lib/log/name.ts';
import { realClock } from '../lib/world/clock.ts';
import { recorded } from './support/data.ts';
import { hft } from './support/captures.ts';
import { judgeBook, type Depth } from './support/mesh-book.ts';
import { digest, FrameClient } from './support/mesh-client.ts';
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
