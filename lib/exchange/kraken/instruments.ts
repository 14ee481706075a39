/**
 * Reference data: the instrument channel's snapshot. Precisions are those that the streams keep; minimum sizes and
 * margin terms, which a simulator does not enforce, are plausible constants.
 */
import { isCurrency, v2Symbol } from './symbol.ts';
import { QUANTITY_DECIMALS, fixed } from './digits.ts';
import type { Instrument } from '../../market/instrument.ts';

export const COST_DECIMALS = 5;
export const COST_MIN = '0.5';

/** Digits that Kraken keeps and shows of an asset. */
export const assetDecimals = (asset: string): { decimals: number; display: number } =>
  isCurrency(asset)
    ? { decimals: 4, display: 2 }
    : { decimals: asset === 'USDT' || asset === 'USDC' ? 8 : 10, display: 5 };

/** Smallest step with so many digits: 1 is "0.1", 0 is "1". */
export const step = (decimals: number): string =>
  decimals === 0 ? '1' : `0.${'0'.repeat(decimals - 1)}1`;

const minimums: Readonly<Record<string, string>> = {
  BTC: '0.00005',
  ETH: '0.001',
  SOL: '0.02',
  XRP: '1.65',
  DOGE: '13',
};
export const quantityMin = (base: string): string => minimums[base] ?? '0.01';

/** Assets of the instruments, each once. */
export const assetsOf = (instruments: readonly Instrument[]): string[] => [
  ...new Set(instruments.flatMap(({ base, quote }) => [base, quote])),
];

const assetRow = (asset: string): string => {
  const { decimals, display } = assetDecimals(asset);
  return (
    `{"id":"${asset}","status":"enabled","precision":${decimals},"precision_display":${display},` +
    `"borrowable":true,"collateral_value":1.0,"margin_rate":0.020000}`
  );
};

const pairRow = (instrument: Instrument, priceDecimals: number): string => {
  const { base, quote } = instrument;
  const tick = step(priceDecimals);
  return (
    `{"symbol":"${v2Symbol(instrument)}","base":"${base}","quote":"${quote}","status":"online",` +
    `"qty_precision":${QUANTITY_DECIMALS},"qty_increment":${step(QUANTITY_DECIMALS)},` +
    `"price_precision":${priceDecimals},"cost_precision":${COST_DECIMALS},"marginable":false,"has_index":true,` +
    `"cost_min":${fixed(COST_MIN, 2)},"tick_size":${tick},"price_increment":${tick},` +
    `"qty_min":${fixed(quantityMin(base), QUANTITY_DECIMALS)}}`
  );
};

/** The whole channel in one frame. `priceDecimals` as now known. */
export const writeInstruments = (
  instruments: readonly Instrument[],
  priceDecimals: (instrument: Instrument) => number,
): string =>
  `{"channel":"instrument","type":"snapshot","data":{"assets":[${assetsOf(instruments).map(assetRow).join(',')}],` +
  `"pairs":[${instruments.map((one) => pairRow(one, priceDecimals(one))).join(',')}]}}`;
