/**
 * The smallest venue there can be, and a feed that a spec fills by hand.
 *
 *   /ws?topics=a,b&variant=raw   joins at once; the topic of a record is its instrument
 *   {"join":"a"} {"leave":"a"} {"echo":x} {"big":bytes} {"close":code} {"work":ms}
 */
import type { Broadcast, ClientPort, Venue } from '../../lib/exchange/exchange.ts';
import { type FeedBatch, type FeedEvent, FeedRecord } from '../../lib/feed/record.ts';
import { ENVELOPE, writeLine } from '../../lib/log/line.ts';
import { type LogName, logName } from '../../lib/log/name.ts';

export type FakeOptions = {
  ping?: { everyMs: number; deadlineMs: number };
  /** Burns so much CPU per record, ms. */
  workMs?: number;
  tickMs?: number;
};

export function fakeVenue(broadcast: Broadcast, options: FakeOptions = {}) {
  const counts = { encodes: 0, records: 0, ticks: [] as number[], closed: 0 };
  const session = (client: ClientPort, url: URL) => {
    const variant = url.searchParams.get('variant') ?? 'raw';
    const topics = url.searchParams.get('topics');
    return {
      opened() {
        client.send('hello');
        for (const topic of topics?.split(',') ?? []) client.join(topic, variant);
      },
      message(text: string) {
        const asked = JSON.parse(text) as {
          join?: string;
          leave?: string;
          echo?: number;
          big?: number;
          close?: number;
          work?: number;
        };
        if (asked.join) {
          client.send(`joined ${asked.join}`);
          client.join(asked.join, variant);
        }
        if (asked.leave) {
          client.leave(asked.leave, variant);
          client.send(`left ${asked.leave}`);
        }
        if (asked.echo !== undefined) client.send(`echo ${asked.echo}`);
        if (asked.big) client.send('b'.repeat(asked.big));
        if (asked.work) {
          const until = performance.now() + asked.work;
          while (performance.now() < until);
          client.send('worked');
        }
        if (asked.close) client.close(asked.close, 'as asked');
      },
      closed() {
        counts.closed++;
      },
    };
  };
  const venue: Venue = {
    record(record) {
      counts.records++;
      const until = performance.now() + (options.workMs ?? 0);
      while (options.workMs && performance.now() < until);
      if (record.payload.toString().includes('poison')) throw new Error('poison');
      if (broadcast.wanted(record.instrument)) broadcast.publish(record.instrument, record.payload);
    },
    tick(nowMs) {
      counts.ticks.push(nowMs);
      return nowMs + (options.tickMs ?? 1_000_000);
    },
    connect(url, client) {
      const parsed = new URL(url, 'ws://x');
      return parsed.pathname === '/ws' ? { session: session(client, parsed) } : { refuse: 404 };
    },
    encode(topic, variant, payload) {
      counts.encodes++;
      return variant === 'raw' ? payload : `{"topic":"${topic}","data":${payload.toString()}}`;
    },
    rest({ method, path, params }) {
      if (path === '/throw') throw new Error('asked to');
      const status = path === '/nothing' ? 404 : 200;
      return { status, body: JSON.stringify({ method, path, params: [...params] }) };
    },
    ping: {
      everyMs: options.ping?.everyMs ?? 20_000,
      deadlineMs: options.ping?.deadlineMs ?? 60_000,
      payload: (nowMs) => String(nowMs),
    },
  };
  return { venue, counts };
}

/** Records of `fake/<instrument>/trade` whose payloads are given. */
export function batchOf(
  payloads: readonly { topic: string; text: string; timeUs?: number }[],
  live = true,
  events: readonly FeedEvent[] = [],
): FeedBatch {
  const names = new Map<string, LogName>();
  const records = payloads.map(({ topic, text, timeUs = 1_700_000_000_000_000 }) => {
    const payload = Buffer.from(text);
    const bytes = Buffer.alloc(payload.length + ENVELOPE);
    const end = writeLine(bytes, 0, timeUs, timeUs, payload);
    let name = names.get(topic);
    if (name === undefined) names.set(topic, (name = logName(`fake/${topic}/trade`)));
    return new FeedRecord(name, 0, bytes, 0, end);
  });
  return { records, live, events, cursors: () => [] };
}

/** A feed that is filled by hand; `taken` counts the batches that the reader came for. */
export class HandFeed implements AsyncIterable<FeedBatch> {
  taken = 0;
  readonly #batches: FeedBatch[] = [];
  #waiting: (() => void) | undefined;
  #ended = false;

  push(batch: FeedBatch): void {
    this.#batches.push(batch);
    this.#waiting?.();
  }
  end(): void {
    this.#ended = true;
    this.#waiting?.();
  }
  async *[Symbol.asyncIterator](): AsyncGenerator<FeedBatch> {
    for (;;) {
      const next = this.#batches.shift();
      if (next !== undefined) {
        this.taken++;
        yield next;
      } else if (this.#ended) return;
      else await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
  }
}
