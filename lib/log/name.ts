/**
 * A log's name says whose it is: `<exchange>/<instrument>/<channel>`, e.g. `binance/BTC-USDT/trade`.
 * Names from the wire are looked up, never joined to a path; names from the user are checked here before they are.
 *
 *   log-name = part "/" part "/" part
 *   part     = ( ALPHA / DIGIT ) 0*63( ALPHA / DIGIT / "." / "_" / "-" )      ; no "..", no "." at the end
 */
import { TickmeshError } from '../world/error.ts';

export type LogName = string & { readonly __log: never };

const partForm = /^[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,63}(?<!\.)$/;
const deviceNames = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/** True for text that may be a file or folder name of ours. */
export const isNamePart = (text: string): boolean => partForm.test(text) && !deviceNames.test(text);

export type LogParts = { exchange: string; instrument: string; channel: string };

/** Checks a log's name. Throws NAME_INVALID. */
export function logName(text: string): LogName {
  const parts = text.split('/');
  if (parts.length !== 3 || !parts.every(isNamePart)) {
    throw new TickmeshError(
      'NAME_INVALID',
      `not a log name: ${JSON.stringify(text.slice(0, 200))}`,
      {
        remedy: 'write <exchange>/<instrument>/<channel>, e.g. binance/BTC-USDT/trade',
      },
    );
  }
  return text as LogName;
}

/** The three parts of a checked name. */
export function logParts(name: LogName): LogParts {
  const [exchange = '', instrument = '', channel = ''] = name.split('/');
  return { exchange, instrument, channel };
}
