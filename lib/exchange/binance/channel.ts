/**
 * Names of what can be had. A log's channel is the stream's name without symbol and speed; a stream's name is what a
 * client subscribes, and at once the topic under which it is published.
 *
 *   channel = "trade" / "aggTrade" / "bookTicker" / "depth" / "kline_" interval
 *   stream  = symbol "@" kind / "!miniTicker@arr"                   ; symbol in lower case
 *   kind    = "trade" / "aggTrade" / "bookTicker" / "ticker" / "miniTicker" / "avgPrice"
 *           / "depth" [ "5" / "10" / "20" ] [ "@100ms" / "@1000ms" ] / "kline_" interval [ "@+08:00" ]
 *
 * A log's "depth" holds the 100 ms diffs and REST snapshots, as they arrived.
 */
import type { Interval } from '../../market/interval.ts';
import { intervalNames, intervalOf, zoneUsOf } from './interval.ts';

const channels = new Set(['trade', 'aggTrade', 'bookTicker', 'depth']);

/** True for a channel that a log of Binance can have. */
export const isChannel = (channel: string): boolean =>
  channels.has(channel) ||
  (channel.startsWith('kline_') && intervalNames.includes(channel.slice('kline_'.length)));

/** A stream that clients can subscribe, taken apart. `name` is the topic. */
export type Stream = { readonly name: string; readonly symbol: string } & (
  | {
      readonly kind: 'trade' | 'aggTrade' | 'bookTicker' | 'ticker' | 'miniTicker' | 'avgPrice';
    }
  | { readonly kind: 'miniTickers' }
  | { readonly kind: 'depth'; readonly everyMs: 100 | 1000 }
  | { readonly kind: 'partial'; readonly levels: number; readonly everyMs: 100 | 1000 }
  | {
      readonly kind: 'kline';
      readonly intervalName: string;
      readonly zoned: boolean;
      readonly interval: Interval;
    }
);

export const MINI_TICKERS = '!miniTicker@arr';
const plainKinds = ['trade', 'aggTrade', 'bookTicker', 'ticker', 'miniTicker', 'avgPrice'] as const;
const depthForm = /^depth(5|10|20)?(?:@(100|1000)ms)?$/;
const klineForm = /^kline_(\d{1,2}[a-zA-Z])(?:@([+-]\d{2}:\d{2}))?$/;

/** Takes a stream's name apart; undefined where there is no such stream. Whether the symbol is served is not asked. */
export function parseStream(name: string): Stream | undefined {
  if (name === MINI_TICKERS) return { name, symbol: '', kind: 'miniTickers' };
  const at = name.indexOf('@');
  if (at <= 0 || at > 40) return undefined;
  const lower = name.slice(0, at);
  const symbol = lower.toUpperCase();
  if (lower !== lower.toLowerCase()) return undefined;
  const rest = name.slice(at + 1);
  const plain = plainKinds.find((kind) => kind === rest);
  if (plain) return { name, symbol, kind: plain };
  const depth = depthForm.exec(rest);
  if (depth) {
    const everyMs = depth[2] === '100' ? 100 : 1000;
    if (depth[1]) return { name, symbol, kind: 'partial', levels: Number(depth[1]), everyMs };
    return { name, symbol, kind: 'depth', everyMs };
  }
  const kline = klineForm.exec(rest);
  if (!kline) return undefined;
  const [, intervalName = '', zone] = kline;
  const zoneUs = zone === undefined ? 0 : zoneUsOf(zone);
  const interval = zoneUs === undefined ? undefined : intervalOf(intervalName, zoneUs);
  const zoned = zone !== undefined;
  return interval && { name, symbol, kind: 'kline', intervalName, zoned, interval };
}
