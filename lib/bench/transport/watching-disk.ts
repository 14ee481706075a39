/** Append, inotify (`fs.watch`), read on: nobody sends anything. */
import { watch } from 'node:fs';
import { Tail, appending, fileOf } from './file-disk.ts';
import type { Transport } from './transport.ts';

export const watching: Transport = {
  name: 'fs-watch',
  title: 'fs.watch + append + read',
  side: 'peer',
  reads: true,
  write: async (context) => appending(context, () => undefined),
  read: async (context) => {
    const tail = new Tail(context, context.arrivals);
    const watcher = watch(fileOf(context), () => {
      context.arrivals.woken();
      tail.readOn();
    });
    return {
      async [Symbol.asyncDispose]() {
        watcher.close();
        tail[Symbol.dispose]();
      },
    };
  },
};
