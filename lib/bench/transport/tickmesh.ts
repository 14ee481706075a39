/** Ours, whole: a source -> Fetcher -> log -> notices -> openFeed. Nothing is left out that a mesh does. */
import { openFeed } from '../../feed/feed.ts';
import type { FeedOptions } from '../../feed/options.ts';
import { Fetcher } from '../../fetcher/fetcher.ts';
import { logName } from '../../log/name.ts';
import { realClock } from '../../world/clock.ts';
import { newPayload, PROBE, readNumber, writeNumber } from '../record.ts';
import { DueSource } from './due-source.ts';
import type { Transport, WriteContext, Writing } from './transport.ts';

const log = logName('binance/BTC-USDT/trade');

async function write(context: WriteContext): Promise<Writing> {
  const { now, stamps, size } = context;
  const source = new DueSource(log);
  const template = newPayload(size);
  const fetcher = await Fetcher.open({
    node: 'bench',
    data: context.folder,
    source,
    feed: `ipc://${context.folder}/feed.ipc`,
    eventTimeUs: () => undefined,
    clock: realClock,
  });
  const stopping = new AbortController();
  const running = fetcher.run(stopping.signal);
  return {
    async send(from, to) {
      const payloads: Buffer[] = [];
      for (let number = from; number < to; number++) {
        if (number !== PROBE) stamps.begunNs[number] = now();
        const payload = Buffer.from(template);
        writeNumber(payload, 0, number);
        payloads.push(payload);
      }
      await source.bring(payloads);
      if (from === PROBE) return;
      const toldNs = now();
      for (let number = from; number < to; number++) stamps.toldNs[number] = toldNs;
    },
    async [Symbol.asyncDispose]() {
      stopping.abort();
      source.end();
      await running;
      await fetcher[Symbol.asyncDispose]();
    },
  };
}

const tickmesh = (name: string, title: string, options: Partial<FeedOptions>): Transport => ({
  name,
  title,
  side: 'ours',
  reads: true,
  write,
  read: async (context) => {
    const { arrivals } = context;
    const feed = openFeed({
      data: context.folder,
      logs: [log],
      from: 'start',
      hear: () => {
        arrivals.woken();
        return true;
      },
      ...options,
    });
    const reading = (async () => {
      for await (const { records } of feed)
        for (const record of records) {
          if (record.mark !== undefined) continue;
          arrivals.take(readNumber(record.payload, 0));
        }
    })();
    return {
      async [Symbol.asyncDispose]() {
        await feed[Symbol.asyncDispose]();
        await reading;
      },
    };
  },
});

export const tickmeshes: readonly Transport[] = [
  tickmesh('tickmesh-zeromq', 'tickmesh, ZeroMQ only', {}),
];
