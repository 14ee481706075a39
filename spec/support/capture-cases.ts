/** What the capture source promises; imported by source.spec.ts. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { readFileSync } from 'node:fs';
import test, { type ExecutionContext } from 'ava';
import { ENVELOPE, markPayload, writeLine } from '../../lib/log/line.ts';
import { logName } from '../../lib/log/name.ts';
import { segmentName } from '../../lib/log/segment.ts';
import { TickmeshError } from '../../lib/world/error.ts';
import * as samples from './capture-samples.ts';
import { recorded } from './data.ts';
import { type World, make, run, world } from './source-world.ts';

type Files = Readonly<Record<string, string | Buffer>>;

/** Writes files into a folder of their own, gone after the test. */
async function folder(t: ExecutionContext, files: Files): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'tickmesh-capture-'));
  t.teardown(() => rm(dir, { recursive: true }));
  for (const [name, bytes] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), bytes);
  }
  return dir;
}

/** Plays files to their end, unpaced unless said otherwise. */
async function play(
  t: ExecutionContext,
  files: Files,
  settings: Readonly<Record<string, unknown>> = {},
): Promise<World> {
  const dir = await folder(t, files);
  const w = world();
  const file = Object.keys(files).map((name) => join(dir, name));
  await run(await make('capture', { file, pace: 'unpaced', ...settings }), w);
  return w;
}

const text = (payload: Buffer): string => payload.toString('utf8');
const isMarkless = (r: { mark?: unknown }): boolean => r.mark === undefined;

test('capture: hftbacktest lines become the logs of their streams, byte for byte, the snapshot at its place', async (t) => {
  const sample = samples.hft(12);
  for (const [name, bytes] of [
    ['x.hft', sample],
    ['x.hft.gz', gzipSync(sample)],
    ['anything', sample.slice(0, -1)],
  ] as const) {
    const { shelf } = await play(t, { [name]: bytes });
    const records = shelf.records.filter(isMarkless);
    t.is(records.length, 12);
    for (const [i, line] of sample.trimEnd().split('\n').entries()) {
      const { log, payload, timeUs } = records[i]!;
      const stream = /"stream":"([^"]+)"/.exec(line)?.[1];
      const frame = stream ? samples.combined(stream, text(payload)) : text(payload);
      t.is(`${String(timeUs).padEnd(19, '0').slice(0, 16)}123 ${frame}`, line);
      t.is(log, logName(`binance/BTC-USDT/${stream?.split('@')[1] ?? 'depth'}`));
    }
    t.deepEqual(
      shelf.records.filter((r) => !isMarkless(r)).map((r) => r.mark),
      ['end', 'end', 'end'],
    );
  }
});

test('capture: cryptofeed of Binance gives frames and REST snapshots, and leaves out what publishers derive', async (t) => {
  const { shelf } = await play(t, { 'x.cryptofeed': samples.cryptofeedBinance });
  t.deepEqual(shelf.counts(), {
    'binance/BTC-USDT/depth': 2,
    'binance/ETH-USDT/aggTrade': 1,
    'binance/BTC-USDT/kline_1m': 1,
  });
  const [diff, snapshot] = shelf.of('binance/BTC-USDT/depth');
  t.is(text(diff!.payload), samples.depth(5, 7));
  t.is(diff!.timeUs, 1_617_566_591_326_123);
  t.is(text(snapshot!.payload), samples.snapshot);
  t.is(snapshot!.timeUs, 1_617_566_592_106_536);
});

test('capture: cryptofeed of Kraken v1 is kept verbatim in logs of its own', async (t) => {
  const { shelf } = await play(t, { 'x.cryptofeed': samples.cryptofeedKraken });
  t.deepEqual(
    shelf.records.filter(isMarkless).map((r) => [r.log as string, text(r.payload)]),
    [
      ['kraken/BTC-USD/v1-book-1000', samples.v1Frames[0]!],
      ['kraken/BTC-USD/v1-book-1000', samples.v1Frames[1]!],
      ['kraken/BTC-USD/v1-trade', samples.v1Frames[2]!],
    ],
  );
});

test('capture: a connection that was lost while recording leaves a mark', async (t) => {
  const again = `${samples.cryptofeedKraken}wss://ws.kraken.com <-> 1617666500.5\n1617666501.5: ${samples.v1Frames[0]}\n`;
  const { shelf } = await play(t, { 'x.cryptofeed': again });
  const marks = shelf.of('kraken/BTC-USD/v1-book-1000').map((r) => r.mark);
  t.deepEqual(marks, [undefined, undefined, 'disconnect', undefined, 'end']);
});

test('capture: CBCAP1 frames keep their bytes, and their distances whatever their clock', async (t) => {
  const dates = await play(t, { 'a.cbcap': samples.cbcap(1_785_641_750_295_158_100n) });
  const other = await play(t, { 'b.cbcap.gz': gzipSync(samples.cbcap(5_000n)) });
  for (const { shelf } of [dates, other]) {
    t.deepEqual(shelf.counts(), { 'kraken/BTC-USD/book-25': 2, 'kraken/BTC-USD/trade': 1 });
    t.deepEqual(
      shelf.records.filter(isMarkless).map((r) => text(r.payload)),
      samples.v2Frames,
    );
    const times = shelf.records.filter(isMarkless).map((r) => r.timeUs!);
    t.deepEqual([times[1]! - times[0]!, times[2]! - times[1]!], [10_000, 10_000]);
    t.is(String(times[0]).length, 16);
  }
  t.is(dates.shelf.records[0]!.timeUs, 1_785_641_750_325_158);
  const guessed = await play(t, { 'c.cbcap': samples.cbcap(1n, samples.v2Frames) });
  t.true('kraken/BTC-USD/book-10' in guessed.shelf.counts(), 'the least depth that fits');
});

for (const table of samples.tables) {
  test(`capture: the table ${table.name} becomes what the stream would have sent`, async (t) => {
    const { shelf } = await play(t, { [table.name]: table.text });
    const records = shelf.of(table.log).filter(isMarkless);
    t.deepEqual(
      records.map((r) => r.timeUs),
      [...table.timesUs],
    );
    for (const [i, payload] of table.payloads.entries()) {
      if (payload.startsWith('{')) t.is(text(records[i]!.payload), payload);
      else t.regex(text(records[i]!.payload), new RegExp(`"side":"${payload}"`));
    }
    t.is(records.length, table.timesUs.length);
  });
}

test('capture: instrument and interval can be set where a table does not say them', async (t) => {
  const rows = '1561939200,290.5,291.25,290,291,12.5,7\n';
  const { shelf } = await play(t, { 'x.csv': rows }, { instrument: 'ETH-USD', interval: '5' });
  t.deepEqual(shelf.counts(), { 'kraken/ETH-USD/ohlc-5': 1 });
});

/** A segment of a log with these lines. */
function segment(lines: readonly (readonly [timeUs: number, payload: string])[]): Buffer {
  const parts = lines.map(([timeUs, payload]) => {
    const line = Buffer.alloc(payload.length + ENVELOPE);
    writeLine(line, 0, timeUs, timeUs - 5, Buffer.from(payload));
    return line;
  });
  return Buffer.concat(parts);
}

test('capture: a data folder of ours plays all its logs in the order of arrival', async (t) => {
  const T = 1_700_000_000_000_000;
  const first = segment([
    [T + 1, '{"n":1}'],
    [T + 4, '{"n":4}'],
  ]);
  const second = segment([[T + 6, '{"n":6}']]);
  const dir = await folder(t, {
    // What stands behind the successor's base was taken back, and a torn last line is none.
    [`data/binance/BTC-USDT/trade/${segmentName({ base: 0, epoch: 1 })}`]: Buffer.concat([
      first,
      segment([[T + 5, '{"taken":"back"}']]),
    ]),
    [`data/binance/BTC-USDT/trade/${segmentName({ base: first.length, epoch: 2 })}`]: Buffer.concat(
      [second, Buffer.from('{"t":17')],
    ),
    [`data/kraken/BTC-USD/trade/${segmentName({ base: 0, epoch: 1 })}`]: segment([
      [T + 2, '{"n":2}'],
      [T + 3, markPayload('restart')],
      [T + 4, '{"n":5}'],
      [T + 7, '{"n":7}'],
    ]),
    'data/binance/BTC-USDT/trade/epochs.jsonl': '{}\n',
  });
  const w = world();
  const source = await make('capture', { file: join(dir, 'data'), pace: 'unpaced' });
  t.deepEqual(source.logs, [logName('binance/BTC-USDT/trade'), logName('kraken/BTC-USD/trade')]);
  await run(source, w);
  t.deepEqual(
    w.shelf.records.filter((r) => r.mark !== 'end').map((r) => r.mark ?? text(r.payload)),
    ['{"n":1}', '{"n":2}', 'gap', '{"n":4}', '{"n":5}', '{"n":6}', '{"n":7}'],
  );
  t.is(w.shelf.records[1]!.eventTimeUs, T + 2 - 5);
});

test('capture: several files play as one, by recorded time', async (t) => {
  const { shelf } = await play(t, {
    'BTCUSDT-trades-b.csv': '3,1,1,1,1700000000200,True,True\n4,1,1,1,1700000000300,True,True\n',
    'BTCUSDT-trades-a.csv': '1,1,1,1,1700000000000,True,True\n2,1,1,1,1700000000250,True,True\n',
  });
  const ids = shelf.records.filter(isMarkless).map((r) => /"t":(\d)/.exec(text(r.payload))![1]);
  t.deepEqual(ids, ['1', '3', '2', '4']);
});

test('capture: only the logs named are taken; one that comes unforeseen is refused by name', async (t) => {
  const named = await play(t, { 'x.hft': samples.hft(30) }, { logs: ['binance/BTC-USDT/trade'] });
  t.deepEqual(Object.keys(named.shelf.counts()), ['binance/BTC-USDT/trade']);
  const rows =
    'TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,TradeId,Price,Quantity,IsBuyerMarketMaker,MUnknownParameter\n';
  const row = (symbol: string): string =>
    `1741046401272286,x,trade,1741046401271969,1741046401271497,${symbol},1,0.2,2,1,True\n`;
  const many = row('TRXUSDT').repeat(4000) + row('BTCUSDT');
  await t.throwsAsync(play(t, { 'x.csv': rows + many }), { message: /binance\/BTC-USDT\/trade/ });
});

test('capture: the pace is that of the recording, or any multiple, by absolute deadlines', async (t) => {
  const dir = await folder(t, { 'x.hft': samples.hft(50) });
  for (const [pace, factor] of [
    ['recorded', 1],
    [20, 20],
    [0.5, 0.5],
  ] as const) {
    const w = world();
    w.clock.ms = 777;
    w.clock.lateMs = 0.25;
    await run(await make('capture', { file: join(dir, 'x.hft'), pace }), w);
    const records = w.shelf.records.filter(isMarkless);
    t.is(records.length, 50);
    for (const [i, { atMs, timeUs }] of records.entries()) {
      const dueMs = 777 + (i * 100) / factor;
      t.true(atMs >= dueMs - 1e-6 && atMs < dueMs + 1, `record ${i} due ${dueMs}, out ${atMs}`);
      t.is(timeUs, undefined, 'stamped when it is written');
    }
  }
});

test('capture: after a stall everything due goes out in one batch', async (t) => {
  const dir = await folder(t, { 'x.hft': samples.hft(50) });
  const w = world();
  w.clock.lateMs = 1_000;
  await run(await make('capture', { file: join(dir, 'x.hft'), pace: 'recorded' }), w);
  // 4.9 s of recording in waits of 1.1 s.
  t.is(w.shelf.batches, 1 + 5 + 1);
  t.is(w.shelf.records.filter((r) => r.batch === 2).length, 11);
});

test('capture: receive times are the recorded ones or now, as asked', async (t) => {
  const files = { 'x.hft': samples.hft(3) };
  const now = await play(t, files, { times: 'now' });
  t.deepEqual(
    now.shelf.records.map((r) => r.timeUs).filter((us) => us !== undefined),
    [],
  );
  const dir = await folder(t, files);
  const w = world();
  await run(await make('capture', { file: join(dir, 'x.hft'), times: 'recorded' }), w);
  t.is(w.shelf.records[1]!.timeUs, 1_700_000_000_100_000);
});

test('capture: a loop goes on at the same pace, with times moved on and a mark at the seam', async (t) => {
  const dir = await folder(t, { 'x.hft': samples.hft(9) });
  const w = world();
  const settings = { file: join(dir, 'x.hft'), loop: true, times: 'recorded' };
  await run(await make('capture', settings), w, 3 * (9 + 3));
  const records = w.shelf.records.filter(isMarkless);
  t.true(records.length >= 27);
  for (let i = 1; i < records.length; i++) {
    t.is(records[i]!.timeUs! - records[i - 1]!.timeUs!, 100_000);
    t.is(Math.round(records[i]!.atMs - records[i - 1]!.atMs), 100);
    t.is(text(records[i]!.payload), text(records[i % 9]!.payload));
  }
  t.is(w.shelf.records.filter((r) => r.mark === 'loop' && r.log.endsWith('depth')).length, 3);
});

test('capture: a fetcher killed anywhere goes on exactly where each log stopped', async (t) => {
  const dir = await folder(t, { 'x.hft': samples.hft(400) });
  let seed = 99;
  const random = (below: number): number =>
    (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) % below;
  for (const loop of [false, true]) {
    const settings = { file: join(dir, 'x.hft'), pace: 1000, times: 'recorded', loop };
    const length = loop ? 1_500 : Infinity;
    const whole = world();
    await run(await make('capture', settings), whole, length + 50);
    const w = world();
    w.clock.lateMs = 2;
    for (let crash = 0; crash < (loop ? 12 : 8); crash++) {
      await run(await make('capture', settings), w, 1 + random(loop ? 150 : 60));
      w.shelf.tear((records) => random(records + 1));
    }
    await run(await make('capture', settings), w, length);
    for (const log of Object.keys(whole.shelf.counts())) {
      const want = whole.shelf.of(log).filter(isMarkless);
      const got = w.shelf.of(log).filter(isMarkless);
      if (!loop) t.is(got.length, want.length, log);
      const common = Math.min(got.length, want.length);
      t.true(common > 100);
      t.deepEqual(
        got.slice(0, common).map((r) => [r.timeUs, text(r.payload)]),
        want.slice(0, common).map((r) => [r.timeUs, text(r.payload)]),
      );
    }
  }
});

for (const [name, bytes, line, message] of samples.broken) {
  test(`capture: the broken file ${name} is refused with its place and a remedy`, async (t) => {
    const error = await t.throwsAsync(play(t, { [name]: bytes }), { message });
    t.true(error instanceof TickmeshError);
    const { code, remedy, facts } = error as TickmeshError;
    t.is(code, 'SOURCE_INVALID');
    t.truthy(remedy);
    t.true(String(facts['file']).endsWith(name));
    t.is(facts['line'], line);
    t.true(error.message.includes(line === undefined ? `${name}: ` : `${name}:${line}: `));
  });
}

test('capture: what stands before a fault comes out before its error', async (t) => {
  const dir = await folder(t, { 'x.hft': `${samples.hft(100)}nonsense\n` });
  const w = world();
  const source = await make('capture', { file: join(dir, 'x.hft'), pace: 'unpaced' });
  await t.throwsAsync(run(source, w), { message: /x\.hft:101: / });
  t.is(w.shelf.records.length, 100);
});

test('capture: a file of whatever length is read in pieces', async (t) => {
  // Lines across chunk borders at every offset: 3 MiB against chunks of 256 KiB.
  const sample = samples.hft(20_000);
  const { shelf } = await play(t, { 'x.hft.gz': gzipSync(sample, { level: 1 }) });
  t.is(shelf.records.filter(isMarkless).length, 20_000);
  const sizes = new Map<number, number>();
  for (const { batch } of shelf.records) sizes.set(batch, (sizes.get(batch) ?? 0) + 1);
  t.true(Math.max(...sizes.values()) <= 1_000);
});

/** Real recordings: what README.md of the data counts. */
const real: readonly (readonly [file: string, counts: Readonly<Record<string, number>>])[] = [
  [
    'binance/spot-btcusdt-20240808.hft.gz',
    {
      'binance/BTC-USDT/depth': 3_451 + 1,
      'binance/BTC-USDT/bookTicker': 28_040,
      'binance/BTC-USDT/trade': 9_757,
    },
  ],
  [
    'binance/spot-btc-eth-dot-20210404.cryptofeed.gz',
    { depth: 2_688 + 3, aggTrade: 1_910, kline_1m: 118 },
  ],
  ['binance/trades-spot-trxusdt-20250304.csv.gz', { 'binance/TRX-USDT/trade': 10_000 }],
  ['binance/klines-usdm-btcusdt-1d-2020.csv', { 'binance/BTC-USDT/kline_1d': 366 }],
  ['kraken/v1/book1000-10pairs-20210405.cryptofeed.gz', { 'v1-book-1000': 10 + 14_496 }],
  ['kraken/v1/trade-10pairs-20210405.cryptofeed.gz', { 'v1-trade': 12 }],
  ['kraken/v1/ticker-10pairs-20210405.cryptofeed.gz', { 'v1-ticker': 22 }],
  ['kraken/v2/book25-btcusd-20260802.cbcap.gz', { 'kraken/BTC-USD/book-25': 2_052 }],
  ['kraken/v2/book25-xrpusd-20260802.cbcap.gz', { 'kraken/XRP-USD/book-25': 1_147 }],
  ['kraken/trades-xbtusd-20190701T00.csv.gz', { 'kraken/BTC-USD/trade': 2_672 }],
  ['kraken/ohlcvt-xbtusd-1440.csv.gz', { 'kraken/BTC-USD/ohlc-1440': 3_178 }],
];
for (const [name, counts] of real) {
  test(`capture: the recording ${name} comes out whole`, async (t) => {
    const file = recorded(t, name);
    if (file === undefined) {
      t.pass();
      return;
    }
    const w = world();
    await run(await make('capture', { file, pace: 'unpaced' }), w);
    const found: Record<string, number> = {};
    for (const [log, count] of Object.entries(w.shelf.counts())) {
      const key = log in counts ? log : log.split('/')[2]!;
      found[key] = (found[key] ?? 0) + count;
    }
    t.deepEqual(found, { ...counts });
  });
}

test('capture: every frame of the real hft recording is its payload wrapped again', async (t) => {
  const file = recorded(t, 'binance/spot-btcusdt-20240808.hft.gz');
  if (file === undefined) {
    t.pass();
    return;
  }
  const w = world();
  await run(await make('capture', { file, pace: 'unpaced' }), w);
  const lines = gunzipSync(readFileSync(file)).toString('latin1').trimEnd().split('\n');
  const records = w.shelf.records.filter(isMarkless);
  t.is(records.length, lines.length);
  let same = 0;
  for (const [i, line] of lines.entries()) {
    const payload = records[i]!.payload.toString('latin1');
    const stream = /^\d{19} \{"stream":"([^"]+)"/.exec(line)?.[1];
    if (line.slice(20) === (stream ? samples.combined(stream, payload) : payload)) same++;
  }
  t.is(same, 41_249);
});
