/** Which notifier an endpoint belongs to: asked of their manifests. */
import { TickmeshError } from '../world/error.ts';
import { schemeOf } from './endpoint.ts';
import type { Notifier } from './notifier.ts';
import * as registry from './registry.ts';

/** All notifiers of this installation. */
export const notifiers: readonly Notifier[] = Object.values(registry);

/** The notifier of an endpoint; undefined when none knows its scheme. `own` ones come first. */
export function notifierOf(endpoint: string, own: readonly Notifier[] = []): Notifier | undefined {
  const scheme = schemeOf(endpoint);
  if (scheme === undefined) return undefined;
  const knows = ({ supports }: Notifier): boolean => supports.endpointSchemes.includes(scheme);
  return own.find(knows) ?? notifiers.find(knows);
}

/** The same, where none is a mistake. Throws CONFIG_INVALID. */
export function requireNotifier(endpoint: string, own: readonly Notifier[] = []): Notifier {
  const found = notifierOf(endpoint, own);
  if (found) return found;
  const schemes = [...own, ...notifiers].flatMap(({ supports }) => supports.endpointSchemes);
  throw new TickmeshError('CONFIG_INVALID', `no notifier knows the endpoint ${endpoint}`, {
    remedy: `endpoints begin with ${schemes.map((scheme) => `${scheme}:`).join(', ')}`,
  });
}
