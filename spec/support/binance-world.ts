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
        publish: (topic, bytes, start = 0, end = bytes.length) => {
          const payload = typeof bytes === 'string' ? bytes : bytes.subarray(start, end);
          for (const client of this.clients) {
            for (const variant of client.joined.get(topic) ?? []) {
              const frame = this.venue.encode(topic, variant, payload).toString();
              const wrap = this.venue.wrap?.(topic, variant);
              const wrapped = wrap && [wrap.before, payload, wrap.after].map(String).join('');
              if (wrap?.stands && wrapped !== frame) throw new Error(`${wrapped} is not ${frame}`);
              client.frames.push(frame);
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
    content: string | object,
    more: { live?: boolean; mark?: string; eventTimeUs?: number } = {},
  ): void {
    const [exchange = '', instrument = '', channel = ''] = log.split('/');
    const text = typeof content === 'string' ? content : JSON.stringify(content);
    // In the midst of other bytes, as in a log.
    const bytes = Buffer.from(`{"data":${text}}\n`);
    const start = '{"data":'.length;
    const end = bytes.length - 2;
    const payload = bytes.subarray(start, end);
    const eventTimeUs =
      more.eventTimeUs ??
      (exchange === 'binance' ? binance.eventTimeUs(channel, payload) : undefined) ??
      this.nowUs;
    const record = {
      log,
      exchange,
      instrument,
      channel,
      timeUs: this.nowUs,
      eventTimeUs,
      payload,
      bytes,
      start,
      end,
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
