/**
 * Frames of Kraken's WebSocket v2, written: keys in Kraken's order, numbers bare, with all their digits. Written by
 * hand since JSON.stringify cannot write `0.00100000`. What goes in as a number must be decimal text already.
 */
import type { Level, Trade } from '../../market/event.ts';
import { formatTimeUs } from './time.ts';

export const HEARTBEAT = '{"channel":"heartbeat"}';

function levels(of: readonly Level[]): string {
  let text = '';
  for (let i = 0; i < of.length; i++) {
    text += `${i === 0 ? '' : ','}{"price":${of[i]![0]},"qty":${of[i]![1]}}`;
  }
  return text;
}

/** A book frame; `timestamp` as RFC 3339. */
export const writeBook = (
  type: 'snapshot' | 'update',
  symbol: string,
  bids: readonly Level[],
  asks: readonly Level[],
  checksum: number,
  timestamp: string,
): string =>
  `{"channel":"book","type":"${type}","data":[{"symbol":"${symbol}","bids":[${levels(bids)}],` +
  `"asks":[${levels(asks)}],"checksum":${checksum},"timestamp":"${timestamp}"}]}`;

const tradeRow = (symbol: string, trade: Trade): string =>
  `{"symbol":"${symbol}","side":"${trade.taker}","price":${trade.price},"qty":${trade.quantity},` +
  `"ord_type":"${trade.orderType ?? 'market'}","trade_id":${trade.id},"timestamp":"${formatTimeUs(trade.timeUs)}"}`;

/** A trade frame, oldest first. */
export const writeTrades = (
  type: 'snapshot' | 'update',
  symbol: string,
  trades: readonly Trade[],
): string =>
  `{"channel":"trade","type":"${type}","data":[${trades.map((trade) => tradeRow(symbol, trade)).join(',')}]}`;

export type TickerRow = {
  readonly bid: string;
  readonly bidQuantity: string;
  readonly ask: string;
  readonly askQuantity: string;
  readonly last: string;
  readonly volume: string;
  readonly vwap: string;
  readonly low: string;
  readonly high: string;
  readonly change: string;
  readonly changePercent: string;
  readonly trades: number;
  readonly timeUs: number;
};

export const writeTicker = (type: 'snapshot' | 'update', symbol: string, row: TickerRow): string =>
  `{"channel":"ticker","type":"${type}","data":[{"symbol":"${symbol}","bid":${row.bid},"bid_qty":${row.bidQuantity},` +
  `"ask":${row.ask},"ask_qty":${row.askQuantity},"last":${row.last},"volume":${row.volume},"vwap":${row.vwap},` +
  `"low":${row.low},"high":${row.high},"change":${row.change},"change_pct":${row.changePercent},` +
  `"trades":${row.trades},"timestamp":"${formatTimeUs(row.timeUs)}"}]}`;

export type OhlcRow = {
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  readonly trades: number;
  readonly volume: string;
  readonly vwap: string;
  readonly startUs: number;
  readonly endUs: number;
};

const ohlcRow = (symbol: string, minutes: number, row: OhlcRow): string =>
  `{"symbol":"${symbol}","open":${row.open},"high":${row.high},"low":${row.low},"close":${row.close},` +
  `"trades":${row.trades},"volume":${row.volume},"vwap":${row.vwap},` +
  `"interval_begin":"${formatTimeUs(row.startUs, 9)}","interval":${minutes},"timestamp":"${formatTimeUs(row.endUs)}"}`;

/** An ohlc frame, oldest candle first; `timeUs` is when it was made. */
export const writeOhlc = (
  type: 'snapshot' | 'update',
  symbol: string,
  minutes: number,
  rows: readonly OhlcRow[],
  timeUs: number,
): string =>
  `{"channel":"ohlc","type":"${type}","timestamp":"${formatTimeUs(timeUs, 9)}",` +
  `"data":[${rows.map((row) => ohlcRow(symbol, minutes, row)).join(',')}]}`;

/** Kraken's engine, as the status channel names it. */
export type EngineState = 'online' | 'cancel_only' | 'maintenance' | 'post_only';

/** `connectionId` is digits: it exceeds 2^53. */
export const writeStatus = (system: EngineState, connectionId: string): string =>
  `{"channel":"status","type":"update","data":[{"version":"2.0.10","system":"${system}","api_version":"v2",` +
  `"connection_id":${connectionId}}]}`;
