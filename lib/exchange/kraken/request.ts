/**
 * A client's request on Kraken's WebSocket v2, checked.
 *
 *   {"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":25,"snapshot":true},"req_id":7}
 *   {"method":"unsubscribe","params":{...}}  {"method":"ping","req_id":7}
 *
 * Texts of refusals are Kraken's where they are known.
 */
import { depths, ohlcMinutes } from './channel.ts';
import { asObject, asText, scanJson, type Scanned } from './scan.ts';
import { triggers, type Trigger } from './ticker.ts';

/** What is asked for, symbols apart. */
export type Wanted =
  | { readonly channel: 'book'; readonly depth: number; readonly snapshot: boolean }
  | { readonly channel: 'trade'; readonly snapshot: boolean }
  | { readonly channel: 'ticker'; readonly trigger: Trigger; readonly snapshot: boolean }
  | { readonly channel: 'ohlc'; readonly minutes: number; readonly snapshot: boolean }
  | { readonly channel: 'instrument'; readonly snapshot: boolean };

export type Request = {
  /** "" where the request has none. */
  readonly method: string;
  /** The digits of `req_id`; "" where there is none. */
  readonly id: string;
  readonly params: Record<string, Scanned | undefined>;
};

const privateChannels = new Set(['level3', 'executions', 'balances', 'orders']);

/** A frame as a request; undefined where it is no JSON object. */
export function parseRequest(text: string): Request | undefined {
  let root: Scanned;
  try {
    root = scanJson(text);
  } catch {
    return undefined;
  }
  if (typeof root !== 'object' || root === null || Array.isArray(root)) return undefined;
  const id = asText(root['req_id']);
  return {
    method: asText(root['method']),
    // A client's string would come back as a number: only digits are echoed.
    id: /^-?\d{1,20}$/.test(id) ? id : '',
    params: asObject(root['params']),
  };
}

/** An optional number among those allowed; undefined where it is another. */
function oneOf<T extends number>(
  value: Scanned | undefined,
  allowed: readonly T[],
  otherwise: T,
): T | undefined {
  if (value === undefined) return otherwise;
  const number = Number(asText(value) || NaN);
  return allowed.find((one) => one === number);
}

/** What the parameters ask for, or the text of a refusal. */
export function parseWanted(params: Request['params']): Wanted | string {
  const channel = asText(params['channel']);
  // Current documentation: the last fifty trades come only when asked for, everything else unless refused.
  const snapshot = channel === 'trade' ? params['snapshot'] === true : params['snapshot'] !== false;
  switch (channel) {
    case 'book': {
      const depth = oneOf(params['depth'], depths, 10);
      return depth === undefined
        ? 'Subscription depth not supported'
        : { channel, depth, snapshot };
    }
    case 'ohlc': {
      if (params['interval'] === undefined) return 'Subscription ohlc requires interval';
      const minutes = oneOf(params['interval'], ohlcMinutes, 1);
      if (minutes === undefined) return 'Subscription ohlc interval not supported';
      return { channel, minutes, snapshot };
    }
    case 'ticker': {
      const asked = asText(params['event_trigger'] ?? 'trades');
      const trigger = triggers.find((one) => one === asked);
      return trigger ? { channel, trigger, snapshot } : 'Event trigger not supported';
    }
    case 'trade':
    case 'instrument':
      return { channel, snapshot };
    case '':
      return 'Channel field missing';
    default:
      return privateChannels.has(channel)
        ? 'Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com'
        : `Subscription name invalid`;
  }
}

/** The symbols asked for, or the text of a refusal. */
export function parseSymbols(params: Request['params']): readonly string[] | string {
  const { symbol } = params;
  if (symbol === undefined) return 'Symbol(s) not found';
  if (!Array.isArray(symbol)) return 'Symbol field must be an array';
  if (symbol.length === 0) return 'Symbol(s) not found';
  return symbol.map(asText);
}

/** Why a symbol that is not among the instruments is refused. */
export const symbolRefusal = (symbol: string): string =>
  /^[^/\s]+\/[^/\s]+$/.test(symbol)
    ? `Currency pair not supported ${symbol}`
    : `Currency pair not in ISO 4217-A3 format ${symbol}`;
