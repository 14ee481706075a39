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
  | { readonly role: 'publisher'; readonly slow: Partial<SlowLimits> }
  | { readonly role: 'audience'; readonly port: number; readonly count: number }
);

const settings = JSON.parse(process.argv[2]!) as AudienceSettings;
const { data, log } = settings;
const say = (event: string, more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};
const commands = createInterface({ input: process.stdin }).on('close', () => process.exit(0));

/** `/ws?fat=bytes`: every record with its receive time in front and so many bytes behind. */
function venueOf(broadcast: Broadcast): Venue {
  const fats = new Set<number>();
  return {
    record({ payload, timeUs }) {
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

async function publish(slow: Partial<SlowLimits>): Promise<void> {
  const publisher = new Publisher({
    venue: ({ broadcast }) => venueOf(broadcast),
    feed: openFeed({ data, logs: [log], from: 'end' }),
    settings: { slow: { ...slowDefaults, ...slow } },
    onSlow: (what) => say('slow', { what }),
    onFailure: (error) => say('failed', { message: String(error) }),
  });
  const { port } = await publisher.start(0);
  commands.on('line', () => say('metrics', { metrics: publisher.metrics }));
  say('ready', { port });
}

/** Gathers latencies from "begin" to "end". */
async function listen(port: number, count: number): Promise<void> {
  let late: number[] = [];
  let on = false;
  const take = (timeUs: number): void => {
    if (on) late.push(realClock.wallUs() - timeUs);
  };
  for (let i = 0; i < count; i++) {
    const feed = openFeed({ data, logs: [log], from: 'end' });
    void (async () => {
      for await (const { records } of feed) for (const { timeUs } of records) take(timeUs);
    })();
    const client = await RawClient.open(port, '/ws?fat=100');
    let heard = 0;
    void client.until(() => {
      for (; heard < client.texts.length; heard++) take(Number(client.texts[heard]!.slice(5, 21)));
      client.texts.length = heard = 0;
      return false;
    });
  }
  commands.on('line', (line) => {
    if (JSON.parse(line) === 'begin') {
      late = [];
      on = true;
      return;
    }
    on = false;
    late.sort((a, b) => a - b);
    const at = (part: number): number => Math.round(late[Math.floor(late.length * part)] ?? NaN);
    say('late', { count: late.length, p50: at(0.5), p99: at(0.99) });
  });
  say('ready');
}

if (settings.role === 'publisher') await publish(settings.slow);
else await listen(settings.port, settings.count);
