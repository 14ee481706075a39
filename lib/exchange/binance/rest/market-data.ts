/** Books, trades and klines over REST, as JSON text. */
import { fromScaled, toScaled } from '../../../market/decimal.ts';
import { QUOTE_SCALE, toCandle } from '../../../market/bar.ts';
import type { Trade } from '../../../market/event.ts';
import type { Market } from '../market.ts';
import type { AggTrade } from '../read.ts';
import { eight, writeSnapshot } from '../write.ts';
import { invalidCombination, invalidValue } from './error.ts';
import type { Query } from './query.ts';

const ROWS_MAX = 1000;
const list = (items: readonly string[]): string => `[${items.join(',')}]`;

/** A snapshot whose `lastUpdateId` is the `u` of the last diff that the streams have carried. */
export function depth(query: Query, settle: (market: Market) => void): string {
  const market = query.market();
  const limit = query.limit(100, 5000);
  settle(market);
  const { book } = market;
  return writeSnapshot(book.lastId, book.bids(limit), book.asks(limit));
}

const tradeRow = (query: Query, trade: Trade): string => {
  const quote = fromScaled(toScaled(trade.price) * toScaled(trade.quantity), 8, QUOTE_SCALE);
  return `{"id":${trade.id},"price":"${eight(trade.price)}","qty":"${eight(trade.quantity)}","quoteQty":"${quote}","time":${query.time(trade.timeUs)},"isBuyerMaker":${trade.taker === 'sell'},"isBestMatch":true}`;
};

export function trades(query: Query): string {
  const found = query.market().trades.newest(query.limit(500, ROWS_MAX));
  return list(found.map((trade) => tradeRow(query, trade)));
}

export function historicalTrades(query: Query): string {
  const market = query.market();
  const limit = query.limit(500, ROWS_MAX);
  const fromId = query.number('fromId');
  const id = query.text('fromId');
  const found =
    fromId === undefined || id === undefined
      ? market.trades.newest(limit)
      : market.trades.fromId(id.replace(/^0+(?=\d)/, ''), limit);
  return list(found.map((trade) => tradeRow(query, trade)));
}

const aggRow = (query: Query, trade: AggTrade): string =>
  `{"a":${trade.id},"p":"${eight(trade.price)}","q":"${eight(trade.quantity)}","f":${trade.firstId},"l":${trade.lastId},"T":${query.time(trade.timeUs)},"m":${trade.taker === 'sell'},"M":true}`;

export function aggTrades(query: Query): string {
  const { aggTrades: history } = query.market();
  const limit = query.limit(500, ROWS_MAX);
  const id = query.number('fromId') === undefined ? undefined : query.text('fromId');
  const fromUs = query.timeUs('startTime');
  const toUs = query.timeUs('endTime');
  let found: readonly AggTrade[];
  if (id !== undefined) {
    if (fromUs !== undefined || toUs !== undefined) throw invalidCombination();
    found = history.fromId(id.replace(/^0+(?=\d)/, ''), limit);
  } else if (fromUs !== undefined) {
    found = history.between(fromUs, inclusive(toUs)).slice(0, limit);
  } else if (toUs !== undefined) found = history.between(0, inclusive(toUs)).slice(-limit);
  else found = history.newest(limit);
  return list(found.map((trade) => aggRow(query, trade)));
}

/** An end time in milliseconds means the whole of that millisecond. */
const inclusive = (toUs: number | undefined): number =>
  toUs === undefined ? Infinity : toUs % 1000 === 0 ? toUs + 999 : toUs;

export function klines(query: Query): string {
  const market = query.market();
  const interval = query.interval();
  const limit = query.limit(500, 1000);
  const fromUs = query.timeUs('startTime');
  const toUs = query.timeUs('endTime');
  if (fromUs !== undefined && toUs !== undefined && toUs < fromUs) throw invalidValue('endTime');
  const bars = market.candles.bars(interval, { fromUs, toUs, limit });
  return list(
    bars.map(({ bar, closed }) => {
      const candle = toCandle(bar, closed);
      return `[${query.time(bar.startUs)},"${candle.open}","${candle.high}","${candle.low}","${candle.close}","${candle.volume}",${query.closing(bar.endUs)},"${candle.quoteVolume}",${bar.trades},"${candle.takerBuyVolume}","${candle.takerBuyQuoteVolume}","0"]`;
    }),
  );
}
