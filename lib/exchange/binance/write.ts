/**
 * Canonical values as Binance writes them on its streams: its key order, decimals as strings with 8 digits, ids and
 * times as bare integers, no blanks. Times here are milliseconds; `time-unit.ts` widens them for who wants more.
 */
import { withDecimals } from '../../market/decimal.ts';
import type { Candle, Level, Trade } from '../../market/event.ts';
import type { RollingStats } from '../../market/rolling.ts';
import type { AggTrade } from './read.ts';

/** Unix microseconds as the milliseconds of a payload. */
export const toMs = (timeUs: number): number => Math.floor(timeUs / 1000);
/** Any decimal text with Binance's 8 digits. */
export const eight = (text: string): string => withDecimals(text, 8);
/** Ids of a bar without trades are -1. */
const idOr = (id: string): string => id || '-1';

const levels = (list: readonly Level[]): string => {
  let text = '[';
  for (let i = 0; i < list.length; i++) {
    const [price, quantity] = list[i]!;
    text += `${i === 0 ? '' : ','}["${eight(price)}","${eight(quantity)}"]`;
  }
  return `${text}]`;
};

export const writeTrade = (symbol: string, eventMs: number, trade: Trade): string =>
  `{"e":"trade","E":${eventMs},"s":"${symbol}","t":${trade.id},"p":"${eight(trade.price)}","q":"${eight(trade.quantity)}","T":${toMs(trade.timeUs)},"m":${trade.taker === 'sell'},"M":true}`;

export const writeAggTrade = (symbol: string, eventMs: number, trade: AggTrade): string =>
  `{"e":"aggTrade","E":${eventMs},"s":"${symbol}","a":${trade.id},"p":"${eight(trade.price)}","q":"${eight(trade.quantity)}","f":${trade.firstId},"l":${trade.lastId},"T":${toMs(trade.timeUs)},"m":${trade.taker === 'sell'},"M":true}`;

export type DepthDiff = {
  readonly firstId: number;
  readonly lastId: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
};

export const writeDepth = (symbol: string, eventMs: number, diff: DepthDiff): string =>
  `{"e":"depthUpdate","E":${eventMs},"s":"${symbol}","U":${diff.firstId},"u":${diff.lastId},"b":${levels(diff.bids)},"a":${levels(diff.asks)}}`;

/** A partial book stream and the REST snapshot have the same form. */
export const writeSnapshot = (
  lastId: number,
  bids: readonly Level[],
  asks: readonly Level[],
): string => `{"lastUpdateId":${lastId},"bids":${levels(bids)},"asks":${levels(asks)}}`;

export const writeBookTicker = (symbol: string, id: number, bid: Level, ask: Level): string =>
  `{"u":${id},"s":"${symbol}","b":"${eight(bid[0])}","B":"${eight(bid[1])}","a":"${eight(ask[0])}","A":"${eight(ask[1])}"}`;

export const writeKline = (
  symbol: string,
  eventMs: number,
  intervalName: string,
  candle: Candle,
): string =>
  `{"e":"kline","E":${eventMs},"s":"${symbol}","k":{"t":${toMs(candle.openTimeUs)},"T":${toMs(candle.openTimeUs + candle.intervalUs) - 1},"s":"${symbol}","i":"${intervalName}","f":${idOr(candle.firstTradeId)},"L":${idOr(candle.lastTradeId)},"o":"${candle.open}","c":"${candle.close}","h":"${candle.high}","l":"${candle.low}","v":"${candle.volume}","n":${candle.trades},"x":${candle.closed},"q":"${candle.quoteVolume}","V":"${candle.takerBuyVolume}","Q":"${candle.takerBuyQuoteVolume}","B":"0"}}`;

/** Best bid and ask of a ticker; zeros where there is no book. */
export type Best = { readonly bid: Level; readonly ask: Level };

export const writeTicker = (
  symbol: string,
  eventMs: number,
  stats: RollingStats,
  { bid, ask }: Best,
): string =>
  `{"e":"24hrTicker","E":${eventMs},"s":"${symbol}","p":"${stats.change}","P":"${stats.changePercent}","w":"${stats.vwap}","x":"${stats.previousClose}","c":"${stats.last}","Q":"${stats.lastQuantity}","b":"${eight(bid[0])}","B":"${eight(bid[1])}","a":"${eight(ask[0])}","A":"${eight(ask[1])}","o":"${stats.open}","h":"${stats.high}","l":"${stats.low}","v":"${stats.volume}","q":"${stats.quoteVolume}","O":${toMs(stats.openTimeUs)},"C":${toMs(stats.closeTimeUs)},"F":${idOr(stats.firstTradeId)},"L":${idOr(stats.lastTradeId)},"n":${stats.trades}}`;

export const writeMiniTicker = (symbol: string, eventMs: number, stats: RollingStats): string =>
  `{"e":"24hrMiniTicker","E":${eventMs},"s":"${symbol}","c":"${stats.last}","o":"${stats.open}","h":"${stats.high}","l":"${stats.low}","v":"${stats.volume}","q":"${stats.quoteVolume}"}`;

export const writeAvgPrice = (
  symbol: string,
  eventMs: number,
  price: string,
  lastTradeMs: number,
): string =>
  `{"e":"avgPrice","E":${eventMs},"s":"${symbol}","i":"5m","w":"${price}","T":${lastTradeMs}}`;
