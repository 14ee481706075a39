/** The public surface, in the order in which a market event flows. */
export { TickmeshError, errorCodes, type ErrorCode } from './world/error.ts';
export { realClock, type Clock } from './world/clock.ts';

export type { Instrument } from './market/instrument.ts';
export type { BookChange, Candle, Level, MarketEvent, Quote, Trade } from './market/event.ts';
export { OrderBook } from './market/order-book.ts';

export type { Source, SourceContext, SourceRecord } from './source/source.ts';
export { Fetcher } from './fetcher/fetcher.ts';
export type { FetcherOptions } from './fetcher/options.ts';

export { logName, type LogName } from './log/name.ts';

export { openFeed, type Feed } from './feed/feed.ts';
export { eventReader } from './feed/events.ts';
export type { FeedOptions, FeedStats, Idle } from './feed/options.ts';
export type { From } from './feed/record.ts';
export type { Cursor, FeedBatch, FeedEvent, FeedRecord } from './feed/record.ts';
