/**
 * Any of the others together, over looking at the files now and then: the first that says something counts, each may die
 * alone. `hybrid:?of=ipc%3A%2F%2F%40feed&of=watching%3A`. A list of endpoints, wherever one is taken, is the same thing.
 */
import type { Notifier } from '../notifier.ts';

export const hybrid: Notifier = {
  name: 'hybrid',
  supports: {
    // Of its parts, those that reach are heard; the parts are what a topology asks.
    acrossHosts: true,
    data: true,
    needsServer: false,
    needsFiles: false,
    heartbeats: true,
    channels: false,
    endpointSchemes: ['hybrid'],
  },
  announce: async (options) => (await import('./hybrid-parts.ts')).announceHybrid(options),
  listen: async (options) => (await import('./hybrid-parts.ts')).listenHybrid(options),
};
