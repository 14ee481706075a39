/**
 * The ticker channel of one instrument: the quote, the last trade, and 24 hours up to now. It is sent after each
 * message of trades, or, to those who ask for it so, after each change of the best bid or ask.
 */
import type { TradeValue } from '../../market/bar.ts';
import { withDecimals } from '../../market/decimal.ts';
import { Rolling, type RollingStats } from '../../market/rolling.ts';
import type { Broadcast } from '../exchange.ts';
import { QUANTITY_DECIMALS, fixed } from './digits.ts';
import { writeTicker, type TickerRow } from './write.ts';

export const triggers = ['trades', 'bbo'] as const;
export type Trigger = (typeof triggers)[number];

/** Best bid and ask as decimal text, and since when, Unix microseconds. */
export type Best = {
  readonly bid: string;
  readonly bidQuantity: string;
  readonly ask: string;
  readonly askQuantity: string;
  readonly timeUs: number;
};

/** Quotes that REST Spread keeps. */
const SPREADS = 200;
const zero: Best = { bid: '0', bidQuantity: '0', ask: '0', askQuantity: '0', timeUs: 0 };

export class Ticker {
  readonly #symbol: string;
  readonly #broadcast: Broadcast;
  readonly #priceDecimals: () => number;
  /** The market's clock, Unix microseconds: where the 24 hours end. */
  readonly #nowUs: () => number;
  readonly #topics: Readonly<Record<Trigger, string>>;
  #rolling = new Rolling();
  #spreads: Best[] = [];
  /** Newest frame of a recorded ticker log; "" where the ticker is made from trades and books. */
  #recorded = '';

  constructor(
    symbol: string,
    broadcast: Broadcast,
    priceDecimals: () => number,
    nowUs: () => number,
  ) {
    this.#symbol = symbol;
    this.#broadcast = broadcast;
    this.#priceDecimals = priceDecimals;
    this.#nowUs = nowUs;
    this.#topics = { trades: `${symbol} ticker-trades`, bbo: `${symbol} ticker-bbo` };
  }

  /** The stream begins again from an older time. */
  reset(): void {
    this.#rolling = new Rolling();
    this.#spreads = [];
  }

  trades(trades: readonly TradeValue[], live: boolean): void {
    for (const trade of trades) this.#rolling.trade(trade);
    if (live && trades.length > 0) this.#publish('trades');
  }

  /** The best bid and ask may have changed. */
  quote(best: Best, live: boolean): void {
    const before = this.best;
    const moved = best.bid !== before?.bid || best.ask !== before.ask;
    if (
      !moved &&
      best.bidQuantity === before.bidQuantity &&
      best.askQuantity === before.askQuantity
    ) {
      return;
    }
    if (moved || !before) this.#spreads.push(best);
    else this.#spreads[this.#spreads.length - 1] = best;
    if (this.#spreads.length > SPREADS * 2) this.#spreads = this.#spreads.slice(-SPREADS);
    if (live) this.#publish('bbo');
  }

  /** Takes Kraken's own frame: it goes out as it is, and no ticker is made any more. */
  recorded(payload: Buffer, live: boolean): void {
    this.#recorded = payload.toString('latin1');
    if (!live) return;
    for (const topic of Object.values(this.#topics)) {
      if (this.#broadcast.wanted(topic)) this.#broadcast.publish(topic, payload);
    }
  }

  #publish(trigger: Trigger): void {
    const topic = this.#topics[trigger];
    if (this.#recorded !== '' || !this.#broadcast.wanted(topic)) return;
    const row = this.#row();
    if (row) this.#broadcast.publish(topic, writeTicker('update', this.#symbol, row));
  }

  #row(): TickerRow | undefined {
    const stats = this.stats();
    const quoted = this.best;
    if (!stats && !quoted) return undefined;
    const best = quoted ?? zero;
    const decimals = this.#priceDecimals();
    const price = (text = '0'): string => fixed(text, decimals);
    const quantity = (text = '0'): string => fixed(text, QUANTITY_DECIMALS);
    return {
      bid: price(best.bid),
      bidQuantity: quantity(best.bidQuantity),
      ask: price(best.ask),
      askQuantity: quantity(best.askQuantity),
      last: price(stats?.last),
      volume: quantity(stats?.volume),
      vwap: price(stats?.vwap),
      low: price(stats?.low),
      high: price(stats?.high),
      // Not just cut as text: a small loss must not become "-0.0".
      change: withDecimals(stats?.change ?? '0', decimals),
      changePercent: withDecimals(stats?.changePercent ?? '0', 2),
      trades: stats?.trades ?? 0,
      timeUs: this.#nowUs(),
    };
  }

  topic(trigger: Trigger): string {
    return this.#topics[trigger];
  }

  /** The ticker now; undefined before the first trade or quote. */
  snapshot(): string | undefined {
    if (this.#recorded !== '')
      return this.#recorded.replace('"type":"update"', '"type":"snapshot"');
    const row = this.#row();
    return row && writeTicker('snapshot', this.#symbol, row);
  }

  /** The last 24 hours; undefined before the first trade. */
  stats(): RollingStats | undefined {
    return this.#rolling.stats(this.#nowUs());
  }

  get best(): Best | undefined {
    return this.#spreads.at(-1);
  }

  /** Quotes of late, oldest first. */
  get spreads(): readonly Best[] {
    return this.#spreads.slice(-SPREADS);
  }
}
