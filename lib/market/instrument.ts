/** What is traded: `base` priced in `quote`. The canonical name is "BTC-USDT", upper case. */
export type Instrument = {
  readonly base: string;
  readonly quote: string;
  /** Digits after the point of a price on this instrument's tick. */
  readonly priceDecimals: number;
  /** Digits after the point of a quantity. */
  readonly quantityDecimals: number;
};

const nameForm = /^[A-Z0-9]{1,20}-[A-Z0-9]{1,20}$/;

/** `instrumentName({base: 'BTC', quote: 'USDT'})` is "BTC-USDT". */
export const instrumentName = (of: Pick<Instrument, 'base' | 'quote'>): string =>
  `${of.base}-${of.quote}`;

/** "BTC-USDT" -> its two assets; undefined for any other form. */
export function splitInstrument(name: string): { base: string; quote: string } | undefined {
  if (!nameForm.test(name)) return undefined;
  const dash = name.indexOf('-');
  return { base: name.slice(0, dash), quote: name.slice(dash + 1) };
}

/**
 * Digits of the well-known pairs, as the venues list them; anything else starts with `fallback` and is widened by
 * the first prices seen (`market/precision.ts`). Source: Binance exchangeInfo tickSize, Kraken AssetPairs.
 */
const priceDecimalsOf: Record<string, number> = {
  'BTC-USDT': 2,
  'ETH-USDT': 2,
  'SOL-USDT': 2,
  'BNB-USDT': 2,
  'XRP-USDT': 4,
  'TRX-USDT': 4,
  'DOT-USDT': 3,
  'BTC-USD': 1,
  'ETH-USD': 2,
  'SOL-USD': 2,
  'XRP-USD': 5,
  'DOGE-USD': 7,
};

/** An instrument from its canonical name. Throws TypeError when the name has another form. */
export function instrumentOf(name: string, fallbackPriceDecimals = 8): Instrument {
  const parts = splitInstrument(name);
  if (!parts) throw new TypeError(`not an instrument: ${JSON.stringify(name)}, want "BTC-USDT"`);
  const priceDecimals = priceDecimalsOf[name] ?? fallbackPriceDecimals;
  return { ...parts, priceDecimals, quantityDecimals: 8 };
}
