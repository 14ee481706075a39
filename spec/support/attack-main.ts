/**
 * What is attacked: a fetcher with keys and a publisher in a process of their own, so that their memory can be measured.
 * Told what to be over the process channel; tells counts when asked.
 */
import { exchanges } from '../../lib/exchange/registry.ts';
import { openFeed } from '../../lib/feed/feed.ts';
import { instrumentOf } from '../../lib/market/instrument.ts';
import type { KeyPair, PublicKeys } from '../../lib/mesh/curve.ts';
import { Security } from '../../lib/mesh/security-zeromq.ts';
import { Publisher } from '../../lib/publisher/publisher.ts';
import { tellEnded, tellIncidents } from '../../nodes/incidents-timer.ts';
import {
  announcerCounts,
  endedCounts,
  publisherCounts,
  securityCounts,
  serverCounts,
} from '../../nodes/counts.ts';
import { feedBy, trades } from './copies.ts';

export type AttackedSettings = {
  readonly data: string;
  readonly keys: KeyPair;
  readonly readers: PublicKeys;
  readonly inboxes: Readonly<Record<string, string>>;
};
export type Attacked = { readonly feed: string; readonly catchup: string; readonly port: number };
export type AttackedNow = {
  readonly records: number;
  readonly position: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly said: readonly string[];
};

const EVERY_MS = 20;

async function serve({ data, keys, readers, inboxes }: AttackedSettings): Promise<void> {
  const security = await Security.open({ node: 'fetcher', keys, readers });
  const tcp = 'tcp://127.0.0.1:*';
  const { source, fetcher } = await feedBy({
    data,
    feed: tcp,
    // Small, so that a crowded machine can overdraw it too.
    catchup: { endpoint: tcp, readers: inboxes, budget: { perSecond: 100, burst: 200 } },
    security,
  });
  setInterval(() => source.push(trades, 4), EVERY_MS);
  const publisher = new Publisher({
    venue: (seams) =>
      exchanges['binance']!.venue({ ...seams, instruments: [instrumentOf('BTC-USDT')] }),
    feed: openFeed({ data, logs: [trades], from: 'start', notices: ['watching:'] }),
    settings: { origins: ['https://good.example'], compression: true, maxConnections: 300 },
  });
  const { port } = await publisher.start(0);
  const said: string[] = [];
  const counts = (): Record<string, number> => ({
    ...securityCounts(security),
    ...announcerCounts(fetcher.announcer),
    ...serverCounts(fetcher.server),
    ...publisherCounts(publisher),
  });
  const ended = (): Record<string, number> =>
    endedCounts(fetcher.announcer?.door, fetcher.server?.door);
  const tell = (_facts: unknown, text: string): void => void said.push(text);
  const logger = { warn: tell, info: tell } as unknown as Parameters<typeof tellEnded>[0] &
    Parameters<typeof tellIncidents>[0];
  tellIncidents(logger, counts);
  tellEnded(logger, ended);
  process.on('message', () => {
    const { position, lines } = fetcher.writers.get(trades)!;
    process.send?.({
      records: lines,
      position,
      counts: { ...counts(), ...ended() },
      said,
    } satisfies AttackedNow);
  });
  process.send?.({
    feed: fetcher.announcer!.endpoint,
    catchup: fetcher.server!.endpoints[0]!,
    port,
  } satisfies Attacked);
}

process.on('disconnect', () => process.exit());
process.once('message', (settings) => void serve(settings as AttackedSettings));
