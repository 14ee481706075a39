/**
 * Binance writes a pair without a separator: "BTCUSDT" in payloads and REST, "btcusdt" in stream names.
 * Going back needs to know where the quote asset begins: the longest known one at the end wins.
 */
import type { Instrument } from '../../market/instrument.ts';

/** Quote assets of Binance spot, and the dollar of the other venues that are served here. */
const quoteAssets = (
  'USDT FDUSD USDC TUSD BUSD USDP USDE USD1 USDS DAI PAX EURI AEUR ' +
  'USD EUR GBP AUD TRY BRL JPY PLN MXN ARS ZAR UAH CAD CHF RUB NGN RON COP CZK IDRT BIDR BVND ' +
  'BTC ETH BNB XRP TRX DOGE SOL DOT VAI'
)
  .split(' ')
  .sort((a, b) => b.length - a.length);

/** `symbolOf({base: 'BTC', quote: 'USDT'})` is "BTCUSDT". */
export const symbolOf = (of: Pick<Instrument, 'base' | 'quote'>): string =>
  `${of.base}${of.quote}`.toUpperCase();

/** "BTCUSDT" or "btcusdt" -> its assets; undefined where no known quote asset ends it. */
export function splitSymbol(symbol: string): { base: string; quote: string } | undefined {
  const upper = symbol.toUpperCase();
  if (!/^[A-Z0-9]{3,40}$/.test(upper)) return undefined;
  const quote = quoteAssets.find((asset) => upper.length > asset.length && upper.endsWith(asset));
  return quote ? { base: upper.slice(0, -quote.length), quote } : undefined;
}
