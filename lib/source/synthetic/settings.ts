/** What can be set on the synthetic source; the default is a quiet day on two exchanges. */
import { z } from 'zod';

const instrument = z
  .string()
  .regex(/^[A-Z0-9]{1,20}-[A-Z0-9]{1,20}$/, 'want an instrument such as BTC-USDT');

export const settings = z.strictObject({
  seed: z
    .union([z.int(), z.string().max(100)])
    .default(1)
    .describe('Any number or text. The same seed makes the same market.'),
  rate: z
    .number()
    .positive()
    .max(10_000_000)
    .optional()
    .describe('Records a second over all instruments. Default: 30 for each instrument.'),
  binance: z
    .array(instrument)
    .max(500)
    .default(['BTC-USDT', 'ETH-USDT', 'SOL-USDT'])
    .describe('Instruments written as Binance logs: trade, bookTicker, depth.'),
  kraken: z
    .array(instrument)
    .max(500)
    .default(['BTC-USD', 'ETH-USD', 'SOL-USD'])
    .describe('Instruments written as Kraken logs: trade, book-1000.'),
  start: z.iso
    .datetime()
    .optional()
    .describe(
      'Makes history: market time begins here and runs as fast as records are taken. Default: now, in real time.',
    ),
  records: z.int().positive().optional().describe('Ends after this many records. Default: never.'),
});

export type SyntheticSettings = z.infer<typeof settings>;

/** Records a second of an instrument where no rate is set. */
export const RATE_AN_INSTRUMENT = 30;

/** Where the well-known assets start; anything else starts at 100. */
export const startPrices: Readonly<Record<string, number>> = {
  BTC: 62_000,
  ETH: 3_100,
  SOL: 148,
  BNB: 580,
  XRP: 0.62,
  DOT: 6.4,
  TRX: 0.23,
  DOGE: 0.12,
};
