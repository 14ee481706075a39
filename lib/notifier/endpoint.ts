/**
 * Where a notifier is heard. The scheme says which one it is; what follows is its own business, but options are written
 * alike everywhere.
 *
 *   endpoint = scheme ":" rest [ "?" option *( "&" option ) ]
 *   option   = name [ "=" value ]                                  ; percent-encoded
 */
import { TickmeshError } from '../world/error.ts';

/** "redis" of "redis://127.0.0.1:6379"; undefined for text without a scheme. */
export const schemeOf = (endpoint: string): string | undefined =>
  /^([a-z][a-z0-9+.-]*):/.exec(endpoint)?.[1];

/** The endpoint without its options, and those. */
export function splitEndpoint(endpoint: string): {
  readonly base: string;
  readonly options: URLSearchParams;
} {
  const at = endpoint.indexOf('?');
  return at < 0
    ? { base: endpoint, options: new URLSearchParams() }
    : { base: endpoint.slice(0, at), options: new URLSearchParams(endpoint.slice(at + 1)) };
}

/** The endpoint with one more option; as it is where it has that one already. */
export function withOption(endpoint: string, name: string, value: string): string {
  const { base, options } = splitEndpoint(endpoint);
  if (options.has(name)) return endpoint;
  options.set(name, value);
  return `${base}?${options.toString()}`;
}

const unitMs: Record<string, number> = { us: 0.001, ms: 1, s: 1_000 };

/** An option that is a time with its unit ("250us", "5ms", "1s"), in milliseconds. Throws CONFIG_INVALID. */
export function msOption(endpoint: string, name: string, otherwiseMs: number): number {
  const text = splitEndpoint(endpoint).options.get(name);
  if (text === null) return otherwiseMs;
  const found = /^(\d{1,9}(?:\.\d{1,3})?)(us|ms|s)$/.exec(text);
  const ms = found ? Number(found[1]) * unitMs[found[2]!]! : NaN;
  if (ms > 0) return ms;
  throw new TickmeshError(
    'CONFIG_INVALID',
    `${publicEndpoint(endpoint)}: ${name} is no time: ${text}`,
    {
      remedy: `write a number with its unit, e.g. ${name}=100ms`,
    },
  );
}

/** Refuses options that nobody reads. Throws CONFIG_INVALID. */
export function knownOptions(endpoint: string, names: readonly string[]): URLSearchParams {
  const { options } = splitEndpoint(endpoint);
  for (const name of options.keys()) {
    if (names.includes(name)) continue;
    throw new TickmeshError(
      'CONFIG_INVALID',
      `${publicEndpoint(endpoint)}: there is no option "${name}"`,
      {
        remedy: names.length > 0 ? `options are: ${names.join(', ')}` : 'it takes no options',
      },
    );
  }
  return options;
}

const channelForm = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/;

/** The channel of an endpoint that many writers share. Throws CONFIG_INVALID. */
export function channelOption(endpoint: string): string {
  const channel = splitEndpoint(endpoint).options.get('channel') ?? 'default';
  if (channelForm.test(channel)) return channel;
  throw new TickmeshError(
    'CONFIG_INVALID',
    `${publicEndpoint(endpoint)}: not a channel: ${channel}`,
    {
      remedy: 'write letters, digits, ".", "_" and "-"',
    },
  );
}

/** A server's address and who we are to it. Throws CONFIG_INVALID. */
export function serverOf(
  endpoint: string,
  secureScheme: string,
  defaultPort: number,
): {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  /** What follows the first "/", decoded. */
  readonly path: string;
} {
  const { base } = splitEndpoint(endpoint);
  const url = /^[a-z]+:\/\/[^/]/.test(base) && URL.canParse(base) ? new URL(base) : undefined;
  if (!url?.hostname) {
    throw new TickmeshError('CONFIG_INVALID', `${publicEndpoint(endpoint)}: no server's address`, {
      remedy: `write ${schemeOf(endpoint)}://127.0.0.1:${defaultPort}`,
    });
  }
  const { hostname, port, username, password, pathname, protocol } = url;
  return {
    secure: protocol === `${secureScheme}:`,
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? defaultPort : Number(port),
    path: decodeURIComponent(pathname.slice(1)),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
  };
}

/** An endpoint as others may see it, in files, in logs and on the screen: without user and password. */
export function publicEndpoint(endpoint: string): string {
  if (endpoint.startsWith('hybrid:')) {
    const { base, options } = splitEndpoint(endpoint);
    const parts = options.getAll('of');
    if (parts.every((part) => publicEndpoint(part) === part)) return endpoint;
    const shown = new URLSearchParams();
    for (const part of parts) shown.append('of', publicEndpoint(part));
    return `${base}?${shown.toString()}`;
  }
  return endpoint.replace(/^([a-z]+:\/\/)[^/?#]*@/, (whole, scheme: string) =>
    scheme === 'ipc://' ? whole : scheme,
  );
}
