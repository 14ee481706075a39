/** What can be set on the capture source. */
import { z } from 'zod';

export const layoutNames = [
  'hft',
  'cryptofeed',
  'cbcap',
  'binance-csv',
  'kraken-csv',
  'log',
] as const;
export type LayoutName = (typeof layoutNames)[number];

const path = z.string().min(1);

export const settings = z.strictObject({
  file: z
    .union([path, z.array(path).min(1)])
    .describe(
      'A recorded file, or a data folder of ours; several are merged by recorded time. Gzip or plain.',
    ),
  layout: z
    .enum(layoutNames)
    .optional()
    .describe('How the file is laid out. Default: told from its name and its first bytes.'),
  instrument: z
    .string()
    .regex(/^[A-Z0-9]{1,20}-[A-Z0-9]{1,20}$/, 'want an instrument such as BTC-USDT')
    .optional()
    .describe('The instrument, where neither the file nor its name says it, e.g. BTC-USDT.'),
  interval: z
    .string()
    .regex(/^\d{1,5}[a-zA-Z]{0,2}$/, 'want an interval such as 1m, or minutes such as 1440')
    .optional()
    .describe('Length of a candle in a CSV file: 1m, 1d (Binance) or minutes (Kraken).'),
  pace: z
    .union([z.enum(['recorded', 'unpaced']), z.number().positive().max(1_000_000)])
    .default('recorded')
    .describe(
      'recorded: as it was; 20: twenty times as fast; unpaced: as fast as the disk takes it.',
    ),
  loop: z.boolean().default(false).describe('Begins anew at the end, with times moved on.'),
  times: z
    .enum(['recorded', 'now'])
    .optional()
    .describe(
      'Receive time of a record: the recorder’s, or now. Default: recorded when unpaced, else now.',
    ),
  logs: z
    .array(z.string())
    .min(1)
    .optional()
    .describe(
      'Take these logs only, e.g. binance/BTC-USDT/trade. Default: all that the file begins with.',
    ),
});

export type CaptureSettings = z.infer<typeof settings>;
