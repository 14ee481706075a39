/**
 * How a writer announces, and which of that reaches a reader: asked of the notifiers' manifests, never decided by name.
 *
 *   notify = name of a notifier / endpoint        ; zeromq, watching, polling, ipc, redis, rabbitmq, redis://…
 */
import { isLoopback } from '../mesh/loopback.ts';
import { schemeOf, serverOf, withOption } from '../notifier/endpoint.ts';
import { notifiers } from '../notifier/all.ts';
import { notifierOf } from '../notifier/find.ts';
import type { Notifier } from '../notifier/notifier.ts';

export const defaultNotify: readonly string[] = ['zeromq', 'watching'];
/** Those that a name is enough for. */
const named = notifiers.filter(
  ({ endpoint, supports }) => endpoint !== undefined || supports.binds,
);
export const notifierNames: readonly string[] = named.map(({ name }) => name);

/** The notifier that is meant by a name or an endpoint. */
export const notifierMeant = (wish: string): Notifier | undefined =>
  schemeOf(wish) === undefined
    ? named.find(({ name }) => name === wish)
    : notifierOf(wish, notifiers);

/** True for a name whose endpoint is a socket of the node. */
export const needsSocket = (wish: string): boolean =>
  schemeOf(wish) === undefined && notifierMeant(wish)?.supports.binds === true;

/** The endpoint of a wish. `feed`: of the node's own socket; `channel`: who it is among many. */
export function notifyEndpoint(wish: string, feed: string | undefined, channel: string): string {
  if (needsSocket(wish)) return feed!;
  const notifier = notifierMeant(wish)!;
  const endpoint = schemeOf(wish) === undefined ? notifier.endpoint! : wish;
  return notifier.supports.channels ? withOption(endpoint, 'channel', channel) : endpoint;
}

/** True when a reader hears it: on the writer's host or another one, with the writer's files or without. */
export function reaches(endpoint: string, sameHost: boolean, hasFiles: boolean): boolean {
  const supports = notifierOf(endpoint, notifiers)?.supports;
  if (!supports || (supports.needsFiles && !hasFiles)) return false;
  if (sameHost) return true;
  if (supports.hostSchemes?.includes(schemeOf(endpoint)!)) return false;
  return supports.acrossHosts && !(supports.needsServer && isLoopback(hostOfServer(endpoint)));
}

function hostOfServer(endpoint: string): string {
  try {
    return serverOf(endpoint, '', 1).host;
  } catch {
    return '';
  }
}

/** Names of those that reach a reader without the files, on this host or on another. */
export const notifiersThat = (sameHost: boolean): string[] =>
  named
    .filter(({ supports }) => !supports.needsFiles && (sameHost || supports.acrossHosts))
    .map(({ name }) => name);
