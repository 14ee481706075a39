/**
 * What trades add up to over a stretch of time: open, high, low, close, volumes, count, ids. Candles, rolling
 * statistics and every ticker are bars over different stretches. Exact: BigInt, prices and quantities of scale 8,
 * their products of scale 16, cut only when written out.
 */
import { fromScaled, toScaled } from './decimal.ts';
import type { Candle, Trade } from './event.ts';

/** Scale of a product of price and quantity. */
export const QUOTE_SCALE = 16;

/** A trade ready for adding up: parsed once, then added to every bar that wants it. */
export type TradeValue = {
  readonly timeUs: number;
  readonly firstId: string;
  readonly lastId: string;
  /** How many trades it stands for: 1, or more for an aggregate. */
  readonly count: number;
  readonly price: bigint;
  readonly quantity: bigint;
  /** price x quantity, scale 16. */
  readonly quote: bigint;
  readonly takerBuys: boolean;
};

/** A trade's text as numbers to add up. Throws TypeError where price or quantity is not a decimal. */
export function tradeValue(trade: Trade): TradeValue {
  const price = toScaled(trade.price);
  const quantity = toScaled(trade.quantity);
  return {
    timeUs: trade.timeUs,
    firstId: trade.id,
    lastId: trade.id,
    count: 1,
    price,
    quantity,
    quote: price * quantity,
    takerBuys: trade.taker === 'buy',
  };
}

export class Bar {
  readonly startUs: number;
  /** First microsecond that no longer belongs to it. */
  readonly endUs: number;
  open: bigint;
  high: bigint;
  low: bigint;
  close: bigint;
  volume = 0n;
  quote = 0n;
  takerVolume = 0n;
  takerQuote = 0n;
  trades = 0;
  /** Ids of the first and last trade; "" in an empty bar. */
  firstId = '';
  lastId = '';

  /** An empty bar stands at the price before it. */
  constructor(startUs: number, endUs: number, price: bigint) {
    this.startUs = startUs;
    this.endUs = endUs;
    this.open = price;
    this.high = price;
    this.low = price;
    this.close = price;
  }

  add(trade: TradeValue): void {
    const { price } = trade;
    if (this.trades === 0) {
      this.open = this.high = this.low = price;
      this.firstId = trade.firstId;
    } else if (price > this.high) this.high = price;
    else if (price < this.low) this.low = price;
    this.close = price;
    this.volume += trade.quantity;
    this.quote += trade.quote;
    if (trade.takerBuys) {
      this.takerVolume += trade.quantity;
      this.takerQuote += trade.quote;
    }
    this.trades += trade.count;
    this.lastId = trade.lastId;
  }

  /** Adds a later bar to this one. An empty one changes nothing. */
  merge(later: Bar): void {
    if (later.trades === 0) return;
    if (this.trades === 0) {
      this.open = later.open;
      this.high = later.high;
      this.low = later.low;
      this.firstId = later.firstId;
    } else {
      if (later.high > this.high) this.high = later.high;
      if (later.low < this.low) this.low = later.low;
    }
    this.close = later.close;
    this.volume += later.volume;
    this.quote += later.quote;
    this.takerVolume += later.takerVolume;
    this.takerQuote += later.takerQuote;
    this.trades += later.trades;
    this.lastId = later.lastId;
  }

  copy(): Bar {
    const copy = new Bar(this.startUs, this.endUs, this.open);
    copy.merge(this);
    return copy;
  }
}

/** A bar as a canonical candle; decimals written with 8 digits. */
export const toCandle = (bar: Bar, closed: boolean): Candle => ({
  kind: 'candle',
  intervalUs: bar.endUs - bar.startUs,
  openTimeUs: bar.startUs,
  open: fromScaled(bar.open),
  high: fromScaled(bar.high),
  low: fromScaled(bar.low),
  close: fromScaled(bar.close),
  volume: fromScaled(bar.volume),
  quoteVolume: fromScaled(bar.quote, 8, QUOTE_SCALE),
  takerBuyVolume: fromScaled(bar.takerVolume),
  takerBuyQuoteVolume: fromScaled(bar.takerQuote, 8, QUOTE_SCALE),
  trades: bar.trades,
  firstTradeId: bar.firstId,
  lastTradeId: bar.lastId,
  closed,
});

/** A candle that somebody else made, as a bar. */
export function fromCandle(candle: Candle): Bar {
  const bar = new Bar(
    candle.openTimeUs,
    candle.openTimeUs + candle.intervalUs,
    toScaled(candle.open),
  );
  bar.high = toScaled(candle.high);
  bar.low = toScaled(candle.low);
  bar.close = toScaled(candle.close);
  bar.volume = toScaled(candle.volume);
  bar.quote = toScaled(candle.quoteVolume, QUOTE_SCALE);
  bar.takerVolume = toScaled(candle.takerBuyVolume);
  bar.takerQuote = toScaled(candle.takerBuyQuoteVolume, QUOTE_SCALE);
  bar.trades = candle.trades;
  bar.firstId = candle.firstTradeId;
  bar.lastId = candle.lastTradeId;
  return bar;
}
