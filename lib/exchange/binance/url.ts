/**
 * What a WebSocket's URL asks for. Clients put any prefix before `/ws` or `/stream` and made-up names behind it
 * (ccxt dials `/ws/0`, `/stream/0`, `/stream.binance.com/ws/0`), so the last of these two words decides.
 *
 *   url = *( "/" any ) ( "/ws" *( "/" stream ) / "/stream" [ "/" any ] ) [ "?" query ]
 *   query: streams=<stream>/<stream>…  timeUnit=microsecond|millisecond       ; keys and time unit in any case
 */
export type Dialled = {
  /** `/stream`: frames are wrapped with the stream's name. */
  readonly combined: boolean;
  /** `timeUnit=microsecond`: times have 16 digits. */
  readonly micro: boolean;
  readonly streams: readonly string[];
};

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Reads a request's path and query; undefined where neither `/ws` nor `/stream` is in it. */
export function parseUrl(url: string): Dialled | undefined {
  const question = url.indexOf('?');
  const segments = (question < 0 ? url : url.slice(0, question)).split('/').slice(1);
  const at = segments.findLastIndex((segment) => segment === 'ws' || segment === 'stream');
  if (at < 0) return undefined;
  // A "+" is a plus here ("kline_1d@+08:00"), not a blank.
  const query = question < 0 ? '' : url.slice(question + 1).replaceAll('+', '%2B');
  let micro = false;
  const streams: string[] = [];
  for (const [key, value] of new URLSearchParams(query)) {
    const word = key.toLowerCase();
    if (word === 'timeunit') micro = value.toLowerCase() === 'microsecond';
    else if (word === 'streams') streams.push(...value.split('/'));
  }
  const combined = segments[at] === 'stream';
  if (!combined) streams.unshift(...segments.slice(at + 1).flatMap((s) => decode(s).split('/')));
  return { combined, micro, streams: streams.filter((name) => name !== '') };
}
