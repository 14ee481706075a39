/**
 * What trades add up to: lists for REST, candles, the rolling day, aggregates. A trade that could be scanned goes the
 * quick way, in numbers, put together by the second; candles and the day get each second's sum when it is over or when
 * somebody looks. The first trade that does not fit (ids beyond 2^53, other decimals, quantities of tens of millions)
 * turns all of it, for good, to objects and BigInts.
 */
import { tradeValue, type TradeValue } from '../../market/bar.ts';
import { Candles } from '../../market/candles.ts';
import type { Trade } from '../../market/event.ts';
import { Rolling } from '../../market/rolling.ts';
import { Tally, fits } from '../../market/tally.ts';
import { SECOND_US } from '../../market/interval.ts';
import { Aggregator } from './aggregate.ts';
import { History, type TradeList } from './history.ts';
import { QuickAggregator } from './quick-aggregate.ts';
import { QuickHistory } from './quick-history.ts';
import type { AggTrade } from './read.ts';
import type { TradeScan } from './trade-scan.ts';

/** The slow way: what the lists and the aggregator are once something did not fit. */
type Exact = {
  readonly trades: History<Trade>;
  readonly aggTrades: History<AggTrade>;
  readonly aggregator: Aggregator;
};

/** Told of each aggregate that is complete; `read` makes its object. */
export type OnAggregate = (read: () => AggTrade) => void;

export class Tape {
  #candles = new Candles();
  #day = new Rolling();
  readonly #tally = new Tally();
  #trades = new QuickHistory();
  #aggTrades = new QuickHistory();
  #aggregator = new QuickAggregator();
  #exact: Exact | undefined;
  /** When the next candle can end, Unix microseconds. */
  #dueUs = 0;
  readonly #onAggregate: OnAggregate;
  readonly #newestAggregate = (): AggTrade => this.#aggTrades.last()!;

  constructor(onAggregate: OnAggregate) {
    this.#onAggregate = onAggregate;
  }

  get trades(): TradeList<Trade> {
    return this.#exact?.trades ?? this.#trades;
  }
  get aggTrades(): TradeList<AggTrade> {
    return this.#exact?.aggTrades ?? this.#aggTrades;
  }
  get candles(): Candles {
    this.#settle();
    return this.#candles;
  }
  get day(): Rolling {
    this.#settle();
    return this.#day;
  }

  /** Hands on the running second. */
  #settle(): void {
    const tally = this.#tally;
    if (tally.trades === 0) return;
    const { startUs, lastUs, lastQuantity } = tally;
    const bar = tally.take();
    this.#candles.trades(bar, startUs);
    this.#day.trades(bar, startUs, lastUs, BigInt(lastQuantity));
  }

  /** Takes a scanned trade received at `nowUs`; false where it does not fit. `aggregate`: no log has aggregates. */
  scanned(trade: TradeScan, nowUs: number, aggregate: boolean): boolean {
    if (!this.#add(trade)) return false;
    this.#trades.push(trade.id, trade);
    if (aggregate && this.#aggregator.add(trade, nowUs)) this.#complete();
    return true;
  }

  /** Takes a scanned aggregate; false where it does not fit. `alone`: no log has single trades. */
  scannedAggregate(trade: TradeScan, alone: boolean): boolean {
    if (alone ? !this.#add(trade) : this.#exact !== undefined) return false;
    this.#aggTrades.push(trade.id, trade);
    if (alone) this.#trades.push(trade.lastId, trade);
    return true;
  }

  #add(trade: TradeScan): boolean {
    if (this.#exact !== undefined || !fits(trade.price, trade.quantity)) return false;
    const tally = this.#tally;
    if (!tally.takes(trade.timeUs)) this.#settle();
    const first = tally.trades === 0;
    if (!tally.add(trade)) {
      this.#settle();
      tally.add(trade);
    }
    if (first && tally.endUs < this.#dueUs) this.#dueUs = tally.endUs;
    return true;
  }

  /** The quick aggregate has come to its end. */
  #complete(): void {
    const { complete } = this.#aggregator;
    this.#aggTrades.push(complete.id, complete);
    this.#onAggregate(this.#newestAggregate);
  }

  /** Takes any trade received at `nowUs`. Throws TypeError where it is none. */
  trade(trade: Trade, nowUs: number, aggregate: boolean): void {
    const value = tradeValue(trade);
    const { trades, aggregator } = this.#slow();
    this.#count(value);
    trades.push(trade);
    const complete = aggregate ? aggregator.add(trade, nowUs) : undefined;
    if (complete) this.#completed(complete);
  }

  /** Takes any aggregate. Throws TypeError where it is none. */
  aggTrade(trade: AggTrade, alone: boolean): void {
    const value = tradeValue(trade);
    const { trades, aggTrades } = this.#slow();
    aggTrades.push(trade);
    if (!alone) return;
    const { firstId, lastId } = trade;
    const count = Number(BigInt(lastId) - BigInt(firstId)) + 1;
    this.#count({ ...value, firstId, lastId, count });
    trades.push({ ...trade, id: lastId });
  }

  #count(value: TradeValue): void {
    this.#dueUs = 0;
    this.#candles.trade(value);
    this.#day.trade(value);
  }

  #completed(trade: AggTrade): void {
    this.#slow().aggTrades.push(trade);
    this.#onAggregate(() => trade);
  }

  /** Ends the running aggregate if it is complete by receive time. */
  flush(nowUs: number): void {
    if (this.#exact === undefined) {
      if (this.#aggregator.flush(nowUs)) this.#complete();
      return;
    }
    const { aggregator } = this.#exact;
    const complete = aggregator.isOver(nowUs) ? aggregator.flush() : undefined;
    if (complete) this.#completed(complete);
  }

  /** Closes candles by time. */
  tick(nowUs: number): void {
    if (nowUs < this.#dueUs) return;
    // Candles end on whole seconds, and those that end earlier than that begin with a trade.
    this.#dueUs = (Math.floor(nowUs / SECOND_US) + 1) * SECOND_US;
    this.candles.tick(nowUs);
  }

  /** Goes over to the slow way. */
  #slow(): Exact {
    if (this.#exact !== undefined) return this.#exact;
    this.#settle();
    const exact: Exact = {
      trades: new History(),
      aggTrades: new History(),
      aggregator: this.#aggregator.toAggregator(),
    };
    for (const trade of this.#trades.newest(Infinity)) exact.trades.push(trade);
    for (const trade of this.#aggTrades.newest(Infinity)) exact.aggTrades.push(trade);
    this.#trades.clear();
    this.#aggTrades.clear();
    this.#exact = exact;
    return exact;
  }

  /** The source begins again. */
  restart(): void {
    if (this.#tally.trades > 0) this.#tally.take();
    this.#candles = new Candles();
    this.#day = new Rolling();
    this.#trades.clear();
    this.#aggTrades.clear();
    this.#aggregator = new QuickAggregator();
    if (this.#exact === undefined) return;
    const aggregator = new Aggregator();
    this.#exact = { trades: new History(), aggTrades: new History(), aggregator };
  }
}
