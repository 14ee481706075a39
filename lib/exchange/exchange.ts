/**
 * What an exchange is to us, in both directions. Everything in this station is pure: bytes and `now` in, bytes out.
 * Sockets are the publisher's, files the log's.
 *
 *   log line -> VenueRecord -> Venue.record() -> Broadcast.publish(topic, payload) -> one frame for all clients
 *   client text -> VenueSession.message() -> ClientPort.send / join / leave
 *   HTTP request -> Venue.rest() -> RestResponse
 */
import type { Instrument } from '../market/instrument.ts';
import type { MarketEvent } from '../market/event.ts';

/** A record as a venue sees it: names split, payload verbatim. */
export type VenueRecord = {
  /** The log's name; its three parts follow. */
  readonly log: string;
  /** Exchange that the log was recorded from; another one than the venue's own means "through canonical events". */
  readonly exchange: string;
  /** Canonical, "BTC-USDT". */
  readonly instrument: string;
  /** Channel part of the log's name: "trade", "depth", "book-25" … */
  readonly channel: string;
  /** Receive and event time, Unix microseconds. */
  readonly timeUs: number;
  readonly eventTimeUs: number;
  /** The exchange's own text. Valid only during the call: copy what you keep. */
  readonly payload: Buffer;
  /** Where the payload lies: `bytes[start, end)`. To read it there spares a view of it. */
  readonly bytes: Buffer;
  readonly start: number;
  readonly end: number;
  /** "restart", "disconnect" … when the line is a mark; the payload is then not a message. */
  readonly mark: string | undefined;
};

/** Where a venue puts what its subscribers shall see. Encoded once for all clients of a (topic, variant). */
export type Broadcast = {
  /** True when at least one client has joined the topic, in any variant: derive nothing for nobody. */
  wanted(topic: string): boolean;
  /**
   * Payload for all who joined. The venue's `encode` wraps it once for each variant in use. With `start` and `end` the
   * payload is that part of the bytes.
   */
  publish(topic: string, payload: Buffer | string, start?: number, end?: number): void;
};

/** Constant bytes around a payload that goes out untouched. */
export type Wrap = {
  readonly before: Buffer;
  readonly after: Buffer;
  /** False once payloads of the topic go out differently: ask again. */
  readonly stands: boolean;
};

/** One WebSocket client, as a venue sees it. */
export type ClientPort = {
  /** Sends one text frame to this client alone, behind whatever it was sent before. */
  send(text: string): void;
  /** A client gets a topic once, whatever the number of joins; `variant` is the venue's own word ("raw", "combined-us"). */
  join(topic: string, variant: string): void;
  leave(topic: string, variant: string): void;
  close(code: number, reason: string): void;
};

export type VenueSession = {
  /** The connection is open: greet, join what the URL named. */
  opened(): void;
  /** A text frame from the client. Never throws: bad input is answered. */
  message(text: string): void;
  closed(): void;
};

export type RestRequest = {
  readonly method: string;
  /** Path without the query, percent-decoded. */
  readonly path: string;
  /** Query and, for a POST form, body parameters. */
  readonly params: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
};
export type RestResponse = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
};

/** Where the publisher wants a WebSocket to go, or why not. */
export type Connection = { readonly session: VenueSession } | { readonly refuse: number };

/** The server side of one exchange: all its streams, sessions and REST answers. Owns no timer and no socket. */
export type Venue = {
  /** Applies a record: publishes it, updates books, candles, tickers. `live` is false while history is read in. */
  record(record: VenueRecord, live: boolean): void;
  /** Publishes what is due by time (tickers, candles, heartbeats). Returns the next due time, Unix ms. */
  tick(nowMs: number): number;
  /** A WebSocket wants in. `url` is the request's path and query as received. */
  connect(url: string, client: ClientPort): Connection;
  /** Wraps a published payload for one variant: the text of the frame. */
  encode(topic: string, variant: string, payload: Buffer | string): Buffer | string;
  /** What `encode` puts around every payload of a topic in a variant; undefined where it does more, or not there. */
  wrap?(topic: string, variant: string): Wrap | undefined;
  rest(request: RestRequest): RestResponse;
  /** Interval of server pings in ms, and the silence after which a client is cut; payload as the venue sends it. */
  readonly ping: {
    readonly everyMs: number;
    readonly deadlineMs: number;
    payload(nowMs: number): string;
  };
};

/** Reads one exchange's payloads as canonical events; the same as `Exchange.read`. */
export type Reader = (channel: string, payload: Buffer, timeUs: number) => readonly MarketEvent[];

export type VenueOptions = {
  readonly broadcast: Broadcast;
  /** What is served; a symbol that is not among them does not exist. */
  readonly instruments: readonly Instrument[];
  /** The market's clock, Unix microseconds: wall time for a live source, the replay's time for a recorded one. */
  readonly nowUs: () => number;
  /**
   * How to read the logs of other exchanges, by exchange name; a record of one that is not among them is ignored.
   * Injected (`readers()` of registry.ts) so that no venue imports another.
   */
  readonly readers?: Readonly<Record<string, Reader>>;
  /**
   * Names of the logs that will feed it ("binance/BTC-USDT/trade"), where they are known beforehand: a stream without
   * a log is then derived from the first record on, else after a second without one.
   */
  readonly logs?: readonly string[];
  /** Behaviour that is off by default: "strict" rate limits, "legacy" endpoints. */
  readonly strict?: boolean;
};

/** One entry of the registry: reading an exchange's payloads, and being it. */
export type Exchange = {
  readonly name: string;
  /** "BTC-USDT" -> the venue's way to write it, and back (undefined: not a symbol of ours). */
  symbol(instrument: Pick<Instrument, 'base' | 'quote'>): string;
  instrument(symbol: string): { base: string; quote: string } | undefined;
  /** Channels it can record: "trade", "depth" … ; checks a channel's name. */
  isChannel(channel: string): boolean;
  /**
   * A payload of a channel, `bytes[start, end)` or all of it, as canonical events; [] where it says nothing we know.
   * `timeUs` stands in for a missing event time.
   */
  read(
    channel: string,
    bytes: Buffer,
    timeUs: number,
    start?: number,
    end?: number,
  ): readonly MarketEvent[];
  /** The payload's own event time, Unix microseconds, found without a JSON parse; undefined where it has none. */
  eventTimeUs(channel: string, payload: Buffer): number | undefined;
  venue(options: VenueOptions): Venue;
};
