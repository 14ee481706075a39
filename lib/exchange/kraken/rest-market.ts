/**
 * REST market data of one pair: Depth, Trades, OHLC, Ticker, Spread. Prices have at least five digits after the point
 * here (OHLC: the pair's own), volumes of book levels three: a REST book does not check against a checksum.
 */
import { fromScaled } from '../../market/decimal.ts';
import { SECOND_US } from '../../market/interval.ts';
import type { Bar } from '../../market/bar.ts';
import { ohlcMinutes } from './channel.ts';
import { QUANTITY_DECIMALS, fixed } from './digits.ts';
import type { Entry } from './ladder.ts';
import type { Market } from './market.ts';
import { REST_CANDLES, barVwap } from './ohlc.ts';

const DAY_MINUTES = 1440;
const DEPTH_MAX = 500;
const TRADES_MAX = 1000;

/** JSON text that is written as it is. */
type Rows = string;

const price = (market: Market, text: string): string =>
  fixed(text, Math.max(5, market.priceDecimals));
const seconds = (timeUs: number): number => Math.floor(timeUs / SECOND_US);

/** Seconds with their microseconds, no zeros at the end: 1541390792.763. */
function fractional(timeUs: number): string {
  const whole = seconds(timeUs);
  const rest = String(timeUs - whole * SECOND_US).padStart(6, '0');
  return `${whole}.${rest.replace(/0{1,5}$/, '')}`;
}

/** An integer of a query within bounds; undefined where it is none. */
function intParam(text: string | null, otherwise: number, max: number): number | undefined {
  if (text === null || text === '') return otherwise;
  if (!/^\d{1,9}$/.test(text)) return undefined;
  return Math.max(1, Math.min(max, Number(text)));
}

/** "since" in seconds (with a fraction or not) or nanoseconds, as microseconds; -1 where there is none. */
function sinceUs(text: string | null): number | undefined {
  if (text === null || text === '') return -1;
  if (!/^\d{1,20}(?:\.\d{1,9})?$/.test(text)) return undefined;
  const [whole = '', fraction = ''] = text.split('.');
  if (whole.length > 15) return Number(whole.slice(0, -3));
  return Number(whole) * SECOND_US + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

/** `{"asks":[[price,volume,seconds]],"bids":[…]}`. */
export function depthResult(market: Market, count: string | null): Rows | undefined {
  const limit = intParam(count, 100, DEPTH_MAX);
  if (limit === undefined) return undefined;
  const book = market.books.deepest;
  const side = (entries: readonly Entry[] = []): string =>
    entries
      .slice(0, limit)
      .map(
        ({ price: text, quantity, timeUs }) =>
          `["${price(market, text)}","${fixed(quantity, 3)}",${seconds(timeUs)}]`,
      )
      .join(',');
  return `{"asks":[${side(book?.asks.entries)}],"bids":[${side(book?.bids.entries)}]}`;
}

/** The trades after `since`, oldest first, at most `count` (the newest without `since`), and where to go on. */
export function tradesResult(
  market: Market,
  since: string | null,
  count: string | null,
): { rows: Rows; last: string } | undefined {
  const limit = intParam(count, TRADES_MAX, TRADES_MAX);
  const fromUs = sinceUs(since);
  if (limit === undefined || fromUs === undefined) return undefined;
  const { kept } = market.trades;
  let first = Math.max(0, kept.length - limit);
  let end = kept.length;
  if (fromUs >= 0) {
    first = kept.findIndex(({ timeUs }) => timeUs > fromUs);
    if (first < 0) first = kept.length;
    end = Math.min(kept.length, first + limit);
    // `last` is a time: a page that ended between two trades of one microsecond would lose the second.
    while (end < kept.length && end > first && kept[end]!.timeUs === kept[end - 1]!.timeUs) end++;
  }
  const page = kept.slice(first, end);
  const rows = page.map(({ price: text, quantity, timeUs, taker, orderType, id }) => {
    const side = taker === 'buy' ? 'b' : 's';
    const type = orderType === 'limit' ? 'l' : 'm';
    const volume = fixed(quantity, QUANTITY_DECIMALS);
    return `["${price(market, text)}","${volume}",${fractional(timeUs)},"${side}","${type}","",${id || 0}]`;
  });
  const lastUs = page.at(-1)?.timeUs ?? Math.max(0, fromUs);
  return { rows: `[${rows.join(',')}]`, last: lastUs === 0 ? '0' : `${lastUs}000` };
}

/** Candles later than `since`, empty ones too, the running one last; `last` is the last closed one's time. */
export function ohlcResult(
  market: Market,
  interval: string | null,
  since: string | null,
): { rows: Rows; last: number } | undefined {
  const minutes = interval === null || interval === '' ? 1 : Number(interval);
  const fromUs = sinceUs(since);
  if (!ohlcMinutes.some((one) => one === minutes) || fromUs === undefined) return undefined;
  market.ohlc.advance(market.timeUs);
  const all = market.ohlc.bars(minutes).slice(-(REST_CANDLES + 1));
  const decimals = market.priceDecimals;
  const text = (value: bigint): string => fromScaled(value, decimals);
  const row = (bar: Bar): string =>
    `[${seconds(bar.startUs)},"${text(bar.open)}","${text(bar.high)}","${text(bar.low)}","${text(bar.close)}",` +
    `"${barVwap(bar, decimals)}","${fromScaled(bar.volume, QUANTITY_DECIMALS)}",${bar.trades}]`;
  const rows = all.filter((bar) => bar.startUs > fromUs).map(row);
  return { rows: `[${rows.join(',')}]`, last: seconds(all.at(-2)?.startUs ?? 0) };
}

/** `{"a":[…],"b":[…],"c":[…],"v":[today, 24 h],"p":…,"t":…,"l":…,"h":…,"o":"today's"}`. */
export function tickerResult(market: Market): Record<string, unknown> {
  const stats = market.ticker.stats();
  const { best } = market.ticker;
  const today = market.ohlc.bars(DAY_MINUTES).at(-1);
  const decimals = Math.max(5, market.priceDecimals);
  const of = (text = '0'): string => price(market, text);
  const value = (scaled = 0n): string => fromScaled(scaled, decimals);
  const quoted = (text = '0', quantity = '0'): string[] => {
    const whole = fixed(quantity, 0);
    return [of(text), whole === '0' && best ? '1' : whole, fixed(quantity, 3)];
  };
  return {
    a: quoted(best?.ask, best?.askQuantity),
    b: quoted(best?.bid, best?.bidQuantity),
    c: [of(stats?.last), fixed(stats?.lastQuantity ?? '0', QUANTITY_DECIMALS)],
    v: [fromScaled(today?.volume ?? 0n, QUANTITY_DECIMALS), fixed(stats?.volume ?? '0', 8)],
    p: [today ? barVwap(today, decimals) : of(), of(stats?.vwap)],
    t: [today?.trades ?? 0, stats?.trades ?? 0],
    l: [value(today?.low), of(stats?.low)],
    h: [value(today?.high), of(stats?.high)],
    o: value(today?.open),
  };
}

/** Quotes later than `since`, oldest first: `[[seconds,"bid","ask"]]`. */
export function spreadResult(
  market: Market,
  since: string | null,
): { rows: Rows; last: number } | undefined {
  const fromUs = sinceUs(since);
  if (fromUs === undefined) return undefined;
  const spreads = market.ticker.spreads.filter(({ timeUs }) => timeUs > fromUs);
  const rows = spreads.map(
    ({ bid, ask, timeUs }) =>
      `[${seconds(timeUs)},"${price(market, bid)}","${price(market, ask)}"]`,
  );
  return { rows: `[${rows.join(',')}]`, last: seconds(spreads.at(-1)?.timeUs ?? 0) };
}
