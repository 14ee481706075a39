/** Ours, whole: a source -> Fetcher -> log -> notices -> openFeed. Nothing is left out that a mesh does. */
import { openFeed, type Feed } from '../../feed/feed.ts';
import type { Idle } from '../../feed/options.ts';
import type { FeedBatch } from '../../feed/record.ts';
import { Fetcher } from '../../fetcher/fetcher.ts';
import { logName } from '../../log/name.ts';
import type { ProcessPort } from '../../notifier/notifier.ts';
import type { SourceRecord } from '../../source/source.ts';
import { realClock } from '../../world/clock.ts';
import { writerNice } from '../../topology/nice.ts';
import { newPayload, PROBE, readNumber, writeNumber } from '../record.ts';
import { portToReader } from './relay-process.ts';
import { DueSource } from './due-source.ts';
import type { Place, ServerName, Transport, WriteContext, Writing } from './transport.ts';

const log = logName('binance/BTC-USDT/trade');

type Take = (batch: FeedBatch) => void;
const eachBatch = (feed: Feed, take: Take): Promise<void> => feed.forEach(take);
async function awaitBatches(feed: Feed, take: Take): Promise<void> {
  for await (const batch of feed) take(batch);
}

type FeedOf = (place: Place) => string | readonly string[];
/** The writer's end of a process channel, where it is not that to its own parent. */
type PortOf = (context: WriteContext) => ProcessPort;

async function write(context: WriteContext, feed: FeedOf, port?: PortOf): Promise<Writing> {
  const { now, stamps, size } = context;
  const source = new DueSource(log);
  // As the peers' line: made before, only the number is new.
  const made: SourceRecord[] = [];
  const recordsFor = (count: number): readonly SourceRecord[] => {
    while (made.length < count) made.push({ log, payload: newPayload(size) });
    return made.length === count ? made : made.slice(0, count);
  };
  const fetcher = await Fetcher.open({
    node: 'bench',
    data: context.folder,
    source,
    feed: feed(context),
    ...(port ? { port: port(context) } : {}),
    eventTimeUs: () => undefined,
    clock: realClock,
  });
  const stopping = new AbortController();
  const running = fetcher.run(stopping.signal);
  return {
    async send(from, to) {
      const records = recordsFor(to - from);
      for (let number = from; number < to; number++) {
        if (number !== PROBE) stamps.begunNs[number] = now();
        writeNumber(records[number - from]!.payload, 0, number);
      }
      await source.bring(records);
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

const tickmesh = (
  name: string,
  title: string,
  feedOf: FeedOf,
  idle: Idle = 'park',
  each = eachBatch,
): Transport => ({
  name,
  title,
  side: 'ours',
  reads: true,
  writerNice: writerNice(process.platform),
  write: (context) => write(context, feedOf),
  read: async (context) => {
    const { arrivals } = context;
    const feeds = feedOf(context);
    const feed = openFeed({
      data: context.folder,
      logs: [log],
      from: 'start',
      hear: () => {
        arrivals.woken();
        return true;
      },
      // What a password is part of stands in no log: the reader is told. One that spins needs nobody to tell it.
      ...(idle === 'spin' ? {} : { notices: typeof feeds === 'string' ? 'auto' : feeds }),
      idle,
    });
    const reading = each(feed, ({ records }) => {
      for (const record of records)
        if (record.mark === undefined) arrivals.take(readNumber(record.bytes, record.payloadStart));
    });
    return {
      async [Symbol.asyncDispose]() {
        await feed[Symbol.asyncDispose]();
        await reading;
      },
    };
  },
});

const throughParent: FeedOf = () => ['node-ipc:?channel=bench'];
const zeromqOnly: FeedOf = ({ folder }) => [`ipc://${folder}/feed.ipc`];
/** A single endpoint is joined by watching: what a mesh on one host does by itself. */
const sameHost: FeedOf = ({ folder }) => `ipc://${folder}/feed.ipc`;
/** A channel of this run's own. */
const over =
  (server: ServerName): FeedOf =>
  ({ servers, folder }) => [`${servers[server]!}?channel=${folder.split('-').at(-1)}`];

export const tickmeshes: readonly Transport[] = [
  tickmesh('tickmesh-zeromq', 'tickmesh, ZeroMQ only', zeromqOnly),
  tickmesh('tickmesh-watching', 'tickmesh, watching only', () => ['watching:']),
  {
    ...tickmesh('tickmesh-ipc', 'tickmesh, Node IPC only, parent -> child', throughParent),
    parent: 'writer',
    write: (context) => write(context, throughParent, portToReader),
  },
  {
    ...tickmesh('tickmesh-ipc-relayed', 'tickmesh, Node IPC only, relayed', throughParent),
    parent: 'supervisor',
    rateMax: 1_000,
  },
  {
    ...tickmesh('tickmesh-redis', 'tickmesh, Redis only', over('redis')),
    needs: 'redis',
    rateMax: 1_000,
  },
  {
    ...tickmesh('tickmesh-rabbitmq', 'tickmesh, RabbitMQ only', over('rabbitmq')),
    needs: 'rabbitmq',
    rateMax: 1_000,
  },
  tickmesh('tickmesh', 'tickmesh, same-host default', sameHost),
  {
    ...tickmesh('tickmesh-nice-0', 'tickmesh, same-host default, nice 0', sameHost),
    writerNice: 0,
  },
  {
    ...tickmesh('tickmesh-await', 'tickmesh, for await', sameHost, 'park', awaitBatches),
    rateMax: 1_000,
  },
  tickmesh('tickmesh-adaptive', 'tickmesh, adaptive (spins 200 us)', sameHost, { spinUs: 200 }),
  tickmesh('tickmesh-spin', 'tickmesh, spin', sameHost, 'spin'),
];
