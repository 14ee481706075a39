/**
 * Processes of the slow consumers' spec: a publisher over a log of numbered records, and an audience that measures how
 * late records come: so many feeds beside the log and as many WebSocket clients of the publisher.
 */
import { createInterface } from 'node:readline';
import type { Broadcast, ClientPort, Venue } from '../../lib/exchange/exchange.ts';
import { openFeed } from '../../lib/feed/feed.ts';
import { Publisher } from '../../lib/publisher/publisher.ts';
import { slowDefaults, type SlowLimits } from '../../lib/publisher/slow.ts';
import { realClock } from '../../lib/world/clock.ts';
import { RawClient } from '../support/raw-client.ts';

export type AudienceSettings = { readonly data: string; readonly log: string } & (
  | {
      readonly role: 'publisher';
      readonly slow: Partial<SlowLimits>;
      /** A seeded fault: it gives a client that is behind time to catch up, and all wait. */
      readonly waits?: boolean;
    }
  | { readonly role: 'audience'; readonly port: number; readonly count: number }
);

const settings = JSON.parse(process.argv[2]!) as AudienceSettings;
const { data, log } = settings;
const say = (event: string, more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};
const commands = createInterface({ input: process.stdin }).on('close', () => process.exit(0));

/** How long the seeded fault waits for a slow client, and how long it does not in between. */
const WAIT_MS = 60;
const WORK_MS = 20;

/** `/ws?fat=bytes`: every record with its receive time in front and so many bytes behind. */
function venueOf(broadcast: Broadcast, waits: () => boolean): Venue {
  const fats = new Set<number>();
  let waitedMs = 0;
  return {
    record({ payload, timeUs }) {
      if (waits() && performance.now() > waitedMs + WORK_MS) {
        const untilMs = performance.now() + WAIT_MS;
        while ((waitedMs = performance.now()) < untilMs);
      }
      for (const fat of fats) {
        const text = payload.toString('latin1');
        broadcast.publish(`${fat}`, `{"t":${timeUs},"d":${text},"fat":"${'x'.repeat(fat)}"}`);
      }
    },
    tick: (nowMs: number) => nowMs + 1_000,
    connect(url: string, client: ClientPort) {
      const fat = Number(new URL(url, 'ws://x').searchParams.get('fat') ?? 0);
      fats.add(fat);
      return {
        session: {
          opened: () => client.join(`${fat}`, 'raw'),
          message: () => undefined,
          closed: () => undefined,
        },
      };
    },
    encode: (_topic: string, _variant: string, payload: Buffer | string) => payload,
    rest: () => ({ status: 404, body: '' }),
    ping: { everyMs: 0, deadlineMs: 60_000, payload: () => '' },
  };
}

async function publish(slow: Partial<SlowLimits>, waits: boolean): Promise<void> {
  let behind = false;
  const publisher = new Publisher({
    venue: ({ broadcast }) => venueOf(broadcast, () => waits && behind),
    feed: openFeed({ data, logs: [log], from: 'end' }),
    settings: { slow: { ...slowDefaults, ...slow } },
    onSlow: (what) => {
      behind = what.event === 'skipping';
      say('slow', { what });
    },
    onFailure: (error) => say('failed', { message: String(error) }),
  });
  const { port } = await publisher.start(0);
  commands.on('line', () => say('metrics', { metrics: publisher.metrics }));
  say('ready', { port });
}

/** Latencies of one kind of consumer, microseconds. */
export type Late = { readonly count: number; readonly p50: number; readonly p99: number };

/** Gathers latencies from "begin" to "end". */
async function listen(port: number, count: number): Promise<void> {
  const late = { feeds: [] as number[], clients: [] as number[] };
  let on = false;
  const take = (into: number[], timeUs: number): void => {
    if (on) into.push(realClock.wallUs() - timeUs);
  };
  for (let i = 0; i < count; i++) {
    const feed = openFeed({ data, logs: [log], from: 'end' });
    void (async () => {
      for await (const { records } of feed)
        for (const { timeUs } of records) take(late.feeds, timeUs);
    })();
    const client = await RawClient.open(port, '/ws?fat=100');
    let heard = 0;
    void client.until(() => {
      for (; heard < client.texts.length; heard++)
        take(late.clients, Number(client.texts[heard]!.slice(5, 21)));
      client.texts.length = heard = 0;
      return false;
    });
  }
  const told = (of: number[]): Late => {
    of.sort((a, b) => a - b);
    const at = (part: number): number => Math.round(of[Math.floor(of.length * part)] ?? NaN);
    return { count: of.length, p50: at(0.5), p99: at(0.99) };
  };
  commands.on('line', (line) => {
    on = JSON.parse(line) === 'begin';
    if (on) late.feeds.length = late.clients.length = 0;
    else say('late', { feeds: told(late.feeds), clients: told(late.clients) });
  });
  say('ready');
}

if (settings.role === 'publisher') await publish(settings.slow, settings.waits ?? false);
else await listen(settings.port, settings.count);
