/**
 * Canonical market events: what one venue's payload becomes on its way to another venue's wire.
 * Prices and quantities are the exchange's decimal text. Times are Unix microseconds.
 */
export type Level = readonly [price: string, quantity: string];

export type Trade = {
  readonly kind: 'trade';
  readonly timeUs: number;
  /** The venue's id, digits. Rises by one a trade where the venue promises that. */
  readonly id: string;
  readonly price: string;
  readonly quantity: string;
  /** Who took: "buy" lifted an ask. */
  readonly taker: 'buy' | 'sell';
  readonly orderType?: 'limit' | 'market';
};

export type Quote = {
  readonly kind: 'quote';
  readonly timeUs: number;
  /** Same id space as the book's `lastId`; 0 where the venue has none. */
  readonly id: number;
  readonly bid: string;
  readonly bidQuantity: string;
  readonly ask: string;
  readonly askQuantity: string;
};

export type BookChange = {
  readonly kind: 'book';
  readonly timeUs: number;
  /** True: the levels are the whole book. False: each level's new absolute quantity, zero removes it. */
  readonly snapshot: boolean;
  /** First and last update id of the change; both 0 where the venue numbers nothing. */
  readonly firstId: number;
  readonly lastId: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** Levels a side that the venue keeps for this stream (Kraken); absent = unbounded. */
  readonly depth?: number;
  /** The venue's own checksum over the book after this change, where it sends one. */
  readonly checksum?: number;
};

/** One bar. `open`..`close` are decimal text. */
export type Candle = {
  readonly kind: 'candle';
  readonly intervalUs: number;
  readonly openTimeUs: number;
  readonly open: string;
  readonly high: string;
  readonly low: string;
  readonly close: string;
  /** In the base asset. */
  readonly volume: string;
  /** In the quote asset. */
  readonly quoteVolume: string;
  readonly takerBuyVolume: string;
  readonly takerBuyQuoteVolume: string;
  readonly trades: number;
  readonly firstTradeId: string;
  readonly lastTradeId: string;
  readonly closed: boolean;
};

export type MarketEvent = Trade | Quote | BookChange | Candle;
