/** Placeholder for lib/exchange/{binance,kraken}/write.ts and read.ts. */
import { crc32 } from 'node:zlib';
import type { BookChange, Level, Trade } from '../../market/event.ts';

const pairs = (levels: readonly Level[]): string => JSON.stringify(levels);
export const binanceTrade = (symbol: string, trade: Trade): string => {
  const ms = Math.floor(trade.timeUs / 1000);
  return `{"e":"trade","E":${ms},"s":"${symbol}","t":${trade.id},"p":"${trade.price}","q":"${trade.quantity}","T":${ms},"m":${trade.taker === 'sell'},"M":true}`;
};
export const binanceQuote = (symbol: string, id: number, bid: Level, ask: Level): string =>
  `{"u":${id},"s":"${symbol}","b":"${bid[0]}","B":"${bid[1]}","a":"${ask[0]}","A":"${ask[1]}"}`;
export const binanceDepth = (symbol: string, change: BookChange): string =>
  `{"e":"depthUpdate","E":${Math.floor(change.timeUs / 1000)},"s":"${symbol}","U":${change.firstId},"u":${change.lastId},"b":${pairs(change.bids)},"a":${pairs(change.asks)}}`;
export const binanceSnapshot = (
  id: number,
  bids: readonly Level[],
  asks: readonly Level[],
): string => `{"lastUpdateId":${id},"bids":${pairs(bids)},"asks":${pairs(asks)}}`;
export function readBinanceDepth(text: string): BookChange {
  const value = JSON.parse(text) as Record<string, never>;
  const snapshot = 'lastUpdateId' in value;
  return {
    kind: 'book',
    timeUs: 0,
    snapshot,
    firstId: snapshot ? value['lastUpdateId']! : value['U']!,
    lastId: snapshot ? value['lastUpdateId']! : value['u']!,
    bids: snapshot ? value['bids']! : value['b']!,
    asks: snapshot ? value['asks']! : value['a']!,
  };
}

export const rfc3339 = (timeUs: number): string =>
  `${new Date(Math.floor(timeUs / 1000)).toISOString().slice(0, 23)}${String(timeUs % 1000).padStart(3, '0')}Z`;
const numbers = (levels: readonly Level[]): string =>
  `[${levels.map(([price, qty]) => `{"price":${price},"qty":${qty}}`).join(',')}]`;
export const krakenBook = (symbol: string, change: BookChange): string =>
  `{"channel":"book","type":"${change.snapshot ? 'snapshot' : 'update'}","data":[{"symbol":"${symbol}","bids":${numbers(change.bids)},"asks":${numbers(change.asks)},"checksum":${change.checksum},"timestamp":"${rfc3339(change.timeUs)}"}]}`;
export const krakenTrade = (symbol: string, trades: readonly Trade[]): string =>
  `{"channel":"trade","type":"update","data":[${trades
    .map(
      (t) =>
        `{"symbol":"${symbol}","side":"${t.taker}","price":${t.price},"qty":${t.quantity},"ord_type":"${t.orderType ?? 'limit'}","trade_id":${t.id},"timestamp":"${rfc3339(t.timeUs)}"}`,
    )
    .join(',')}]}`;
const strip = (text: string): string => text.replace('.', '').replace(/^0+/, '');
export const checksum = (asks: readonly Level[], bids: readonly Level[]): number => {
  let text = '';
  for (const [price, qty] of asks.slice(0, 10)) text += strip(price) + strip(qty);
  for (const [price, qty] of bids.slice(0, 10)) text += strip(price) + strip(qty);
  return crc32(text);
};
export function readKrakenBook(text: string): BookChange {
  const quoted = text.replace(/"(price|qty)":([0-9.]+)/g, '"$1":"$2"');
  const frame = JSON.parse(quoted) as {
    type: string;
    data: {
      bids: { price: string; qty: string }[];
      asks: { price: string; qty: string }[];
      checksum: number;
    }[];
  };
  const data = frame.data[0]!;
  const level = (l: { price: string; qty: string }): Level => [l.price, l.qty];
  return {
    kind: 'book',
    timeUs: 0,
    snapshot: frame.type === 'snapshot',
    firstId: 0,
    lastId: 0,
    bids: data.bids.map(level),
    asks: data.asks.map(level),
    depth: 1000,
    checksum: data.checksum,
  };
}
