/** Finds out which logs a source announces: every log's end is repeated once a second, so a short listening names all. */
import type { Security } from '../mesh/security-zeromq.ts';
import { BEACON_MS } from '../notifier/beacon.ts';
import { notifiers } from '../notifier/all.ts';
import { Listeners } from '../notifier/listeners-timer.ts';
import { logName, type LogName } from '../log/name.ts';

export type DiscoverOptions = {
  /** Where the source announces. */
  readonly feed: string | readonly string[];
  /** Its name, and our keys, where there are keys. */
  readonly writer?: string;
  readonly security?: Security | undefined;
  readonly matches: (log: string) => boolean;
  readonly signal: AbortSignal;
};

/** So long without a new name says that there are no more. */
const QUIET_MS = 1.5 * BEACON_MS;

/** Names from the wire become folders: only what is a log's name counts. */
function checked(name: string): LogName | undefined {
  try {
    return logName(name);
  } catch {
    return undefined;
  }
}

/** Names of the source's logs, sorted; waits for the first one. [] when the signal aborts before. */
export async function discoverLogs(options: DiscoverOptions): Promise<LogName[]> {
  const { feed, matches, signal } = options;
  const found = new Set<LogName>();
  await new Promise<void>((resolve) => {
    let quiet: NodeJS.Timeout | undefined;
    const listeners = new Listeners({
      among: notifiers,
      security: options.security,
      logs: 'all',
      onHeard: ({ log: name }) => {
        if (found.has(name as LogName) || !matches(name)) return;
        const log = checked(name);
        if (!log) return;
        found.add(log);
        clearTimeout(quiet);
        quiet = setTimeout(done, QUIET_MS);
      },
    });
    for (const endpoint of [feed].flat()) listeners.add(endpoint, options.writer);
    const done = (): void => {
      clearTimeout(quiet);
      signal.removeEventListener('abort', done);
      void listeners[Symbol.asyncDispose]().then(resolve);
    };
    signal.addEventListener('abort', done);
    if (signal.aborted) done();
  });
  return [...found].sort();
}
