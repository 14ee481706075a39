/** Where a feed listens: endpoints that its user chose are checked before anything is opened. */
import { notifiersWith } from '../notifier/all.ts';
import { publicEndpoint } from '../notifier/endpoint.ts';
import { requireNotifier } from '../notifier/find.ts';
import type { Notifier } from '../notifier/notifier.ts';
import type { FeedOptions } from './options.ts';

export type Chosen = {
  readonly among: readonly Notifier[];
  /** To listen to from the start; `writer`: who it must be. */
  readonly endpoints: readonly { readonly endpoint: string; readonly writer?: string }[];
  /** True for a writer that is listened to wherever it says itself. */
  readonly auto: (writer: string) => boolean;
  /** True for an endpoint (without user and password) that must work: the user named it, or 'auto'. */
  readonly byUser: (endpoint: string) => boolean;
};

/** Notifiers to choose from, and the endpoints chosen by name. Throws CONFIG_INVALID for one that nobody knows. */
export function chosenBy({ notices, notifiers }: FeedOptions): Chosen {
  const among = notifiersWith(notifiers);
  const byWriter = isByWriter(notices) ? notices.byWriter : {};
  const endpoints = isByWriter(notices)
    ? Object.entries(byWriter).flatMap(([writer, all]) =>
        all.map((endpoint) => ({ endpoint, writer })),
      )
    : typeof notices === 'object'
      ? notices.map((endpoint) => ({ endpoint }))
      : [];
  for (const { endpoint } of endpoints) requireNotifier(endpoint, among);
  const auto = (writer: string): boolean =>
    isByWriter(notices) ? !Object.hasOwn(byWriter, writer) : (notices ?? 'auto') === 'auto';
  const byUser = (endpoint: string): boolean =>
    notices === 'auto' || endpoints.some((each) => publicEndpoint(each.endpoint) === endpoint);
  return { among, endpoints, auto, byUser };
}

const isByWriter = (
  notices: FeedOptions['notices'],
): notices is Extract<FeedOptions['notices'], { byWriter: unknown }> =>
  typeof notices === 'object' && 'byWriter' in notices;
