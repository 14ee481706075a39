/** Which notifier an endpoint belongs to: asked of their manifests. */
import { TickmeshError } from '../world/error.ts';
import { publicEndpoint, schemeOf } from './endpoint.ts';
import type { Notifier } from './notifier.ts';

/** The notifier of an endpoint, the first of `among` that knows its scheme; undefined when none does. */
export function notifierOf(endpoint: string, among: readonly Notifier[]): Notifier | undefined {
  const scheme = schemeOf(endpoint);
  if (scheme === undefined) return undefined;
  return among.find(({ supports }) => supports.endpointSchemes.includes(scheme));
}

/** The same, where none is a mistake. Throws CONFIG_INVALID. */
export function requireNotifier(endpoint: string, among: readonly Notifier[]): Notifier {
  const found = notifierOf(endpoint, among);
  if (found) return found;
  const schemes = among.flatMap(({ supports }) => supports.endpointSchemes);
  throw new TickmeshError(
    'CONFIG_INVALID',
    `no notifier knows the endpoint ${publicEndpoint(endpoint)}`,
    {
      remedy: `endpoints begin with ${schemes.map((scheme) => `${scheme}:`).join(', ')}`,
    },
  );
}
