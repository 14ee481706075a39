/**
 * One REST question with its parameters checked on reading, and times written in the unit it asked for
 * (`X-MBX-TIME-UNIT: MICROSECOND`). Times that come in may be milliseconds or microseconds: the digits tell.
 */
import type { RestRequest } from '../../exchange.ts';
import { intervalOf, zoneUsOf } from '../interval.ts';
import type { Interval } from '../../../market/interval.ts';
import type { Market } from '../market.ts';
import { toUs } from '../read.ts';
import {
  illegal,
  invalidCombination,
  invalidInterval,
  invalidSymbol,
  invalidValue,
  missing,
} from './error.ts';

const SYMBOL = /^[A-Z0-9\-_.]{1,20}$/;
const SYMBOL_TEXT = '^[A-Z0-9-_.]{1,20}$';
const NUMBER = /^\d{1,20}$/;

export class Query {
  readonly nowUs: number;
  readonly #params: URLSearchParams;
  readonly #micro: boolean;
  readonly #markets: ReadonlyMap<string, Market>;

  constructor(request: RestRequest, markets: ReadonlyMap<string, Market>, nowUs: number) {
    this.nowUs = nowUs;
    this.#params = request.params;
    this.#markets = markets;
    const unit = request.headers['x-mbx-time-unit'];
    this.#micro = typeof unit === 'string' && unit.toUpperCase() === 'MICROSECOND';
  }

  /** The exchange's time, as the events of this market tell it. */
  now(market: Market): number {
    return market.now(this.nowUs);
  }

  /** A time as the answer shall carry it. */
  time(timeUs: number): number {
    return this.#micro ? Math.floor(timeUs) : Math.floor(timeUs / 1000);
  }
  /** The last moment before `endUs`, in the answer's unit: closing times end in 999. */
  closing(endUs: number): number {
    return this.time(endUs) - 1;
  }

  text(name: string): string | undefined {
    const value = this.#params.get(name);
    return value === null || value === '' ? undefined : value;
  }

  #market(symbol: string): Market {
    if (!SYMBOL.test(symbol)) throw illegal('symbol', SYMBOL_TEXT);
    const market = this.#markets.get(symbol);
    if (!market) throw invalidSymbol();
    return market;
  }

  /** The one symbol that has to be named. */
  market(): Market {
    const symbol = this.text('symbol');
    if (symbol === undefined) throw missing('symbol');
    return this.#market(symbol);
  }

  /** `symbol` or `symbols` (a JSON list), or all; `single` tells that the answer is not a list. */
  markets(): { single: boolean; markets: readonly Market[]; all: boolean } {
    const symbol = this.text('symbol');
    const symbols = this.text('symbols');
    if (symbol !== undefined && symbols !== undefined) throw invalidCombination();
    if (symbol !== undefined) return { single: true, markets: [this.#market(symbol)], all: false };
    if (symbols === undefined) {
      return { single: false, markets: [...this.#markets.values()], all: true };
    }
    let list: unknown;
    try {
      list = JSON.parse(symbols);
    } catch {
      list = undefined;
    }
    if (!Array.isArray(list) || list.length === 0) {
      throw illegal('symbols', '^\\[("[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}){1}\\]$');
    }
    const markets = list.map((one) => this.#market(String(one)));
    return { single: false, markets, all: false };
  }

  /** Digits, or undefined. */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!NUMBER.test(text)) throw illegal(name, '^[0-9]{1,20}$');
    return Number(text);
  }

  limit(standard: number, max: number): number {
    const limit = this.number('limit') ?? standard;
    if (limit < 1) throw invalidValue('limit');
    return Math.min(limit, max);
  }

  /** A time parameter as Unix microseconds. */
  timeUs(name: string): number | undefined {
    const value = this.number(name);
    return value === undefined ? undefined : toUs(value);
  }

  /** `timeZone` as microseconds ahead of UTC. */
  zoneUs(): number {
    const zoneUs = zoneUsOf(this.text('timeZone') ?? '0');
    if (zoneUs === undefined) throw invalidValue('timeZone');
    return zoneUs;
  }

  interval(): Interval {
    const name = this.text('interval');
    if (name === undefined) throw missing('interval');
    const interval = intervalOf(name, this.zoneUs());
    if (!interval) throw invalidInterval();
    return interval;
  }
}
