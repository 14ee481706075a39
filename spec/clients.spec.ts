/**
 * Unmodified clients of the real exchanges, told nothing but our URL, against publishers of a synthetic market.
 * What they hand to their user is compared with what the market did.
 */
import { createRequire } from 'node:module';
import test, { type ExecutionContext } from 'ava';
import { MainClient, WebsocketClient } from 'binance';
import ccxt, { type Exchange as CcxtExchange } from 'ccxt';
import { exchanges, readers } from '../lib/exchange/registry.ts';
import { instrumentOf } from '../lib/market/instrument.ts';
import { Publisher } from '../lib/publisher/publisher.ts';
import { source } from '../lib/source/synthetic/synthetic.ts';
import { Reference, topOf } from './support/reference.ts';
import { sourceFeed } from './support/source-feed.ts';

const INSTRUMENTS = {
  binance: ['BTC-USDT', 'ETH-USDT', 'SOL-USDT'],
  kraken: ['BTC-USD', 'ETH-USD', 'SOL-USD'],
};

/** A publisher of a synthetic market, on a port of its own; of another exchange's market where one is given. */
async function serve(
  t: ExecutionContext,
  name: 'binance' | 'kraken',
  market: 'binance' | 'kraken' = name,
) {
  const instruments = INSTRUMENTS[market];
  const made = await source.make({
    seed: 7,
    rate: 600,
    binance: [],
    kraken: [],
    [market]: instruments,
  });
  const abort = new AbortController();
  const reference = new Reference();
  const failures: unknown[] = [];
  const publisher = new Publisher({
    venue: (seams) =>
      exchanges[name]!.venue({
        ...seams,
        instruments: instruments.map((instrument) => instrumentOf(instrument)),
        readers: readers(),
        logs: made.logs,
      }),
    feed: sourceFeed(made, abort.signal, (record) => reference.take(record)),
    onFailure: (error) => failures.push(error),
  });
  const { port } = await publisher.start(0);
  t.teardown(() => {
    abort.abort();
    return publisher.stop(100);
  });
  /** Nothing went wrong on our side. */
  const sound = (): void => {
    t.deepEqual(failures, []);
    t.is(publisher.metrics.malformed, 0);
    t.is(publisher.metrics.slowDisconnects, 0);
  };
  return {
    port,
    http: `http://127.0.0.1:${port}`,
    ws: `ws://127.0.0.1:${port}`,
    reference,
    sound,
  };
}

/** Looks again and again, as a strategy would, until `enough`. */
async function watching<T>(watch: () => Promise<T>, enough: (value: T) => boolean): Promise<void> {
  while (!enough(await watch()));
}

/** The four streams that issue and README promise for ccxt, with the same checks on both exchanges. */
async function checkCcxt(
  t: ExecutionContext,
  exchange: CcxtExchange,
  reference: Reference,
  instrument: string,
): Promise<void> {
  const symbol = instrument.replace('-', '/');
  const market = (await exchange.loadMarkets())[symbol]!;
  const tick = 10 ** -instrumentOf(instrument).priceDecimals;
  t.is(market.precision.price, tick, 'the tick of the market');

  const ids: string[] = [];
  const trades = watching(
    () => exchange.watchTrades(symbol),
    (got) => {
      for (const trade of got) {
        if (ids.includes(trade.id!)) continue;
        ids.push(trade.id!);
        const real = reference.trade(instrument, trade.id!);
        t.truthy(real, `trade ${trade.id} happened`);
        t.is(trade.price, Number(real?.price));
        t.is(trade.amount, Number(real?.quantity));
        t.is(trade.side, real?.taker);
        t.is(trade.timestamp, Math.floor(real!.timeUs / 1000));
        const ticks = trade.price! / tick;
        t.true(Math.abs(ticks - Math.round(ticks)) < 1e-6, 'on the tick');
      }
      return ids.length >= 40;
    },
  );

  let books = 0;
  const book = watching(
    () => exchange.watchOrderBook(symbol),
    ({ bids, asks }) => {
      t.true(bids[0]![0]! < asks[0]![0]!, 'not crossed');
      const top = topOf(bids as [number, number][], asks as [number, number][]);
      t.true(reference.tops.get(instrument)!.has(top), `a state the book was in: ${top}`);
      return ++books >= 40;
    },
  );

  let candles = 0;
  const ohlcv = watching(
    () => exchange.watchOHLCV(symbol, '1m'),
    (rows) => {
      const [openTime, open, high, low, close, volume] = rows.at(-1) as number[];
      const told = { open: open!, high: high!, low: low!, close: close!, volume: volume! };
      t.true(
        reference.explains(instrument, openTime!, 60_000, told),
        `a candle of these trades: ${JSON.stringify(told)}`,
      );
      return ++candles >= 3;
    },
  );

  let tickers = 0;
  const ticker = watching(
    () => exchange.watchTicker(symbol),
    (got) => {
      t.true(reference.traded(instrument, got.last!), `${got.last} was traded`);
      t.true(got.low! <= got.last! && got.last! <= got.high!);
      // On Binance ccxt takes the miniTicker, which has no quotes.
      if (got.bid !== undefined) t.true(got.bid < got.ask!);
      return ++tickers >= 3;
    },
  );
  await Promise.all([trades, book, ohlcv, ticker]);

  const numbers = ids.map(Number);
  t.is(numbers.at(-1)! - numbers[0]!, ids.length - 1, 'ids without a gap');
  t.deepEqual(
    numbers,
    [...numbers].sort((a, b) => a - b),
  );

  // The same over REST.
  const restBook = await exchange.fetchOrderBook(symbol, 10);
  t.true(restBook.bids[0]![0]! < restBook.asks[0]![0]!);
  const restTrades = await exchange.fetchTrades(symbol, undefined, 20);
  t.true(restTrades.length > 0);
  // Of Binance ccxt asks for aggregate trades here, which have ids of their own.
  for (const { price } of restTrades) t.true(reference.traded(instrument, price!));
  t.true((await exchange.fetchOHLCV(symbol, '1m')).length > 0);
  t.true(reference.traded(instrument, (await exchange.fetchTicker(symbol)).last!));
}

/** What ccxt is told of Binance. Without `/stream` in the URL it takes spot streams for those of futures. */
const binanceUrls = (http: string, ws: string) => ({
  public: `${http}/api/v3`,
  fapiPublic: `${http}/fapi/v1`,
  dapiPublic: `${http}/dapi/v1`,
  ws: { spot: `${ws}/stream` },
});

test('ccxt on Binance: trades, book, candles and ticker are those of the market', async (t) => {
  const { http, ws, reference, sound } = await serve(t, 'binance');
  const exchange = new ccxt.pro.binance({
    urls: { api: binanceUrls(http, ws) },
  });
  t.teardown(() => exchange.close());
  await exchange.loadHttpProxyAgent();
  await checkCcxt(t, exchange, reference, 'BTC-USDT');
  sound();
});

test('ccxt on Kraken: trades, book, candles and ticker are those of the market', async (t) => {
  const { http, ws, reference, sound } = await serve(t, 'kraken');
  const exchange = new ccxt.pro.kraken({
    urls: { api: { public: http, ws: { publicV2: `${ws}/v2` } } },
  });
  t.teardown(() => exchange.close());
  await exchange.loadHttpProxyAgent();
  await checkCcxt(t, exchange, reference, 'BTC-USD');
  sound();
});

for (const [name, market, instrument] of [
  ['kraken', 'binance', 'BTC-USDT'],
  ['binance', 'kraken', 'BTC-USD'],
] as const) {
  test(`ccxt on ${name} sees the market of a ${market} log`, async (t) => {
    const { http, ws, reference, sound } = await serve(t, name, market);
    const exchange =
      name === 'kraken'
        ? new ccxt.pro.kraken({ urls: { api: { public: http, ws: { publicV2: `${ws}/v2` } } } })
        : new ccxt.pro.binance({ urls: { api: binanceUrls(http, ws) } });
    t.teardown(() => exchange.close());
    await exchange.loadHttpProxyAgent();
    const symbol = instrument.replace('-', '/');
    await exchange.loadMarkets();
    let trades = 0;
    let books = 0;
    await Promise.all([
      watching(
        () => exchange.watchTrades(symbol),
        (got) => {
          for (const { price } of got) t.true(reference.traded(instrument, price!));
          return (trades += got.length) >= 40;
        },
      ),
      watching(
        () => exchange.watchOrderBook(symbol),
        ({ bids, asks }) => {
          const top = topOf(bids as [number, number][], asks as [number, number][]);
          t.true(reference.tops.get(instrument)!.has(top), `a state the book was in: ${top}`);
          return ++books >= 20;
        },
      ),
      watching(
        () => exchange.watchTicker(symbol),
        ({ last }) => reference.traded(instrument, last!),
      ),
    ]);
    sound();
  });
}

test('binance (npm): streams of one connection, and REST', async (t) => {
  const { http, ws, reference, sound } = await serve(t, 'binance');
  const rest = new MainClient({ baseUrl: http });
  const info = await rest.getExchangeInfo();
  t.deepEqual(info.symbols.map(({ symbol }) => symbol).sort(), ['BTCUSDT', 'ETHUSDT', 'SOLUSDT']);

  const silent = () => {};
  const client = new WebsocketClient({ wsUrl: ws }, {
    trace: silent,
    info: silent,
    error: silent,
  } as never);
  t.teardown(() => client.closeAll(true));
  type Data = Record<string, unknown> & { e?: string; s?: string };
  const got = new Map<string, Data[]>();
  const want: Record<string, number> = {
    trade: 30,
    depthUpdate: 10,
    kline: 2,
    '24hrTicker': 2,
    bookTicker: 30,
  };
  const reconnects: unknown[] = [];
  client.on('reconnecting', (event) => reconnects.push(event));
  const done = new Promise<void>((resolve) => {
    client.on('message', (message) => {
      const data = ((message as { data?: Data }).data ?? message) as Data;
      const kind = data.e ?? (data['b'] !== undefined ? 'bookTicker' : 'other');
      got.set(kind, [...(got.get(kind) ?? []), data]);
      const all = Object.entries(want).every(
        ([name, count]) => (got.get(name)?.length ?? 0) >= count,
      );
      if (all) resolve();
    });
  });
  await client.subscribe(
    ['trade', 'depth@100ms', 'kline_1m', 'ticker', 'bookTicker'].map((name) => `btcusdt@${name}`),
    'main',
  );
  await done;
  t.deepEqual(reconnects, []);
  const trades = got.get('trade')!;
  trades.forEach((trade, i) => {
    t.is(trade['t'], Number(trades[0]!['t']) + i, 'ids without a gap');
    const real = reference.trade('BTC-USDT', String(trade['t']));
    t.deepEqual([trade['p'], trade['q']], [real?.price, real?.quantity], 'digit for digit');
  });
  const depths = got.get('depthUpdate')!;
  depths.forEach((depth, i) => {
    if (i > 0) t.is(depth['U'], Number(depths[i - 1]!['u']) + 1);
  });
  for (const { k } of got.get('kline') as unknown as { k: Record<string, string & number> }[]) {
    const [open, high, low, close, volume] = ['o', 'h', 'l', 'c', 'v'].map((key) => Number(k[key]));
    const told = { open: open!, high: high!, low: low!, close: close!, volume: volume! };
    t.true(reference.explains('BTC-USDT', k['t']!, 60_000, told), JSON.stringify(k));
  }
  for (const ticker of got.get('24hrTicker')!)
    t.true(reference.traded('BTC-USDT', Number(ticker['c'])));

  const book = await rest.getOrderBook({ symbol: 'BTCUSDT', limit: 100 });
  t.true(Number(book.bids[0]![0]) < Number(book.asks[0]![0]));
  t.true(book.lastUpdateId >= Number(depths.at(-1)!['u']));
  const recent = await rest.getRecentTrades({ symbol: 'BTCUSDT', limit: 10 });
  t.is(recent.length, 10);
  for (const { id, price } of recent) t.is(price, reference.trade('BTC-USDT', String(id))!.price);
  t.true((await rest.getKlines({ symbol: 'BTCUSDT', interval: '1m' })).length > 0);
  sound();
});

/** What we use of a package that has no types. */
type Connector = {
  WebsocketStream: new (
    options: object,
  ) => Record<
    'trade' | 'bookTicker' | 'diffBookDepth',
    (symbol: string, speed?: string) => void
  > & { disconnect(): void; subscribe(stream: string): void };
  Spot: new (
    key: string,
    secret: string,
    options: object,
  ) => Record<'exchangeInfo' | 'time', () => Promise<{ data: Record<string, unknown> }>> &
    Record<
      'depth' | 'trades',
      (symbol: string, options: object) => Promise<{ data: Record<string, unknown> }>
    >;
};

test('@binance/connector: both styles of URL, a later subscription, microseconds, REST', async (t) => {
  const { http, ws, reference, sound } = await serve(t, 'binance');
  const { WebsocketStream, Spot } = createRequire(import.meta.url)(
    '@binance/connector',
  ) as Connector;
  const logger = { debug() {}, info() {}, warn() {}, error() {}, log() {} };

  for (const [combinedStreams, timeUnit] of [
    [false, undefined],
    [true, undefined],
    [false, 'microsecond'],
  ] as const) {
    const trades: Record<string, unknown>[] = [];
    let books = 0;
    let subscribed = false;
    await new Promise<void>((resolve) => {
      const stream = new WebsocketStream({
        logger,
        wsURL: ws,
        combinedStreams,
        timeUnit,
        callbacks: {
          message(text: string) {
            const frame = JSON.parse(text) as Record<string, unknown>;
            if ('result' in frame) {
              subscribed = frame['result'] === null;
              return;
            }
            t.is('stream' in frame, combinedStreams);
            const data = (combinedStreams ? frame['data'] : frame) as Record<string, unknown>;
            if (data['e'] !== 'trade') books++;
            else {
              if (trades.length === 0) stream.subscribe('btcusdt@bookTicker');
              trades.push(data);
            }
            if (trades.length < 20 || books < 10 || !subscribed) return;
            stream.disconnect();
            resolve();
          },
        },
      });
      stream.trade('btcusdt');
    });
    trades.forEach((trade, i) => {
      t.is(trade['t'], Number(trades[0]!['t']) + i);
      t.is(String(trade['T']).length, timeUnit ? 16 : 13);
      t.is(trade['p'], reference.trade('BTC-USDT', String(trade['t']))!.price);
    });
  }

  const spot = new Spot('', '', { baseURL: http });
  t.is(typeof (await spot.time()).data['serverTime'], 'number');
  t.is(((await spot.exchangeInfo()).data['symbols'] as unknown[]).length, 3);
  const { data: book } = await spot.depth('BTCUSDT', { limit: 5 });
  t.is((book['bids'] as unknown[]).length, 5);
  t.is(((await spot.trades('BTCUSDT', { limit: 5 })).data as unknown as unknown[]).length, 5);
  sound();
});
