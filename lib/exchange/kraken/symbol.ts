/**
 * What Kraken calls things. One pair has four names, all made from the canonical "BTC-USD":
 *
 *   v2 symbol       BTC/USD      WebSocket v2
 *   wsname          XBT/USD      WebSocket v1, and the `wsname` of REST AssetPairs
 *   altname         XBTUSD       REST
 *   internal name   XXBTZUSD     REST, keys of results; the same as altname for all but the oldest pairs
 *
 * Only two assets have an old name of their own (XBT, XDG); sixteen have an internal name with X or Z in front.
 */
import type { Instrument } from '../../market/instrument.ts';

export type Pair = Pick<Instrument, 'base' | 'quote'>;

const oldNames: Readonly<Record<string, string>> = { BTC: 'XBT', DOGE: 'XDG' };
const newNames: Readonly<Record<string, string>> = { XBT: 'BTC', XDG: 'DOGE' };
const coins = new Set('ETC ETH LTC MLN REP XBT XDG XLM XMR XRP ZEC'.split(' '));
const currencies = new Set('AUD CAD EUR GBP JPY USD'.split(' '));
/** Pairs whose internal name is made of internal asset names; every other pair's is its altname. */
const oldPairs = new Set(
  (
    'ETCETH ETCXBT ETCEUR ETCUSD ETHXBT ETHCAD ETHEUR ETHGBP ETHJPY ETHUSD LTCXBT LTCEUR LTCJPY LTCUSD ' +
    'MLNETH MLNXBT MLNEUR MLNUSD REPETH REPXBT REPEUR REPUSD XBTCAD XBTEUR XBTGBP XBTJPY XBTUSD XDGXBT ' +
    'XLMXBT XLMAUD XLMEUR XLMGBP XLMUSD XMRXBT XMREUR XMRUSD XRPXBT XRPCAD XRPEUR XRPJPY XRPUSD ' +
    'ZECXBT ZECEUR ZECUSD EURUSD GBPUSD USDCAD USDJPY'
  ).split(' '),
);

/** "BTC" -> "XBT": how v1 and REST write an asset. */
export const oldAsset = (asset: string): string => oldNames[asset] ?? asset;
/** "XBT" -> "BTC", "ETH" -> "ETH". */
export const newAsset = (asset: string): string => newNames[asset] ?? asset;
/** "BTC" -> "XXBT", "USD" -> "ZUSD", "SOL" -> "SOL". */
export function internalAsset(asset: string): string {
  const name = oldAsset(asset);
  return coins.has(name) ? `X${name}` : currencies.has(name) ? `Z${name}` : name;
}
/** True for money of a state. */
export const isCurrency = (asset: string): boolean => currencies.has(asset) || asset === 'CHF';

export const v2Symbol = ({ base, quote }: Pair): string => `${base}/${quote}`;
export const wsName = ({ base, quote }: Pair): string => `${oldAsset(base)}/${oldAsset(quote)}`;
export const altName = ({ base, quote }: Pair): string => oldAsset(base) + oldAsset(quote);
export function internalName(pair: Pair): string {
  const name = altName(pair);
  if (name === 'USDTUSD') return 'USDTZUSD';
  return oldPairs.has(name) ? internalAsset(pair.base) + internalAsset(pair.quote) : name;
}

const symbolForm = /^([A-Z0-9]{1,20})\/([A-Z0-9]{1,20})$/;

/** "BTC/USD" or "XBT/USD" -> its assets; undefined for another form. */
export function pairOf(symbol: string): Pair | undefined {
  const match = symbolForm.exec(symbol);
  return match ? { base: newAsset(match[1]!), quote: newAsset(match[2]!) } : undefined;
}

/** Finds a pair by any of its names, in any case, as REST does. */
export function pairIndex<T extends Pair>(pairs: readonly T[]): (name: string) => T | undefined {
  const byName = new Map<string, T>();
  for (const pair of pairs) {
    for (const name of [internalName(pair), altName(pair), wsName(pair), v2Symbol(pair)]) {
      if (!byName.has(name)) byName.set(name, pair);
    }
  }
  return (name) => byName.get(name.toUpperCase());
}
