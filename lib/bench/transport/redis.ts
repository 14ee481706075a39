/** Redis Pub/Sub over a broker of the bench's own: the end of the file is published, the reader reads on. */
import type { Redis } from 'ioredis';
import { Tail, appending } from './file-disk.ts';
import type { Place, Transport } from './transport.ts';

const CHANNEL = 'data_available';

async function connected({ servers }: Place): Promise<Redis> {
  const { Redis: Client } = await import('ioredis');
  const redis = new Client(servers.redis!, { lazyConnect: true, maxRetriesPerRequest: 1 });
  await redis.connect();
  return redis;
}

export const redis: Transport = {
  name: 'redis',
  title: 'Redis Pub/Sub tcp + append + read',
  side: 'peer',
  reads: true,
  needs: 'redis',
  write: async (context) => {
    const client = await connected(context);
    return appending(
      context,
      (end) => void client.publish(CHANNEL, String(end)),
      () => client.disconnect(),
    );
  },
  read: async (context) => {
    const tail = new Tail(context, context.arrivals);
    const client = await connected(context);
    client.on('message', (_channel: string, end: string) => {
      if (Number(end) <= tail.position) return;
      context.arrivals.woken();
      tail.readOn();
    });
    await client.subscribe(CHANNEL);
    return {
      async [Symbol.asyncDispose]() {
        client.disconnect();
        tail[Symbol.dispose]();
      },
    };
  },
};
