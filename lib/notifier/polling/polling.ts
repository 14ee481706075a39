/**
 * Looks at the logs at an interval: nothing to run, nothing to say, late by half the interval on average.
 *
 *   polling:[?interval=100ms][&by=position]   the head slot says how far a log is announced (default)
 *   polling:?by=mtime&interval=1s             the head file's time of modification, as simple pollers do it
 */
import { knownOptions, msOption } from '../endpoint.ts';
import type { Notifier } from '../notifier.ts';
import { silentAnnouncer } from '../silent.ts';

export const POLL_MS = 100;

export const polling: Notifier = {
  name: 'polling',
  supports: {
    acrossHosts: false,
    data: false,
    needsServer: false,
    needsFiles: true,
    heartbeats: false,
    channels: false,
    endpointSchemes: ['polling'],
  },
  endpoint: 'polling:',
  announce: async (options) => silentAnnouncer(options),
  async listen(options) {
    const by = knownOptions(options.endpoint, ['interval', 'by']).get('by') ?? 'position';
    if (by !== 'position' && by !== 'mtime')
      throw new TypeError(`${options.endpoint}: by=position or by=mtime`);
    const intervalMs = msOption(options.endpoint, 'interval', POLL_MS);
    const { PollingListener } = await import('./disk-polling.ts');
    return new PollingListener(options, by, intervalMs);
  },
};
