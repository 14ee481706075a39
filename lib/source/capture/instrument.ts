/** Which instrument a recorded file is about, from a symbol, a setting or the file's name. */
import { instrumentName } from '../../market/instrument.ts';
import { splitSymbol } from '../../exchange/binance/symbol.ts';
import { newAsset, pairOf } from '../../exchange/kraken/symbol.ts';
import type { Sink } from './sink.ts';

/** "BTCUSDT" or "btcusdt" is "BTC-USDT"; undefined where no known quote asset ends it. */
export function binanceInstrument(symbol: string): string | undefined {
  const pair = splitSymbol(symbol);
  return pair && instrumentName(pair);
}

/** Quote assets of Kraken, in names without a separator. */
const KRAKEN_JOINED =
  /^([A-Z0-9]{2,}?)(USDT|USDC|USDQ|USD|EURT|EUR|GBP|CAD|AUD|JPY|CHF|XBT|BTC|ETH|DAI)$/;

/** "BTC/USD", "XBT/USD" or "XBTUSD" is "BTC-USD". */
export function krakenInstrument(symbol: string): string | undefined {
  const joined = KRAKEN_JOINED.exec(symbol);
  const pair = pairOf(symbol) ?? (joined && { base: joined[1]!, quote: joined[2]! });
  return pair
    ? instrumentName({ base: newAsset(pair.base), quote: newAsset(pair.quote) })
    : undefined;
}

/**
 * The instrument of a file that holds only one: the setting's, else the first part of the file's name that is a symbol:
 * "BTCUSDT-trades-2024-08-08.csv", "trades-spot-trxusdt.csv", "XBTUSD_60.csv". Throws SOURCE_INVALID.
 */
export function instrumentOfFile(sink: Sink, read: (symbol: string) => string | undefined): string {
  const { instrument, name } = sink.facts;
  if (instrument !== undefined) return instrument;
  for (const part of name.split(/[^A-Za-z0-9]+/)) {
    // "trades", "daily", "spot" are words; a symbol has a quote asset at its end and five letters at least.
    const found = part.length >= 5 && /^[A-Za-z]/.test(part) ? read(part.toUpperCase()) : undefined;
    if (found) return found;
  }
  return sink.fail(
    'the file does not say which instrument it is about',
    'name it in the settings, e.g. instrument: BTC-USDT',
  );
}
