/**
 * Kraken's public REST: GET and POST form alike, always HTTP 200, `{"error":[],"result":…}`. Results are keyed by the
 * pair's internal name (XXBTZUSD), with `assetVersion=1` by its display name (BTC/USD); any of its names finds it.
 *
 *   path = "/0/public/" ( "Time" / "SystemStatus" / "Assets" / "AssetPairs" / "Depth" / "Trades" / "OHLC" / "Ticker" / "Spread" )
 */
import type { RestRequest, RestResponse } from '../exchange.ts';
import { assetsOf } from './instruments.ts';
import type { Market } from './market.ts';
import {
  depthResult,
  ohlcResult,
  spreadResult,
  tickerResult,
  tradesResult,
} from './rest-market.ts';
import { assetsResult, pairResult } from './rest-reference.ts';
import { internalName } from './symbol.ts';
import { formatRfc1123, formatTimeUs } from './time.ts';
import type { EngineState } from './write.ts';

export type RestFloor = {
  readonly markets: readonly Market[];
  /** By any of a pair's names. */
  find(name: string): Market | undefined;
  readonly nowUs: () => number;
  readonly system: () => EngineState;
};

const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-cache' };
const answer = (body: string, status = 200): RestResponse => ({ status, headers, body });
const refusal = (error: string, status = 200): RestResponse =>
  answer(JSON.stringify({ error: [error] }), status);
const success = (result: string): RestResponse => answer(`{"error":[],"result":${result}}`);

const UNKNOWN_PAIR = 'EQuery:Unknown asset pair';
const INVALID = 'EGeneral:Invalid arguments';

/** Names in a comma-separated parameter; undefined where it is absent. */
const listParam = (text: string | null): string[] | undefined =>
  text === null || text === '' ? undefined : text.split(',').map((name) => name.trim());

export function restAnswer(floor: RestFloor, { path, params }: RestRequest): RestResponse {
  if (path.startsWith('/0/private/')) return refusal('EAPI:Invalid key');
  if (!path.startsWith('/0/public/')) return refusal('EGeneral:Unknown method', 404);
  const display = params.get('assetVersion') === '1';
  const keyOf = (market: Market): string =>
    display ? market.symbol : internalName(market.instrument);
  const keyed = (market: Market, result: string, more = ''): RestResponse =>
    success(`{${JSON.stringify(keyOf(market))}:${result}${more}}`);

  /** The markets asked for; undefined where one is unknown. */
  const markets = (): readonly Market[] | undefined => {
    const names = listParam(params.get('pair'));
    if (!names) return floor.markets;
    const found = names.map((name) => floor.find(name));
    return found.every((market) => market !== undefined) ? found : undefined;
  };
  const all = (each: (market: Market) => Record<string, unknown>): RestResponse => {
    const found = markets();
    if (!found) return refusal(UNKNOWN_PAIR);
    const result = Object.fromEntries(found.map((market) => [keyOf(market), each(market)]));
    return success(JSON.stringify(result));
  };
  const one = (each: (market: Market) => RestResponse): RestResponse => {
    const name = params.get('pair');
    if (!name) return refusal(INVALID);
    const market = floor.find(name);
    return market ? each(market) : refusal(UNKNOWN_PAIR);
  };

  switch (path.slice('/0/public/'.length)) {
    case 'Time': {
      const nowUs = floor.nowUs();
      const unixtime = Math.floor(nowUs / 1_000_000);
      return success(JSON.stringify({ unixtime, rfc1123: formatRfc1123(nowUs) }));
    }
    case 'SystemStatus': {
      const timestamp = formatTimeUs(floor.nowUs(), 0);
      return success(JSON.stringify({ status: floor.system(), timestamp }));
    }
    case 'Assets': {
      const assets = assetsOf(floor.markets.map(({ instrument }) => instrument));
      const result = assetsResult(assets, listParam(params.get('asset')), display);
      return result ? success(JSON.stringify(result)) : refusal('EQuery:Unknown asset');
    }
    case 'AssetPairs':
      return all((market) => pairResult(market, display));
    case 'Ticker':
      return all(tickerResult);
    case 'Depth':
      return one((market) => {
        const result = depthResult(market, params.get('count'));
        return result === undefined ? refusal(INVALID) : keyed(market, result);
      });
    case 'Trades':
      return one((market) => {
        const result = tradesResult(market, params.get('since'), params.get('count'));
        return result ? keyed(market, result.rows, `,"last":"${result.last}"`) : refusal(INVALID);
      });
    case 'OHLC':
      return one((market) => {
        const [interval, since] = [params.get('interval'), params.get('since')];
        const result = ohlcResult(market, interval, since);
        return result ? keyed(market, result.rows, `,"last":${result.last}`) : refusal(INVALID);
      });
    case 'Spread':
      return one((market) => {
        const result = spreadResult(market, params.get('since'));
        return result ? keyed(market, result.rows, `,"last":${result.last}`) : refusal(INVALID);
      });
    default:
      return refusal('EGeneral:Unknown method');
  }
}
