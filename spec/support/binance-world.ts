/** A Binance venue without a publisher: a clock that is set by hand, clients that keep what they were sent. */
import { binance } from '../../lib/exchange/binance/binance.ts';
import type { Reader, RestResponse, Venue } from '../../lib/exchange/exchange.ts';
import { instrumentOf } from '../../lib/market/instrument.ts';

export class FakeClient {
  readonly frames: string[] = [];
  readonly joined = new Map<string, Set<string>>();
  closed: { code: number; reason: string } | undefined;
  say: (value: unknown) => void = () => {};
  hangUp: () => void = () => {};

  /** The last frame, parsed. */
  last(): unknown {
    return JSON.parse(this.frames.at(-1) ?? 'null');
  }
  /** Everything that came since the last call. */
  take(): string[] {
    return this.frames.splice(0);
  }
  /** Frames with this text in them, parsed. */
  having(text: string): Record<string, unknown>[] {
    return this.frames
      .filter((frame) => frame.includes(text))
      .map((frame) => JSON.parse(frame) as Record<string, unknown>);
  }
}

export type WorldOptions = {
  instruments?: string[];
  logs?: string[];
  readers?: Record<string, Reader>;
  strict?: boolean;
};

export class World {
  readonly venue: Venue;
  readonly clients = new Set<FakeClient>();
  nowUs: number;
  #dueMs = 0;

  constructor(startUs: number, options: WorldOptions = {}) {
    this.nowUs = startUs;
    const { instruments = ['BTC-USDT', 'ETH-USDT'], logs, readers, strict } = options;
    this.venue = binance.venue({
      broadcast: {
        wanted: (topic) => [...this.clients].some((client) => client.joined.has(topic)),
        publish: (topic, payload) => {
          for (const client of this.clients) {
            for (const variant of client.joined.get(topic) ?? []) {
              client.frames.push(this.venue.encode(topic, variant, payload).toString());
            }
          }
        },
      },
      instruments: instruments.map((name) => instrumentOf(name)),
      nowUs: () => this.nowUs,
      ...(logs ? { logs } : {}),
      ...(readers ? { readers } : {}),
      ...(strict === undefined ? {} : { strict }),
    });
  }

  /** Dials; throws where the venue refuses. */
  dial(url: string): FakeClient {
    const client = new FakeClient();
    const connection = this.venue.connect(url, {
      send: (text) => client.frames.push(text),
      join: (topic, variant) => {
        const variants = client.joined.get(topic) ?? new Set();
        client.joined.set(topic, variants.add(variant));
      },
      leave: (topic, variant) => {
        client.joined.get(topic)?.delete(variant);
        if (client.joined.get(topic)?.size === 0) client.joined.delete(topic);
      },
      close: (code, reason) => (client.closed = { code, reason }),
    });
    if ('refuse' in connection) throw new Error(`refused: ${connection.refuse}`);
    const { session } = connection;
    client.say = (value) =>
      session.message(typeof value === 'string' ? value : JSON.stringify(value));
    client.hangUp = () => session.closed();
    this.clients.add(client);
    session.opened();
    return client;
  }

  /** A record at the present time. */
  record(
    log: string,
    payload: string | object,
    more: { live?: boolean; mark?: string; eventTimeUs?: number } = {},
  ): void {
    const [exchange = '', instrument = '', channel = ''] = log.split('/');
    const text = typeof payload === 'string' ? payload : JSON.stringify(payload);
    const bytes = Buffer.from(text);
    const eventTimeUs =
      more.eventTimeUs ??
      (exchange === 'binance' ? binance.eventTimeUs(channel, bytes) : undefined) ??
      this.nowUs;
    const record = {
      exchange,
      instrument,
      channel,
      timeUs: this.nowUs,
      eventTimeUs,
      payload: bytes,
      mark: more.mark,
    };
    this.venue.record(record, more.live ?? true);
    // Nobody may keep the payload: make that visible.
    bytes.fill(0x21);
  }

  /** Lets time pass, ticking the venue whenever it is due. */
  pass(ms: number): void {
    const untilUs = this.nowUs + ms * 1000;
    for (;;) {
      const dueUs = this.#dueMs * 1000;
      if (dueUs > untilUs) break;
      if (dueUs > this.nowUs) this.nowUs = dueUs;
      this.#dueMs = this.venue.tick(Math.floor(this.nowUs / 1000));
    }
    this.nowUs = untilUs;
  }

  get(
    pathAndQuery: string,
    headers: Record<string, string> = {},
  ): RestResponse & { json: unknown } {
    const [path = '', query = ''] = pathAndQuery.split('?');
    const answer = this.venue.rest({
      method: 'GET',
      path,
      params: new URLSearchParams(query),
      headers,
    });
    return { ...answer, json: JSON.parse(answer.body) };
  }
}
