/** What a notifier that looks at files must be told. */
import type { ListenerOptions } from './notifier.ts';

/** Folder and names. Throws TypeError where one is missing: files have no "whatever is announced there". */
export function namedLogs({ endpoint, folder, logs }: ListenerOptions): {
  readonly folder: string;
  readonly logs: readonly string[];
} {
  if (folder === undefined || logs === 'all')
    throw new TypeError(`${endpoint} needs the data folder and the names of the logs`);
  return { folder, logs };
}
