/** Nothing but the sender keeping its time: what every row's writer costs before it sends anything. */
import type { Transport } from './transport.ts';

export const pacing: Transport = {
  name: 'pacing',
  title: 'pacing alone, nothing sent',
  side: 'peer',
  reads: false,
  silent: true,
  write: async ({ now, stamps }) => ({
    send(from, to) {
      for (let number = from; number < to; number++) {
        if (number < stamps.begunNs.length) stamps.begunNs[number] = now();
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.resolve();
    },
  }),
  read: () => Promise.reject(new TypeError('nobody reads where nothing is sent')),
};
