/**
 * REST reference data: Assets and AssetPairs. Names and shapes are Kraken's; fees, margins and minimum sizes are
 * constants of the lowest tier that a simulator does not enforce.
 */
import type { Market } from './market.ts';
import { COST_DECIMALS, COST_MIN, assetDecimals, quantityMin, step } from './instruments.ts';
import { QUANTITY_DECIMALS } from './digits.ts';
import { altName, internalAsset, newAsset, oldAsset, wsName } from './symbol.ts';

const fees = (first: number, ...rest: readonly number[]): [number, number][] => {
  const volumes = [10_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000, 5_000_000];
  return [[0, first], ...rest.map((fee, i): [number, number] => [volumes[i]!, fee])];
};
const takerFees = fees(0.4, 0.35, 0.24, 0.22, 0.2, 0.18, 0.16, 0.14, 0.12);
const makerFees = fees(0.25, 0.2, 0.14, 0.12, 0.1, 0.08, 0.06, 0.04, 0.02);

/** Result of Assets; `names` undefined: all. Unknown names are left to the caller as undefined. */
export function assetsResult(
  assets: readonly string[],
  names: readonly string[] | undefined,
  display: boolean,
): Record<string, unknown> | undefined {
  const result: Record<string, unknown> = {};
  const wanted = names?.map((name) => {
    const upper = name.toUpperCase();
    return assets.find((asset) => internalAsset(asset) === upper || asset === newAsset(upper));
  });
  for (const asset of wanted ?? assets) {
    if (asset === undefined) return undefined;
    const { decimals, display: shown } = assetDecimals(asset);
    result[display ? asset : internalAsset(asset)] = {
      aclass: 'currency',
      altname: display ? asset : oldAsset(asset),
      decimals,
      display_decimals: shown,
      status: 'enabled',
    };
  }
  return result;
}

/** One pair of AssetPairs. */
export function pairResult(market: Market, display: boolean): Record<string, unknown> {
  const { instrument, priceDecimals } = market;
  const { base, quote } = instrument;
  const asset = display ? (name: string) => name : internalAsset;
  return {
    altname: altName(instrument),
    wsname: display ? market.symbol : wsName(instrument),
    aclass_base: 'currency',
    base: asset(base),
    aclass_quote: 'currency',
    quote: asset(quote),
    lot: 'unit',
    cost_decimals: COST_DECIMALS,
    pair_decimals: priceDecimals,
    lot_decimals: QUANTITY_DECIMALS,
    lot_multiplier: 1,
    leverage_buy: [],
    leverage_sell: [],
    fees: takerFees,
    fees_maker: makerFees,
    fee_volume_currency: asset('USD'),
    margin_call: 80,
    margin_stop: 40,
    ordermin: quantityMin(base),
    costmin: COST_MIN,
    tick_size: step(priceDecimals),
    status: 'online',
  };
}
