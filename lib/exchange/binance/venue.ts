/**
 * Binance spot, the server side: records in; streams, sessions and REST answers out.
 *
 *   record -> intake (own log: bytes untouched; other venue: through events) -> market -> topics
 *   tick   -> 100 ms: what waited for time; 1000 and 2000 ms: timed streams
 */
import { instrumentName } from '../../market/instrument.ts';
import type {
  ClientPort,
  Connection,
  RestRequest,
  RestResponse,
  Venue,
  VenueOptions,
  VenueRecord,
  Wrap,
} from '../exchange.ts';
import { Encoder } from './encode.ts';
import { ForeignIntake, NativeIntake, type Take } from './intake.ts';
import { Market, muted } from './market.ts';
import { eventTimeUs } from './read.ts';
import { Rest } from './rest/rest.ts';
import { Session } from './session.ts';
import { TimedStreams } from './streams.ts';
import { toMs } from './write.ts';
import { parseUrl } from './url.ts';

const NAME = 'binance';
const TICK_MS = 100;
const HISTORY_OVER_MS = 1000;
/** A candle is closed this long after its end: the last trades of it are still on their way. */
const CLOSING_US = 250_000;

type Place = { readonly market: Market; intake: NativeIntake | ForeignIntake | undefined };
/** What becomes of the records of one log. */
type Lane = {
  readonly place: Place;
  readonly intake: NativeIntake | ForeignIntake;
  readonly take: Take;
  /** False where payloads have no event time: the envelope's is then the receive time once more. */
  readonly timed: boolean;
  /** Whether the time unit of its payloads has been looked at. */
  unitKnown: boolean;
};

export class BinanceVenue implements Venue {
  readonly ping = {
    everyMs: 20_000,
    deadlineMs: 60_000,
    payload: (nowMs: number): string => String(Math.floor(nowMs)),
  };
  readonly #options: VenueOptions;
  /** By canonical instrument, and by symbol. */
  readonly #places = new Map<string, Place>();
  readonly #markets = new Map<string, Market>();
  /** By log. */
  readonly #lanes = new Map<string, Lane>();
  readonly #encoder = new Encoder();
  readonly #streams: TimedStreams;
  readonly #rest: Rest;

  /** While history is read: that a record of it has just come, or when the last tick knew of one, Unix ms. */
  #history: 'now' | number | undefined;

  constructor(options: VenueOptions) {
    this.#options = options;
    for (const instrument of options.instruments) {
      const name = instrumentName(instrument);
      const market = new Market(instrument, ownChannels(options.logs, name));
      this.#places.set(name, { market, intake: undefined });
      this.#markets.set(market.symbol, market);
    }
    this.#streams = new TimedStreams(this.#markets);
    this.#rest = new Rest({
      markets: this.#markets,
      nowUs: options.nowUs,
      strict: options.strict === true,
      settle: (market) => this.#settle(market),
    });
  }

  record(record: VenueRecord, live: boolean): void {
    let lane = this.#lanes.get(record.log);
    if (lane === undefined || lane.intake !== lane.place.intake) {
      lane = this.#lane(record);
      if (!lane) return;
    }
    if (record.mark !== undefined) return lane.intake.mark(record.channel, record.mark);
    const { market } = lane.place;
    if (!lane.unitKnown) lane.unitKnown = this.#noteUnit(market, record);
    const { timeUs } = record;
    if (lane.timed) {
      const eventUs = record.eventTimeUs;
      // The same where the payload has no time of its own.
      if (eventUs !== timeUs) market.clock(eventUs, timeUs);
    }
    const out = live ? this.#options.broadcast : muted;
    market.flushAggTrade(timeUs, out);
    this.#history = live ? undefined : 'now';
    try {
      lane.take(record.bytes, record.start, record.end, timeUs, out);
    } catch (error) {
      // A payload that is not what its channel says was published as it is; there is nothing to derive from it.
      if (!(error instanceof TypeError || error instanceof SyntaxError)) throw error;
    }
  }

  /** Finds out where a log's records go; undefined where they go nowhere. */
  #lane(record: VenueRecord): Lane | undefined {
    const { log, channel, exchange, timeUs } = record;
    const place = this.#places.get(record.instrument);
    const intake = place && this.#intake(place, record);
    if (!intake) {
      this.#lanes.delete(log);
      return undefined;
    }
    const own = exchange === NAME;
    const lane: Lane = {
      place,
      intake,
      take: intake.take(channel, timeUs),
      timed: !own || channel !== 'bookTicker',
      unitKnown: !own,
    };
    this.#lanes.set(log, lane);
    return lane;
  }

  /** Binance's own log wins over another venue's; of other venues, the first that comes stays. */
  #intake(place: Place, { exchange }: VenueRecord): NativeIntake | ForeignIntake | undefined {
    const { market, intake } = place;
    if (exchange === NAME) {
      if (intake instanceof NativeIntake) return intake;
      place.intake = new NativeIntake(market);
      return place.intake;
    }
    if (intake instanceof NativeIntake) return undefined;
    if (intake) return intake.exchange === exchange ? intake : undefined;
    const read = this.#options.readers?.[exchange];
    if (read) place.intake = new ForeignIntake(market, exchange, read);
    return place.intake;
  }

  /** Finds out, once a log, whether it was recorded with microsecond times; false where this payload does not say. */
  #noteUnit({ symbol }: Market, { channel, payload }: VenueRecord): boolean {
    if (channel !== 'bookTicker' && eventTimeUs(channel, payload) === undefined) return false;
    if (/"E":\d{16}/.test(payload.toString('latin1', 0, 64))) {
      this.#encoder.isMicro(
        `${symbol.toLowerCase()}@${channel === 'depth' ? 'depth@100ms' : channel}`,
      );
    }
    return true;
  }

  tick(nowMs: number): number {
    const nowUs = this.#options.nowUs();
    const readingHistory = this.#isReadingHistory(nowMs);
    const out = readingHistory ? muted : this.#options.broadcast;
    for (const { market, intake } of this.#places.values()) {
      market.flushAggTrade(nowUs, out);
      intake?.flush(toMs(market.now(nowUs)), out);
      // The clock is far ahead of history: what is closed there, its own trades tell.
      if (!readingHistory) market.closeCandles(market.now(nowUs) - CLOSING_US);
    }
    if (!readingHistory) this.#streams.tick(nowMs, nowUs, out);
    return (Math.floor(nowMs / TICK_MS) + 1) * TICK_MS;
  }

  /** History has ended with the first live record, or after a second without any record. */
  #isReadingHistory(nowMs: number): boolean {
    if (this.#history === 'now') this.#history = nowMs;
    if (this.#history === undefined) return false;
    if (nowMs - this.#history < HISTORY_OVER_MS) return true;
    this.#history = undefined;
    return false;
  }

  /** Lets out what waits for time, so that what is asked now agrees with what the streams have said. */
  #settle(market: Market): void {
    const place = this.#places.get(instrumentName(market.instrument));
    place?.intake?.flush(toMs(market.now(this.#options.nowUs())), this.#options.broadcast);
  }

  connect(url: string, client: ClientPort): Connection {
    const dialled = parseUrl(url);
    if (!dialled) return { refuse: 404 };
    const session = new Session(dialled, {
      client,
      activate: (name) => this.#streams.activate(name),
      nowUs: this.#options.nowUs,
      strict: this.#options.strict === true,
    });
    return { session };
  }

  encode(topic: string, variant: string, payload: Buffer | string): Buffer | string {
    return this.#encoder.encode(topic, variant, payload);
  }

  wrap(topic: string, variant: string): Wrap | undefined {
    return this.#encoder.wrap(topic, variant);
  }

  rest(request: RestRequest): RestResponse {
    return this.#rest.answer(request);
  }
}

/** Channels of an instrument that have a log of Binance's own; undefined where the logs are not known. */
function ownChannels(
  logs: readonly string[] | undefined,
  instrument: string,
): ReadonlySet<string> | undefined {
  const prefix = `${NAME}/${instrument}/`;
  return (
    logs &&
    new Set(logs.filter((log) => log.startsWith(prefix)).map((log) => log.slice(prefix.length)))
  );
}
