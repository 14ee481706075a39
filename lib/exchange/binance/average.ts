/** Binance's average price: volume-weighted over the last five minutes, or the last price where nothing was traded. */
import { Bar } from '../../market/bar.ts';
import { fromScaled } from '../../market/decimal.ts';
import { MINUTE_US, fixedInterval } from '../../market/interval.ts';
import type { Market } from './market.ts';

export const AVERAGE_MINUTES = 5;
const minute = fixedInterval(MINUTE_US);

/** The average at `nowUs` and the time of the last trade in it, Unix microseconds. */
export function average(market: Market, nowUs: number): { price: string; closeTimeUs: number } {
  const fromUs = minute.startUs(nowUs) - (AVERAGE_MINUTES - 1) * MINUTE_US;
  const sum = new Bar(0, 0, 0n);
  for (const { bar } of market.candles.bars(minute, { fromUs, limit: AVERAGE_MINUTES + 1 })) {
    sum.merge(bar);
  }
  const last = market.trades.last();
  const price =
    sum.volume === 0n ? (last?.price ?? fromScaled(0n)) : fromScaled(sum.quote / sum.volume);
  return { price, closeTimeUs: last?.timeUs ?? nowUs };
}
