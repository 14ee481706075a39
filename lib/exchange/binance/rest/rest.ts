/**
 * REST: path -> answer. Every answer carries the weight used in this minute, as clients pace themselves by it; beyond
 * the limit a request is refused only in strict mode.
 */
import type { RestRequest, RestResponse } from '../../exchange.ts';
import type { Market } from '../market.ts';
import { RestError } from './error.ts';
import { WEIGHT_A_MINUTE, exchangeInfo, futuresInfo } from './exchange-info.ts';
import { aggTrades, depth, historicalTrades, klines, trades } from './market-data.ts';
import { Query } from './query.ts';
import { avgPrice, bookTicker, day, price, tradingDay, window } from './tickers.ts';

const MINUTE_US = 60_000_000;

export type RestContext = {
  /** By symbol. */
  readonly markets: ReadonlyMap<string, Market>;
  readonly nowUs: () => number;
  readonly strict: boolean;
  /** Publishes what is held back for a market, so that an answer and the streams agree. */
  readonly settle: (market: Market) => void;
};

type Route = {
  readonly weight: number | ((query: Query) => number);
  readonly answer: (query: Query, context: RestContext) => string;
};

const depthWeight = (query: Query): number => {
  const limit = query.number('limit') ?? 100;
  return limit <= 100 ? 5 : limit <= 500 ? 25 : limit <= 1000 ? 50 : 250;
};
const perSymbol =
  (one: number, all: number) =>
  (query: Query): number =>
    query.text('symbol') === undefined ? all : one;

const routes: Readonly<Record<string, Route>> = {
  '/api/v3/ping': { weight: 1, answer: () => '{}' },
  '/api/v3/time': { weight: 1, answer: (query) => `{"serverTime":${query.time(query.nowUs)}}` },
  '/api/v3/exchangeInfo': { weight: 20, answer: exchangeInfo },
  '/api/v3/depth': {
    weight: depthWeight,
    answer: (query, { settle }) => depth(query, settle),
  },
  '/api/v3/trades': { weight: 25, answer: trades },
  '/api/v3/historicalTrades': { weight: 25, answer: historicalTrades },
  '/api/v3/aggTrades': { weight: 4, answer: aggTrades },
  '/api/v3/klines': { weight: 2, answer: klines },
  '/api/v3/uiKlines': { weight: 2, answer: klines },
  '/api/v3/avgPrice': { weight: 2, answer: avgPrice },
  '/api/v3/ticker/24hr': { weight: perSymbol(2, 80), answer: day },
  '/api/v3/ticker/tradingDay': { weight: 4, answer: tradingDay },
  '/api/v3/ticker/price': { weight: perSymbol(2, 4), answer: price },
  '/api/v3/ticker/bookTicker': { weight: perSymbol(2, 4), answer: bookTicker },
  '/api/v3/ticker': { weight: 4, answer: window },
  '/fapi/v1/exchangeInfo': { weight: 1, answer: futuresInfo },
  '/dapi/v1/exchangeInfo': { weight: 1, answer: futuresInfo },
  '/sapi/v1/system/status': { weight: 1, answer: () => '{"status":0,"msg":"normal"}' },
};

export class Rest {
  readonly #context: RestContext;
  #minute = 0;
  #used = 0;

  constructor(context: RestContext) {
    this.#context = context;
  }

  answer(request: RestRequest): RestResponse {
    const { markets, nowUs } = this.#context;
    const now = nowUs();
    const minute = Math.floor(now / MINUTE_US);
    if (minute !== this.#minute) this.#used = 0;
    this.#minute = minute;
    try {
      const route = Object.hasOwn(routes, request.path) ? routes[request.path] : undefined;
      if (!route) throw new RestError(-1099, `Not found: ${request.path.slice(0, 100)}`, 404);
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        throw new RestError(-1099, `Request method '${request.method}' is not supported.`, 405);
      }
      const query = new Query(request, markets, now);
      this.#used += typeof route.weight === 'number' ? route.weight : route.weight(query);
      if (this.#context.strict && this.#used > WEIGHT_A_MINUTE) return this.#tooMuch(now);
      return this.#response(200, route.answer(query, this.#context));
    } catch (error) {
      if (!(error instanceof RestError)) throw error;
      return this.#response(error.status, error.body());
    }
  }

  #tooMuch(nowUs: number): RestResponse {
    const seconds = Math.ceil((MINUTE_US - (nowUs % MINUTE_US)) / 1_000_000);
    const refusal = new RestError(
      -1003,
      `Too much request weight used; current limit is ${WEIGHT_A_MINUTE} request weight per 1 MINUTE. Please use WebSocket Streams for live updates to avoid polling the API.`,
    );
    return this.#response(429, refusal.body(), { 'retry-after': String(seconds) });
  }

  #response(status: number, body: string, more: Record<string, string> = {}): RestResponse {
    const used = String(this.#used);
    return {
      status,
      headers: {
        'content-type': 'application/json;charset=UTF-8',
        'x-mbx-used-weight': used,
        'x-mbx-used-weight-1m': used,
        ...more,
      },
      body,
    };
  }
}
