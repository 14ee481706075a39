/**
 * Kraken spot, the server side. WebSocket v2 is at `/v2`, behind any prefix, as the real host has it; `/` is the place
 * of v1, which is not served yet (refused with 404, so that a v1 client is not answered in words it cannot read).
 * Any other path is refused too.
 *
 * A heartbeat goes out once a second to everyone who has subscribed to something. The real venue sends it beside the
 * data as well: 50 in a recording of 50.7 s with 40 book updates a second.
 */
import { instrumentName, type Instrument } from '../../market/instrument.ts';
import type {
  ClientPort,
  Connection,
  RestRequest,
  RestResponse,
  Venue,
  VenueOptions,
  VenueRecord,
} from '../exchange.ts';
import { writeInstruments } from './instruments.ts';
import { Market } from './market.ts';
import type { Wanted } from './request.ts';
import { restAnswer } from './rest.ts';
import { HEARTBEAT_TOPIC, STATUS_TOPIC, Session, type Floor } from './session.ts';
import { pairIndex } from './symbol.ts';
import { HEARTBEAT, writeStatus, type EngineState } from './write.ts';

const HEARTBEAT_MS = 1000;

export class KrakenVenue implements Venue {
  /** Clients ping with messages of their own; the server's pings only find the dead. */
  readonly ping = { everyMs: 20_000, deadlineMs: 60_000, payload: (): string => '' };
  readonly #options: VenueOptions;
  readonly #markets = new Map<string, Market>();
  readonly #bySymbol = new Map<string, Market>();
  readonly #find: (name: string) => Market | undefined;
  #system: EngineState = 'online';
  #connections = 0n;
  #beatMs = 0;

  constructor(options: VenueOptions) {
    this.#options = options;
    const { broadcast, instruments, readers = {} } = options;
    for (const instrument of instruments) {
      const market = new Market(instrument, broadcast, readers);
      this.#markets.set(instrumentName(instrument), market);
      this.#bySymbol.set(market.symbol, market);
    }
    const index = pairIndex(instruments);
    this.#find = (name) => {
      const pair = index(name);
      return pair && this.#markets.get(instrumentName(pair));
    };
  }

  record(record: VenueRecord, live: boolean): void {
    this.#markets.get(record.instrument)?.record(record, live);
  }

  tick(nowMs: number): number {
    if (nowMs - this.#beatMs >= HEARTBEAT_MS || nowMs < this.#beatMs) {
      // Late ticks do not pile up: the next one is due a second after the last was, unless that is over too.
      const due = this.#beatMs + HEARTBEAT_MS;
      this.#beatMs = nowMs - due < HEARTBEAT_MS && nowMs >= due ? due : nowMs;
      const { broadcast } = this.#options;
      if (broadcast.wanted(HEARTBEAT_TOPIC)) broadcast.publish(HEARTBEAT_TOPIC, HEARTBEAT);
    }
    return this.#beatMs + HEARTBEAT_MS;
  }

  connect(url: string, client: ClientPort): Connection {
    const path = url.split('?', 1)[0]!;
    if (!/(?:^|\/)v2\/?$/.test(path)) return { refuse: 404 };
    return { session: new Session(client, this.#floor, this.#connectionId()) };
  }

  /** Beyond 2^53 and within 64 bits, as Kraken's: the time in nanoseconds, and a count against repeats. */
  #connectionId(): string {
    this.#connections++;
    return String(BigInt(this.#options.nowUs()) * 1000n + this.#connections);
  }

  encode(_topic: string, _variant: string, payload: Buffer | string): Buffer | string {
    return payload;
  }

  rest(request: RestRequest): RestResponse {
    const floor = {
      markets: [...this.#markets.values()],
      find: this.#find,
      nowUs: this.#options.nowUs,
      system: () => this.#system,
    };
    return restAnswer(floor, request);
  }

  /** Changes the engine's state and tells all who are connected. */
  setSystem(system: EngineState): void {
    this.#system = system;
    const { broadcast } = this.#options;
    if (broadcast.wanted(STATUS_TOPIC)) {
      broadcast.publish(STATUS_TOPIC, writeStatus(system, this.#connectionId()));
    }
  }

  #priceDecimals(instrument: Instrument): number {
    return this.#markets.get(instrumentName(instrument))!.priceDecimals;
  }

  readonly #floor: Floor = {
    nowUs: () => this.#options.nowUs(),
    system: () => this.#system,
    has: (symbol) => this.#bySymbol.has(symbol),
    topic: (wanted, symbol) => {
      if (wanted.channel === 'instrument') return 'instrument';
      const market = this.#bySymbol.get(symbol)!;
      return topicOf(market, wanted);
    },
    snapshot: (wanted, symbol) => {
      if (wanted.channel === 'instrument') {
        const { instruments } = this.#options;
        return writeInstruments(instruments, (one) => this.#priceDecimals(one));
      }
      return snapshotOf(this.#bySymbol.get(symbol)!, wanted);
    },
  };
}

type MarketChannel = Exclude<Wanted, { channel: 'instrument' }>;

function topicOf(market: Market, wanted: MarketChannel): string {
  switch (wanted.channel) {
    case 'book':
      return market.books.topic(wanted.depth);
    case 'trade':
      return market.trades.topic;
    case 'ticker':
      return market.ticker.topic(wanted.trigger);
    case 'ohlc':
      return market.ohlc.topic(wanted.minutes);
  }
}

function snapshotOf(market: Market, wanted: MarketChannel): string | undefined {
  switch (wanted.channel) {
    case 'book':
      return market.books.join(wanted.depth);
    case 'trade':
      return market.trades.snapshot();
    case 'ticker':
      return market.ticker.snapshot();
    case 'ohlc':
      return market.ohlc.snapshot(wanted.minutes, market.timeUs);
  }
}
