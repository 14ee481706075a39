/** A Kraken venue without sockets: clients are arrays of frames. And the recorded files as frames. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Broadcast, VenueRecord, VenueSession } from '../../lib/exchange/exchange.ts';
import { exchanges, readers } from '../../lib/exchange/registry.ts';
import type { KrakenVenue } from '../../lib/exchange/kraken/venue.ts';
import { instrumentOf } from '../../lib/market/instrument.ts';
import { recorded } from './data.ts';

const T0 = 1_785_641_750_000_000;

export class TestClient {
  /** Frames not yet taken. */
  frames: string[] = [];
  session: VenueSession | undefined;

  ask(request: unknown): string[] {
    this.session!.message(typeof request === 'string' ? request : JSON.stringify(request));
    return this.take();
  }
  subscribe(channel: string, symbol: string, params: object = {}): string[] {
    return this.ask({ method: 'subscribe', params: { channel, symbol: [symbol], ...params } });
  }
  take(): string[] {
    const { frames } = this;
    this.frames = [];
    return frames;
  }
}

export class Harness {
  readonly venue: KrakenVenue;
  readonly #topics = new Map<string, Set<TestClient>>();
  nowUs = T0;

  constructor(...instruments: string[]) {
    const broadcast: Broadcast = {
      wanted: (topic) => (this.#topics.get(topic)?.size ?? 0) > 0,
      publish: (topic, payload) => {
        const frame = this.venue.encode(topic, 'v2', payload).toString('latin1');
        for (const client of this.#topics.get(topic) ?? []) client.frames.push(frame);
      },
    };
    this.venue = exchanges['kraken']!.venue({
      broadcast,
      instruments: instruments.map((name) => instrumentOf(name)),
      nowUs: () => this.nowUs,
      readers: readers(),
    }) as KrakenVenue;
  }

  /** Connects; the greeting stays in `frames` unless `quiet`. */
  connect(url = '/v2', quiet = true): TestClient {
    const client = new TestClient();
    const connection = this.venue.connect(url, {
      send: (text) => client.frames.push(text),
      join: (topic) => {
        if (!this.#topics.has(topic)) this.#topics.set(topic, new Set());
        this.#topics.get(topic)!.add(client);
      },
      leave: (topic) => this.#topics.get(topic)?.delete(client),
      close: () => {},
    });
    if ('refuse' in connection) throw new Error(`refused with ${connection.refuse}`);
    client.session = connection.session;
    client.session.opened();
    if (quiet) client.take();
    return client;
  }

  record(
    log: string,
    text: string | Buffer,
    options: Partial<VenueRecord> = {},
    live = true,
  ): void {
    const [exchange = '', instrument = '', channel = ''] = log.split('/');
    const payload = Buffer.from(text);
    const timeUs = this.nowUs;
    const eventTimeUs = exchanges[exchange]?.eventTimeUs(channel, payload) ?? timeUs;
    const place = { payload, bytes: payload, start: 0, end: payload.length, mark: undefined };
    this.venue.record(
      { log, exchange, instrument, channel, timeUs, eventTimeUs, ...place, ...options },
      live,
    );
  }

  rest(pathAndQuery: string): { status: number; error: string[]; result: Record<string, unknown> } {
    const url = new URL(pathAndQuery, 'http://kraken');
    const request = { method: 'GET', path: url.pathname, params: url.searchParams, headers: {} };
    const { status, body } = this.venue.rest(request);
    return {
      status,
      ...(JSON.parse(body) as { error: string[]; result: Record<string, unknown> }),
    };
  }
}

/** Bytes of a recorded file, unpacked; undefined, and the test passed with the reason logged, where it is absent. */
export function recordedBytes(
  t: { log(...values: unknown[]): void; pass(): unknown },
  name: string,
): Buffer | undefined {
  const file = recorded(t, name);
  if (file !== undefined) return gunzipSync(readFileSync(file));
  t.pass();
  return undefined;
}

/** Frames of a CBCAP1 file. */
export function capturedFrames(bytes: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  let at = bytes.indexOf(10) + 1;
  while (at < bytes.length) {
    const end = bytes.indexOf(10, at);
    const [, length = ''] = bytes.toString('latin1', at, end).split(' ');
    frames.push(bytes.subarray(end + 1, end + 1 + Number(length)));
    at = end + 2 + Number(length);
  }
  return frames;
}

/** Records of a Binance hftbacktest file: the log they go to and their payload. */
export function* hftRecords(
  bytes: Buffer,
): Generator<{ log: string; payload: Buffer; timeUs: number }> {
  const names: Record<string, string> = {
    'btcusdt@depth@100ms': 'depth',
    'btcusdt@bookTicker': 'bookTicker',
    'btcusdt@trade': 'trade',
  };
  for (let at = 0; at < bytes.length;) {
    let end = bytes.indexOf(10, at);
    if (end < 0) end = bytes.length;
    const timeUs = Number(bytes.toString('latin1', at, at + 16));
    const body = bytes.subarray(at + 20, end);
    at = end + 1;
    if (body.length === 0) continue;
    const stream = /^\{"stream":"([^"]+)","data":/.exec(body.toString('latin1', 0, 80));
    const channel = stream ? names[stream[1]!]! : 'depth';
    const payload = stream ? body.subarray(stream[0].length, body.length - 1) : body;
    yield { log: `binance/BTC-USDT/${channel}`, payload, timeUs };
  }
}
