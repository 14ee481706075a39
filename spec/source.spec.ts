import test from 'ava';
import { TickmeshError } from '../lib/world/error.ts';
import { sources } from '../lib/source/registry.ts';
import { BinanceJudge, KrakenJudge } from './support/market-rules.ts';
import { type Kept, make, run, world } from './support/source-world.ts';
import './support/capture-cases.ts';

const decimals: Record<string, number> = { 'BTC-USD': 1, 'ETH-USD': 2, 'SOL-USD': 2 };

/** Puts every record before the judge of its instrument. */
function judge(
  records: readonly Kept[],
  torn: ReadonlySet<number> = new Set(),
): Map<string, BinanceJudge | KrakenJudge> {
  const judges = new Map<string, BinanceJudge | KrakenJudge>();
  for (const { log, payload, mark, batch } of records) {
    if (mark) continue;
    const [exchange = '', instrument = '', channel = ''] = log.split('/');
    const key = `${exchange}/${instrument}`;
    let one = judges.get(key);
    if (!one) {
      one = exchange === 'binance' ? new BinanceJudge() : new KrakenJudge(decimals[instrument]!);
      judges.set(key, one);
    }
    one.record(channel, payload.toString(), torn.has(batch));
  }
  for (const one of judges.values()) if (one instanceof BinanceJudge) one.oracle();
  return judges;
}

test('synthetic: same seed, same settings, same bytes; another seed, other bytes', async (t) => {
  const hash = async (seed: number, start?: string): Promise<string> => {
    const w = world();
    await run(await make('synthetic', { seed, start, records: 10_000 }), w);
    t.true(w.shelf.records.length >= 10_000);
    return w.shelf.sha256();
  };
  const first = await hash(7);
  t.is(await hash(7), first);
  t.not(await hash(8), first);
  const past = await hash(7, '2024-01-01T00:00:00Z');
  t.is(await hash(7, '2024-01-01T00:00:00Z'), past);
  t.not(past, first);
});

test('synthetic: every rule of both venues holds', async (t) => {
  const w = world();
  await run(await make('synthetic', { records: 13_000 }), w);
  const judges = judge(w.shelf.records);
  t.is(judges.size, 6);
  for (const [key, one] of judges) {
    t.true(one.trades > 100, key);
    t.true(one.snapshots > 1, `${key}: a late reader finds a recent snapshot`);
  }
});

test('synthetic: the judge of these rules notices a broken one', async (t) => {
  const w = world();
  await run(await make('synthetic', { records: 2_000, rate: 1_000 }), w);
  const good = w.shelf.records;
  t.notThrows(() => judge(good));
  const without = (log: string, nth: number, count = 1): Kept[] => {
    let seen = 0;
    return good.filter((record) => {
      if (record.log !== log) return true;
      seen++;
      return seen <= nth || seen > nth + count;
    });
  };
  // The last digit of the first quantity, one higher.
  const altered = (log: string, from: number): Kept[] => {
    let seen = 0;
    return good.map((record) => {
      if (record.log !== log || seen++ < from) return record;
      const text = record.payload
        .toString()
        .replace(
          /(\d)("?[\]}])/,
          (_, digit: string, end: string) => `${(Number(digit) + 1) % 10}${end}`,
        );
      return { ...record, payload: Buffer.from(text) };
    });
  };
  t.throws(() => judge(without('binance/BTC-USDT/depth', 3)), { message: /U = u \+ 1/ });
  t.throws(() => judge(without('binance/BTC-USDT/trade', 3)), { message: /trade ids/ });
  t.throws(() => judge(without('binance/BTC-USDT/bookTicker', 100, 50)), {
    message: /touched|best prices/,
  });
  t.throws(() => judge(without('kraken/BTC-USD/book-1000', 30, 20)), {
    message: /checksum|touched/,
  });
  t.throws(() => judge(altered('kraken/BTC-USD/book-1000', 0)), { message: /checksum/ });
  t.throws(() => judge(altered('binance/BTC-USDT/bookTicker', 0)), { message: /best prices/ });
});

test('synthetic: a fetcher killed anywhere goes on, and clients that kept their book stay right', async (t) => {
  let seed = 12345;
  const random = (below: number): number =>
    (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) % below;
  const w = world();
  const torn = new Set<number>();
  for (let crash = 0; crash < 40; crash++) {
    const source = await make('synthetic', { rate: 50_000, seed: 3 });
    await run(source, w, 1 + random(400));
    torn.add(w.shelf.tear((records) => random(records + 1)));
    w.clock.ms += 1 + random(5_000);
  }
  await run(await make('synthetic', { rate: 50_000, seed: 3 }), w, 1_000);
  const judges = judge(w.shelf.records, torn);
  t.is(judges.size, 6);
  for (const [key, one] of judges) t.true(one.snapshots > 30, key);
});

test('synthetic: a random stream is not repeated after a restart', async (t) => {
  const w = world();
  await run(await make('synthetic', { kraken: [], binance: ['BTC-USDT'] }), w, 500);
  const before = w.shelf
    .of('binance/BTC-USDT/trade')
    .map((r) => /"q":"[^"]+"/.exec(r.payload.toString())?.[0]);
  const held = w.shelf.records.length;
  await run(await make('synthetic', { kraken: [], binance: ['BTC-USDT'] }), w, 500);
  const after = w.shelf.records
    .slice(held)
    .filter((r) => r.log.endsWith('trade'))
    .map((r) => /"q":"[^"]+"/.exec(r.payload.toString())?.[0]);
  t.notDeepEqual(after.slice(0, 10), before.slice(0, 10));
});

test('synthetic: behind a log without a snapshot it says gap and starts a new book', async (t) => {
  const w = world();
  const only = { kraken: ['BTC-USD'], binance: ['BTC-USDT'], rate: 1_000 };
  await run(await make('synthetic', only), w, 2_000);
  const isSnapshot = (r: Kept): boolean => /lastUpdateId|"snapshot"/.test(r.payload.toString());
  w.shelf.records = w.shelf.records.filter((r) => !isSnapshot(r));
  const held = w.shelf.records.length;
  const lastU = /"u":(\d+)/.exec(
    w.shelf.of('binance/BTC-USDT/depth').at(-1)!.payload.toString(),
  )![1];
  await run(await make('synthetic', only), w, 1_000);
  const added = w.shelf.records.slice(held);
  for (const log of ['binance/BTC-USDT/depth', 'kraken/BTC-USD/book-1000']) {
    const [gap, snapshot] = added.filter((r) => r.log === log);
    t.is(gap?.mark, 'gap');
    t.true(isSnapshot(snapshot!), log);
  }
  const id = /"lastUpdateId":(\d+)/.exec(added.map((r) => r.payload.toString()).join())![1];
  t.true(Number(id) > Number(lastU));
  t.notThrows(() => judge(added));
});

test('synthetic: the rate is met by absolute deadlines, also when timers are late', async (t) => {
  for (const lateMs of [0, 7.3]) {
    const w = world();
    w.clock.lateMs = lateMs;
    await run(await make('synthetic', { rate: 20_000 }), w, 40_000);
    const { records } = w.shelf;
    const seconds = records.at(-1)!.atMs / 1000;
    t.true(Math.abs(records.length / seconds - 20_000) < 300, `${records.length} in ${seconds} s`);
    for (const [i, { atMs }] of records.entries()) {
      // A step may put a few records out at once: never more ahead of time than that.
      if (i > (atMs / 1000) * 20_000 + 6) t.fail(`record ${i} at ${atMs} ms is early`);
    }
    t.pass();
  }
});

test('synthetic: a batch has about 1,000 records at most, and what was owed beyond a second is forgiven', async (t) => {
  const w = world();
  w.clock.lateMs = 10_000;
  await run(await make('synthetic', { rate: 100_000 }), w, 150_000);
  const sizes = new Map<number, number>();
  for (const { batch } of w.shelf.records) sizes.set(batch, (sizes.get(batch) ?? 0) + 1);
  t.true(Math.max(...sizes.values()) <= 1_010);
  const atFirstPause = w.shelf.records.filter((r) => r.atMs > 0 && r.atMs < 15_000).length;
  t.true(atFirstPause >= 100_000 && atFirstPause < 101_500, `${atFirstPause}`);
});

test('synthetic: with a start it makes history, with times of its own and without waiting', async (t) => {
  const w = world();
  const settings = { start: '2024-02-29T23:59:00Z', rate: 100, records: 6_000 };
  await run(await make('synthetic', settings), w);
  const { records } = w.shelf;
  t.is(w.clock.ms, 0);
  const startUs = Date.parse(settings.start) * 1000;
  t.is(records[0]!.timeUs, startUs);
  t.true(Math.abs(records.at(-1)!.timeUs! - startUs - 60e6) < 1e5);
  t.true(records.every((r, i) => i === 0 || r.timeUs! >= records[i - 1]!.timeUs!));
  const frame = records.find((r) => r.log === 'kraken/BTC-USD/trade')!.payload.toString();
  t.regex(frame, /2024-0(2-29|3-01)T/);
  t.notThrows(() => judge(records));
  // Killed and started again, history goes on behind what is there.
  const again = { ...settings, records: 8_000 };
  const held = records.length;
  await run(await make('synthetic', again), w);
  t.true(w.shelf.records[held]!.timeUs! > records[held - 1]!.timeUs!);
  t.notThrows(() => judge(w.shelf.records));
});

test('synthetic: any instrument can be named', async (t) => {
  const w = world();
  const settings = { binance: ['XRP-USDT', 'ABC-USDT'], kraken: [], records: 3_000, rate: 500 };
  const source = await make('synthetic', settings);
  t.deepEqual(source.logs.slice(0, 3), [
    'binance/XRP-USDT/trade',
    'binance/XRP-USDT/bookTicker',
    'binance/XRP-USDT/depth',
  ] as never);
  await run(source, w);
  t.is(judge(w.shelf.records).size, 2);
});

test('every source of the registry describes its settings and refuses unknown keys', async (t) => {
  for (const [name, load] of Object.entries(sources)) {
    const { source } = await load();
    const { z } = await import('zod');
    const schema = z.toJSONSchema(source.settings, { io: 'input' });
    t.false(schema.additionalProperties, name);
    for (const [key, value] of Object.entries(schema.properties ?? {})) {
      t.is(typeof (value as { description?: string }).description, 'string', `${name}.${key}`);
    }
    await t.throwsAsync(async () => source.make({ file: 'x', nonsense: 1 }), {
      message: /nonsense/,
    });
  }
});

test('a source’s errors carry code, remedy, file and line', async (t) => {
  const error = await t.throwsAsync(make('capture', { file: '/does/not/exist.hft' }));
  t.true(error instanceof TickmeshError);
  t.is((error as TickmeshError).code, 'SOURCE_INVALID');
  t.truthy((error as TickmeshError).remedy);
  t.like((error as TickmeshError).facts, { file: '/does/not/exist.hft' });
});
