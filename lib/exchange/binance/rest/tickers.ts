/** Prices and statistics over REST, as JSON text. Where no trade was seen yet everything is zero. */
import { Bar, QUOTE_SCALE } from '../../../market/bar.ts';
import { SCALE, fromScaled } from '../../../market/decimal.ts';
import { DAY_US, HOUR_US, MINUTE_US, fixedInterval } from '../../../market/interval.ts';
import { percent } from '../../../market/rolling.ts';
import { AVERAGE_MINUTES, average } from '../average.ts';
import type { Market } from '../market.ts';
import { eight } from '../write.ts';
import { illegal, invalidValue, missing } from './error.ts';
import type { Query } from './query.ts';

const ZERO = '0.00000000';
const minute = fixedInterval(MINUTE_US);
const hour = fixedInterval(HOUR_US);

/** One object for `symbol`, else a list. */
function forEach(query: Query, write: (market: Market) => string): string {
  const { single, markets } = query.markets();
  return single ? write(markets[0]!) : `[${markets.map(write).join(',')}]`;
}

function isMini(query: Query): boolean {
  const type = query.text('type') ?? 'FULL';
  if (type !== 'FULL' && type !== 'MINI') throw invalidValue('type');
  return type === 'MINI';
}

/** Rolling 24 hours. */
export function day(query: Query): string {
  const mini = isMini(query);
  return forEach(query, (market) => {
    const nowUs = query.now(market);
    const stats = market.day.stats(nowUs);
    const { bid, ask } = market.best();
    const open = stats?.open ?? ZERO;
    const last = stats?.last ?? ZERO;
    const tail = `"openTime":${query.time(nowUs - DAY_US)},"closeTime":${query.time(nowUs)},"firstId":${stats?.firstTradeId || -1},"lastId":${stats?.lastTradeId || -1},"count":${stats?.trades ?? 0}}`;
    const range = `"highPrice":"${stats?.high ?? ZERO}","lowPrice":"${stats?.low ?? ZERO}"`;
    const volume = `"volume":"${stats?.volume ?? ZERO}","quoteVolume":"${stats?.quoteVolume ?? ZERO}"`;
    if (mini) {
      return `{"symbol":"${market.symbol}","openPrice":"${open}",${range},"lastPrice":"${last}",${volume},${tail}`;
    }
    return `{"symbol":"${market.symbol}","priceChange":"${stats?.change ?? ZERO}","priceChangePercent":"${stats?.changePercent ?? '0.000'}","weightedAvgPrice":"${stats?.vwap ?? ZERO}","prevClosePrice":"${stats?.previousClose ?? ZERO}","lastPrice":"${last}","lastQty":"${stats?.lastQuantity ?? ZERO}","bidPrice":"${eight(bid[0])}","bidQty":"${eight(bid[1])}","askPrice":"${eight(ask[0])}","askQty":"${eight(ask[1])}","openPrice":"${open}",${range},${volume},${tail}`;
  });
}

export const price = (query: Query): string =>
  forEach(
    query,
    (market) =>
      `{"symbol":"${market.symbol}","price":"${eight(market.trades.last()?.price ?? ZERO)}"}`,
  );

export const bookTicker = (query: Query): string =>
  forEach(query, (market) => {
    const { bid, ask } = market.best();
    return `{"symbol":"${market.symbol}","bidPrice":"${eight(bid[0])}","bidQty":"${eight(bid[1])}","askPrice":"${eight(ask[0])}","askQty":"${eight(ask[1])}"}`;
  });

export function avgPrice(query: Query): string {
  const market = query.market();
  const { price: mean, closeTimeUs } = average(market, query.now(market));
  return `{"mins":${AVERAGE_MINUTES},"price":"${mean}","closeTime":${query.time(closeTimeUs)}}`;
}

/** What was traded since `fromUs`, in whole minutes (hours, beyond a day). */
function since(market: Market, fromUs: number, nowUs: number): Bar {
  const interval = nowUs - fromUs > DAY_US ? hour : minute;
  const startUs = interval.startUs(fromUs);
  const sum = new Bar(startUs, nowUs, 0n);
  for (const { bar } of market.candles.bars(interval, { fromUs: startUs, limit: 10_000 })) {
    if (sum.trades === 0 && bar.trades === 0) {
      sum.open = sum.high = sum.low = sum.close = bar.close;
    }
    sum.merge(bar);
  }
  return sum;
}

function windowed(query: Query, fromUs: (market: Market) => number): string {
  const mini = isMini(query);
  if (query.text('symbol') === undefined && query.text('symbols') === undefined) {
    throw missing('symbol');
  }
  return forEach(query, (market) => {
    const nowUs = query.now(market);
    const bar = since(market, fromUs(market), nowUs);
    const change = bar.close - bar.open;
    const mean = bar.volume === 0n ? 0n : bar.quote / bar.volume;
    const head = mini
      ? ''
      : `"priceChange":"${fromScaled(change)}","priceChangePercent":"${percent(change, bar.open)}","weightedAvgPrice":"${fromScaled(mean)}",`;
    return `{"symbol":"${market.symbol}",${head}"openPrice":"${fromScaled(bar.open)}","highPrice":"${fromScaled(bar.high)}","lowPrice":"${fromScaled(bar.low)}","lastPrice":"${fromScaled(bar.close)}","volume":"${fromScaled(bar.volume)}","quoteVolume":"${fromScaled(bar.quote, SCALE, QUOTE_SCALE)}","openTime":${query.time(bar.startUs)},"closeTime":${query.time(nowUs)},"firstId":${bar.firstId || -1},"lastId":${bar.lastId || -1},"count":${bar.trades}}`;
  });
}

const windowForm = /^(?:([1-9]|[1-5]\d)m|([1-9]|1\d|2[0-3])h|([1-7])d)$/;

/** A window of any size up to seven days. */
export function window(query: Query): string {
  const match = windowForm.exec(query.text('windowSize') ?? '1d');
  if (!match) throw illegal('windowSize', '^([1-9]|[1-5]\\d)m|([1-9]|1\\d|2[0-3])h|[1-7]d$');
  const [, minutes = '0', hours = '0', days = '0'] = match;
  const us = Number(minutes) * MINUTE_US + Number(hours) * HOUR_US + Number(days) * DAY_US;
  return windowed(query, (market) => query.now(market) - us);
}

/** Since midnight of the time zone. */
export function tradingDay(query: Query): string {
  const cut = fixedInterval(DAY_US, -query.zoneUs());
  return windowed(query, (market) => cut.startUs(query.now(market)));
}
