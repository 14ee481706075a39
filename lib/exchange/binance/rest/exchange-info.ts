/** `exchangeInfo`: the rules of each symbol. Clients take their precision from tickSize and stepSize. */
import type { Market } from '../market.ts';
import { invalidCombination } from './error.ts';
import type { Query } from './query.ts';

/** The limits that exchangeInfo states; weight is counted against the first. */
export const WEIGHT_A_MINUTE = 6000;
const rateLimits = `[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":${WEIGHT_A_MINUTE}},{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":100},{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":200000},{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":61000}]`;

/** Smallest step with so many digits, written with 8: 2 is "0.01000000". */
const step = (decimals: number): string =>
  decimals <= 0 ? '1.00000000' : `0.${'1'.padStart(Math.min(decimals, 8), '0').padEnd(8, '0')}`;

function symbolInfo({ symbol, instrument }: Market, showPermissionSets: boolean): string {
  const tick = step(instrument.priceDecimals);
  const lot = step(instrument.quantityDecimals);
  const filters = [
    `{"filterType":"PRICE_FILTER","minPrice":"${tick}","maxPrice":"100000000.00000000","tickSize":"${tick}"}`,
    `{"filterType":"LOT_SIZE","minQty":"${lot}","maxQty":"9000000.00000000","stepSize":"${lot}"}`,
    '{"filterType":"ICEBERG_PARTS","limit":100}',
    '{"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"9000000.00000000","stepSize":"0.00000000"}',
    '{"filterType":"TRAILING_DELTA","minTrailingAboveDelta":10,"maxTrailingAboveDelta":2000,"minTrailingBelowDelta":10,"maxTrailingBelowDelta":2000}',
    '{"filterType":"PERCENT_PRICE_BY_SIDE","bidMultiplierUp":"5","bidMultiplierDown":"0.2","askMultiplierUp":"5","askMultiplierDown":"0.2","avgPriceMins":5}',
    '{"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5}',
    '{"filterType":"MAX_NUM_ORDERS","maxNumOrders":200}',
    '{"filterType":"MAX_NUM_ORDER_LISTS","maxNumOrderLists":20}',
    '{"filterType":"MAX_NUM_ALGO_ORDERS","maxNumAlgoOrders":5}',
    '{"filterType":"MAX_NUM_ORDER_AMENDS","maxNumOrderAmends":10}',
  ];
  return `{"symbol":"${symbol}","status":"TRADING","baseAsset":"${instrument.base}","baseAssetPrecision":8,"quoteAsset":"${instrument.quote}","quotePrecision":8,"quoteAssetPrecision":8,"baseCommissionPrecision":8,"quoteCommissionPrecision":8,"orderTypes":["LIMIT","LIMIT_MAKER","MARKET","STOP_LOSS","STOP_LOSS_LIMIT","TAKE_PROFIT","TAKE_PROFIT_LIMIT"],"icebergAllowed":true,"ocoAllowed":true,"otoAllowed":true,"quoteOrderQtyMarketAllowed":true,"allowTrailingStop":true,"cancelReplaceAllowed":true,"amendAllowed":true,"pegInstructionsAllowed":true,"isSpotTradingAllowed":true,"isMarginTradingAllowed":false,"filters":[${filters.join(',')}],"permissions":[],"permissionSets":${showPermissionSets ? '[["SPOT"]]' : '[]'},"defaultSelfTradePreventionMode":"EXPIRE_MAKER","allowedSelfTradePreventionModes":["EXPIRE_TAKER","EXPIRE_MAKER","EXPIRE_BOTH"]}`;
}

/** Everything here trades on the spot market, so other permissions and states find nothing. */
function isShown(query: Query): boolean {
  const permissions = query.text('permissions');
  const status = query.text('symbolStatus');
  if (permissions !== undefined && !/\bSPOT\b/.test(permissions)) return false;
  return status === undefined || status === 'TRADING';
}

export function exchangeInfo(query: Query): string {
  const { markets, all } = query.markets();
  if (!all && query.text('permissions') !== undefined) throw invalidCombination();
  const sets = query.text('showPermissionSets') !== 'false';
  const symbols = isShown(query) ? markets.map((market) => symbolInfo(market, sets)) : [];
  return `{"timezone":"UTC","serverTime":${query.time(query.nowUs)},"rateLimits":${rateLimits},"exchangeFilters":[],"symbols":[${symbols.join(',')}]}`;
}

/** The futures venues have no symbols here, but clients ask for their lists before anything else. */
export const futuresInfo = (query: Query): string =>
  `{"timezone":"UTC","serverTime":${query.time(query.nowUs)},"futuresType":"U_MARGINED","rateLimits":[],"exchangeFilters":[],"assets":[],"symbols":[]}`;
