/** All notifiers of this installation. */
import type { Notifier } from './notifier.ts';
import * as registry from './registry.ts';

export const notifiers: readonly Notifier[] = Object.values(registry);

/** The same with a user's own, which come first. */
export const notifiersWith = (own: readonly Notifier[] = []): readonly Notifier[] => [
  ...own,
  ...notifiers,
];
