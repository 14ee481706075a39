/** Where a feed listens: endpoints that its user chose are checked before anything is opened. */
import { notifiersWith } from '../notifier/all.ts';
import { requireNotifier } from '../notifier/find.ts';
import type { Notifier } from '../notifier/notifier.ts';
import type { FeedOptions } from './options.ts';

export type Chosen = { readonly among: readonly Notifier[]; readonly endpoints: readonly string[] };

/** Notifiers to choose from, and the endpoints chosen by name. Throws CONFIG_INVALID for one that nobody knows. */
export function chosenBy({ notices, notifiers }: FeedOptions): Chosen {
  const among = notifiersWith(notifiers);
  const endpoints = typeof notices === 'object' ? notices : [];
  for (const endpoint of endpoints) requireNotifier(endpoint, among);
  return { among, endpoints };
}
