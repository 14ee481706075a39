/** Ours: a source that is always ready -> Fetcher -> log -> notices -> openFeed, lines split, records in hand. */
import { openFeed } from '../../feed/feed.ts';
import { Fetcher } from '../../fetcher/fetcher.ts';
import { logName } from '../../log/name.ts';
import { BATCH_RECORDS, type SourceRecord } from '../../source/source.ts';
import { realClock } from '../../world/clock.ts';
import { newPayload } from '../record.ts';
import type { Flow } from './flow.ts';

const log = logName('binance/BTC-USDT/trade');

export const tickmeshFlow: Flow = {
  name: 'tickmesh',
  title: 'tickmesh: Fetcher -> log -> openFeed',
  side: 'ours',
  count: 3_000_000,
  write: async ({ folder, size, count }) => {
    const payload = newPayload(size);
    const batch: SourceRecord[] = Array.from({ length: BATCH_RECORDS }, () => ({ log, payload }));
    const fetcher = await Fetcher.open({
      node: 'bench',
      data: folder,
      source: {
        logs: [log],
        async *open() {
          for (let sent = 0; sent < count; sent += batch.length) {
            yield count - sent < batch.length ? batch.slice(0, count - sent) : batch;
          }
        },
      },
      feed: `ipc://${folder}/feed.ipc`,
      eventTimeUs: () => undefined,
      clock: realClock,
    });
    return () => fetcher.run(new AbortController().signal);
  },
  read: async ({ folder, count }) => {
    const feed = openFeed({ data: folder, logs: [log], from: 'start' });
    return async () => {
      let taken = 0;
      for await (const { records } of feed) {
        taken += records.length;
        if (taken >= count) break;
      }
      return taken;
    };
  },
};
