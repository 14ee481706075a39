/**
 * Channels of Kraken as logs are named after them.
 *
 *   channel = "trade" / "ticker" / "instrument" / "book-" depth / "ohlc-" minutes
 */
import { MINUTE_US, fixedInterval, type Interval } from '../../market/interval.ts';

export const depths = [10, 25, 100, 500, 1000] as const;
export const ohlcMinutes = [1, 5, 15, 30, 60, 240, 1440, 10080, 21600] as const;

export type Channel =
  | { readonly kind: 'trade' | 'ticker' | 'instrument' }
  | { readonly kind: 'book'; readonly depth: number }
  | { readonly kind: 'ohlc'; readonly minutes: number };

/** A log's channel; undefined where Kraken has none of that name. */
export function parseChannel(name: string): Channel | undefined {
  if (name === 'trade' || name === 'ticker' || name === 'instrument') return { kind: name };
  const dash = name.indexOf('-');
  const kind = name.slice(0, dash);
  const number = Number(name.slice(dash + 1));
  if (name !== `${kind}-${number}`) return undefined;
  if (kind === 'book')
    return depths.some((d) => d === number) ? { kind, depth: number } : undefined;
  if (kind !== 'ohlc') return undefined;
  return ohlcMinutes.some((m) => m === number) ? { kind, minutes: number } : undefined;
}

/** Candles of so many minutes; cuts count from the epoch, weeks too: they begin on Thursday here. */
export const ohlcInterval = (minutes: number): Interval => fixedInterval(minutes * MINUTE_US, 0);
