/**
 * One instrument as Kraken serves it: records of any venue in, the channels' messages out. Kraken's own frames are read
 * for what they say and passed on as they are; those of other venues come as canonical events and are written anew,
 * prices with the instrument's digits (more where a price needs them), quantities with eight.
 */
import { fromCandle, tradeValue, type TradeValue } from '../../market/bar.ts';
import { BookSync } from '../../market/book-sync.ts';
import { significantDecimals } from '../../market/decimal.ts';
import type { BookChange, Level, MarketEvent, Quote, Trade } from '../../market/event.ts';
import type { Instrument } from '../../market/instrument.ts';
import type { Broadcast, Reader, VenueRecord } from '../exchange.ts';
import { Books, type BookSource } from './books.ts';
import { parseChannel } from './channel.ts';
import { QUANTITY_DECIMALS, decimalsOf, fixed } from './digits.ts';
import { Ohlc } from './ohlc.ts';
import { readBook, readCandles, readTrades } from './read.ts';
import { v2Symbol } from './symbol.ts';
import { Ticker } from './ticker.ts';
import { parseTimeUs } from './time.ts';
import { Trades } from './trades.ts';

/** Marks after which a stream does not go on where it stopped. */
const cuts = new Set(['disconnect', 'gap', 'loop']);

type Intake = (payload: Buffer, timeUs: number, live: boolean) => void;

export class Market {
  readonly instrument: Instrument;
  readonly symbol: string;
  readonly books: Books;
  readonly trades: Trades;
  readonly ticker: Ticker;
  readonly ohlc: Ohlc;
  #priceDecimals: number;
  #timeUs = 0;
  readonly #readers: Readonly<Record<string, Reader>>;
  readonly #intakes = new Map<string, Intake>();
  readonly #syncs = new Map<string, BookSync>();
  /** The log whose trades count: two logs of one market (trade, aggTrade) hold the same trades twice. */
  #tradeLog = '';
  /** True while candles of another venue stand in for trades that are not there. */
  #candles = false;
  /** True once another venue's quotes came: they are finer than the best levels of its book. */
  #quoted = false;

  constructor(
    instrument: Instrument,
    broadcast: Broadcast,
    readers: Readonly<Record<string, Reader>>,
  ) {
    this.instrument = instrument;
    this.symbol = v2Symbol(instrument);
    this.#priceDecimals = instrument.priceDecimals;
    this.#readers = readers;
    const decimals = (): number => this.#priceDecimals;
    this.books = new Books(this.symbol, broadcast);
    this.trades = new Trades(this.symbol, broadcast);
    this.ticker = new Ticker(this.symbol, broadcast, decimals, () => this.#timeUs);
    this.ohlc = new Ohlc(this.symbol, broadcast, decimals);
  }

  /** Digits after the point of a price: the instrument's, or more where more were seen. */
  get priceDecimals(): number {
    return this.#priceDecimals;
  }

  /**
   * The market's clock, Unix microseconds: the newest event time of a trade or a book. Records that carry no event
   * time do not count: in a replay, receive times may lie years away from what the payloads say.
   */
  get timeUs(): number {
    return this.#timeUs;
  }

  #saw(timeUs: number): void {
    if (timeUs > this.#timeUs) this.#timeUs = timeUs;
  }

  record(record: VenueRecord, live: boolean): void {
    if (record.mark !== undefined) this.#mark(record);
    else if (record.exchange === 'kraken') this.#own(record, live);
    else this.#foreign(record, live);
  }

  #mark({ exchange, channel, mark }: VenueRecord): void {
    if (!cuts.has(mark!)) return;
    this.#syncs.get(`${exchange}/${channel}`)?.reset();
    if (mark === 'loop') this.#timeUs = 0;
    if (mark !== 'loop' || this.#tradeLog !== `${exchange}/${channel}`) return;
    this.trades.reset();
    this.ohlc.reset();
    this.ticker.reset();
  }

  #own({ channel, payload, timeUs }: VenueRecord, live: boolean): void {
    let intake = this.#intakes.get(channel);
    if (!intake) this.#intakes.set(channel, (intake = this.#intake(channel)));
    intake(payload, timeUs, live);
  }

  /** What to do with the records of one of Kraken's own channels. */
  #intake(name: string): Intake {
    const channel = parseChannel(name);
    const log = `kraken/${name}`;
    switch (channel?.kind) {
      case 'book': {
        const source = this.books.source(log, channel.depth, true);
        return (payload, timeUs, live) => this.#frame(source, payload, timeUs, live);
      }
      case 'trade':
        return (payload, timeUs, live) =>
          this.#traded(log, readTrades(payload.toString('latin1'), timeUs), live, payload);
      case 'ohlc':
        return (payload, timeUs, live) => {
          const bars = readCandles(payload.toString('latin1'), timeUs).map(fromCandle);
          this.ohlc.recorded(channel.minutes, bars, live, payload);
        };
      case 'ticker':
        return (payload, _timeUs, live) => this.ticker.recorded(payload, live);
      case 'instrument':
      case undefined:
        return () => {};
    }
  }

  #frame(source: BookSource, payload: Buffer, timeUs: number, live: boolean): void {
    const frame = readBook(payload.toString('latin1'));
    if (!frame) return;
    const atUs = parseTimeUs(frame.timestamp) ?? timeUs;
    this.#saw(atUs);
    this.books.apply(source, frame, atUs, frame.timestamp, live, payload);
    this.#widen(frame.bids[0] ?? frame.asks[0]);
    this.#best(source, live);
  }

  #foreign({ exchange, channel, payload, timeUs }: VenueRecord, live: boolean): void {
    const events = this.#readers[exchange]?.(channel, payload, timeUs) ?? [];
    const log = `${exchange}/${channel}`;
    const trades: Trade[] = [];
    for (const event of events) {
      if (event.kind === 'trade') trades.push(this.#written(event));
      else this.#event(log, event, live);
    }
    if (trades.length > 0) this.#traded(log, trades, live, undefined);
  }

  #event(log: string, event: Exclude<MarketEvent, Trade>, live: boolean): void {
    switch (event.kind) {
      case 'book':
        return this.#changed(log, event, live);
      case 'quote':
        this.#quoted = true;
        return this.ticker.quote(this.#quote(event), live);
      case 'candle':
        // Where there are trades, candles come from them: both would tell each candle twice, and differently.
        if (this.#tradeLog !== '') return;
        this.#candles = true;
        return this.ohlc.put(event.intervalUs, fromCandle(event), event.closed, live);
    }
  }

  #changed(log: string, change: BookChange, live: boolean): void {
    let sync = this.#syncs.get(log);
    if (!sync) this.#syncs.set(log, (sync = new BookSync()));
    const source = this.books.source(log, change.depth ?? Infinity, false);
    for (const { snapshot, bids, asks, timeUs } of sync.take(change)) {
      if (!snapshot) this.#saw(timeUs);
      const update = { snapshot, bids: this.#levels(bids), asks: this.#levels(asks) };
      this.books.apply(source, update, timeUs, '', live, undefined);
    }
    if (!this.#quoted) this.#best(source, live);
  }

  #best(source: BookSource, live: boolean): void {
    const { book } = source;
    if (book !== this.books.nearest) return;
    const bid = book.bids.entries[0];
    const ask = book.asks.entries[0];
    if (!bid || !ask) return;
    const { timeUs } = book;
    this.ticker.quote(
      {
        bid: bid.price,
        bidQuantity: bid.quantity,
        ask: ask.price,
        askQuantity: ask.quantity,
        timeUs,
      },
      live,
    );
  }

  #traded(log: string, trades: readonly Trade[], live: boolean, payload: Buffer | undefined): void {
    if (this.#tradeLog === '' || log.endsWith('/trade')) this.#tradeLog = log;
    if (this.#tradeLog !== log) return;
    if (this.#candles) {
      this.#candles = false;
      this.ohlc.reset();
    }
    this.#saw(trades.at(-1)?.timeUs ?? 0);
    const fresh = this.trades.apply(trades, live, payload);
    const values: TradeValue[] = fresh.map(tradeValue);
    this.ohlc.apply(values, live);
    this.ticker.trades(values, live);
  }

  /** Makes room for a price's digits; a Kraken frame writes all that it has, another venue's zeros mean nothing. */
  #widen(level: Level | undefined): void {
    if (level) this.#priceDecimals = Math.max(this.#priceDecimals, decimalsOf(level[0]));
  }

  #price(text: string): string {
    const decimals = significantDecimals(text);
    if (decimals > this.#priceDecimals) this.#priceDecimals = decimals;
    return fixed(text, this.#priceDecimals);
  }

  #levels(levels: readonly Level[]): Level[] {
    return levels.map(([price, quantity]) => [
      this.#price(price),
      fixed(quantity, QUANTITY_DECIMALS),
    ]);
  }

  #written(trade: Trade): Trade {
    const price = this.#price(trade.price);
    return { ...trade, price, quantity: fixed(trade.quantity, QUANTITY_DECIMALS) };
  }

  #quote(quote: Quote) {
    const { bid, bidQuantity, ask, askQuantity } = quote;
    const timeUs = this.#timeUs || quote.timeUs;
    return { bid: this.#price(bid), bidQuantity, ask: this.#price(ask), askQuantity, timeUs };
  }
}
