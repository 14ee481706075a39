/** The founding document's storage polling: ask the modification time every so often, read on when it has moved. */
import { statSync } from 'node:fs';
import { Tail, appending, fileOf } from './file-disk.ts';
import type { Transport } from './transport.ts';

const polling = (intervalMs: number, label: string): Transport => ({
  name: `poll-${label.replace(' ', '')}`,
  title: `poll mtime every ${label} + read`,
  side: 'peer',
  reads: true,
  slowMs: intervalMs,
  rateMax: 1_000,
  write: async (context) => appending(context, () => undefined),
  read: async (context) => {
    const tail = new Tail(context, context.arrivals);
    let mtimeNs = 0n;
    const timer = setInterval(() => {
      const stat = statSync(fileOf(context), { bigint: true });
      if (stat.mtimeNs === mtimeNs) return;
      mtimeNs = stat.mtimeNs;
      context.arrivals.woken();
      tail.readOn();
    }, intervalMs);
    return {
      async [Symbol.asyncDispose]() {
        clearInterval(timer);
        tail[Symbol.dispose]();
      },
    };
  },
});

export const pollings: readonly Transport[] = [
  polling(1, '1 ms'),
  polling(100, '100 ms'),
  polling(1_000, '1 s'),
];
