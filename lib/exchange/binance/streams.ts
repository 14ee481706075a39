/**
 * The streams that go by time: tickers, klines, average price, partial books and diffs of a second. Only topics that
 * a client has asked for are looked at, and only while someone has them joined.
 *
 *   every 1000 ms: ticker, miniTicker, !miniTicker@arr (changed symbols only), avgPrice, kline_1s, depth, depth<n>
 *   every 2000 ms: the other klines
 *   as it happens: a closed kline ("x":true), once
 */
import type { Broadcast } from '../exchange.ts';
import { average } from './average.ts';
import { MINI_TICKERS, parseStream, type Stream } from './channel.ts';
import type { Market } from './market.ts';
import { toMs, writeAvgPrice, writeKline, writeMiniTicker, writeTicker } from './write.ts';

const SECOND_MS = 1000;
const SLOW_MS = 2000;

type Active = {
  readonly stream: Stream;
  /** Open time of the newest kline that was published as closed; klines before it are history. */
  closedUs: number;
};

export class TimedStreams {
  readonly #markets: ReadonlyMap<string, Market>;
  readonly #active = new Map<string, Active>();
  #second = 0;
  #slow = 0;
  /** Trades of each symbol when it was last in `!miniTicker@arr`. */
  readonly #counted = new Map<Market, string>();

  /** `markets`: by symbol, "BTCUSDT". */
  constructor(markets: ReadonlyMap<string, Market>) {
    this.#markets = markets;
  }

  /** A client wants this stream. True when it exists and its symbol is served. */
  activate(name: string): boolean {
    const stream = parseStream(name);
    if (!stream) return false;
    if (stream.kind === 'miniTickers') {
      if (!this.#active.has(name)) this.#counted.clear();
    } else if (!this.#markets.has(stream.symbol)) return false;
    if (stream.kind === 'depth' || stream.kind === 'partial') {
      this.#markets.get(stream.symbol)?.watchBook();
    }
    if (goesByTime(stream) && !this.#active.has(name)) {
      const market = this.#markets.get(stream.symbol);
      const closedUs = stream.kind === 'kline' && market ? closedOf(market, stream) : -1;
      this.#active.set(name, { stream, closedUs });
    }
    return true;
  }

  /** Publishes what is due. `nowMs` sets the pace, `nowUs` (the market's clock) is what the payloads say. */
  tick(nowMs: number, nowUs: number, out: Broadcast): void {
    const second = Math.floor(nowMs / SECOND_MS);
    const slow = Math.floor(nowMs / SLOW_MS);
    const isSecond = second !== this.#second;
    const isSlow = slow !== this.#slow;
    this.#second = second;
    this.#slow = slow;
    if (this.#active.size > 0) {
      for (const [name, active] of this.#active) {
        if (out.wanted(name)) this.#publish(active, isSecond, isSlow, nowUs, out);
        else this.#active.delete(name);
      }
    }
    if (isSecond) for (const market of this.#markets.values()) market.bookChanged = false;
  }

  #publish(active: Active, second: boolean, slow: boolean, nowUs: number, out: Broadcast): void {
    const { stream } = active;
    if (stream.kind === 'miniTickers') {
      if (second) this.#miniTickers(nowUs, out);
      return;
    }
    const market = this.#markets.get(stream.symbol);
    if (!market) return;
    const timeUs = market.now(nowUs);
    const eventMs = toMs(timeUs);
    if (stream.kind === 'kline') {
      const due = stream.intervalName === '1s' ? second : slow;
      publishKlines(market, stream, active, due, eventMs, out);
      return;
    }
    if (!second) return;
    if (stream.kind === 'partial') {
      if (stream.everyMs === 1000 && market.bookChanged) {
        out.publish(stream.name, market.partial(stream.levels));
      }
    } else if (stream.kind === 'depth') {
      if (stream.everyMs === 1000) market.publishSlowDepth(eventMs, out);
    } else if (stream.kind === 'avgPrice') {
      const { price, closeTimeUs } = average(market, timeUs);
      out.publish(stream.name, writeAvgPrice(market.symbol, eventMs, price, toMs(closeTimeUs)));
    } else if (stream.kind === 'ticker' || stream.kind === 'miniTicker') {
      const stats = market.day.stats(timeUs);
      if (!stats) return;
      out.publish(
        stream.name,
        stream.kind === 'ticker'
          ? writeTicker(market.symbol, eventMs, stats, market.best())
          : writeMiniTicker(market.symbol, eventMs, stats),
      );
    }
  }

  #miniTickers(nowUs: number, out: Broadcast): void {
    const changed: string[] = [];
    for (const market of this.#markets.values()) {
      const lastId = market.trades.last()?.id;
      if (lastId === undefined || this.#counted.get(market) === lastId) continue;
      const timeUs = market.now(nowUs);
      const stats = market.day.stats(timeUs);
      if (!stats) continue;
      this.#counted.set(market, lastId);
      changed.push(writeMiniTicker(market.symbol, toMs(timeUs), stats));
    }
    if (changed.length > 0) out.publish(MINI_TICKERS, `[${changed.join(',')}]`);
  }
}

/** False for what is published as it happens. */
function goesByTime(stream: Stream): boolean {
  switch (stream.kind) {
    case 'trade':
    case 'aggTrade':
    case 'bookTicker':
      return false;
    case 'depth':
    case 'partial':
      return stream.everyMs === 1000;
    case 'ticker':
    case 'miniTicker':
    case 'miniTickers':
    case 'avgPrice':
    case 'kline':
      return true;
  }
}

type KlineStream = Stream & { readonly kind: 'kline' };

/** Open time of the newest candle that is already closed. */
const closedOf = (market: Market, stream: KlineStream): number =>
  market.candles.lastClosedUs(stream.interval);

/** A candle that closed since last time goes out at once and as closed; the running one when it is due. */
function publishKlines(
  market: Market,
  stream: KlineStream,
  active: Active,
  due: boolean,
  eventMs: number,
  out: Broadcast,
): void {
  // Its own log speaks for itself.
  if (market.givenKlines.has(stream.intervalName) && !stream.zoned) return;
  const closedUs = closedOf(market, stream);
  if (closedUs !== active.closedUs) {
    // Times run backwards only when a recorded source begins again; what is closed then is history.
    const fromUs = closedUs < active.closedUs ? Infinity : active.closedUs + 1;
    for (const candle of market.candles.range(stream.interval, { fromUs, toUs: closedUs })) {
      out.publish(stream.name, writeKline(market.symbol, eventMs, stream.intervalName, candle));
    }
    active.closedUs = closedUs;
  }
  if (!due) return;
  const open = market.candles.open(stream.interval);
  if (open) {
    out.publish(stream.name, writeKline(market.symbol, eventMs, stream.intervalName, open));
  }
}
