/**
 * One client on Kraken's WebSocket v2: greets, acknowledges, refuses, joins and leaves. Pure protocol; where messages
 * come from is the floor's business. Keys of answers stand in alphabetical order, as Kraken's do.
 *
 * A subscription is told apart by channel, symbol and its interval or trigger. A second book of one symbol is refused
 * whatever its depth: frames do not say their depth, so a client could not tell the two apart.
 */
import type { ClientPort, VenueSession } from '../exchange.ts';
import {
  parseRequest,
  parseSymbols,
  parseWanted,
  symbolRefusal,
  type Request,
  type Wanted,
} from './request.ts';
import { formatTimeUs } from './time.ts';
import { writeStatus, type EngineState } from './write.ts';

export const HEARTBEAT_TOPIC = 'heartbeat';
export const STATUS_TOPIC = 'status';
/** The one way in which frames are written here; v1 will be another. */
const VARIANT = 'v2';

/** What a session asks of the venue. */
export type Floor = {
  readonly nowUs: () => number;
  readonly system: () => EngineState;
  /** True when the symbol is traded here. */
  has(symbol: string): boolean;
  topic(wanted: Wanted, symbol: string): string;
  /** Where a new subscriber starts; undefined while there is nothing yet. To be called before joining. */
  snapshot(wanted: Wanted, symbol: string): string | undefined;
};

/** Options of a subscription as its acknowledgement repeats them. */
function resultOf(wanted: Wanted, symbol: string, subscribe: boolean): string {
  const snapshot = subscribe ? `,"snapshot":${wanted.snapshot}` : '';
  const pair = `,"symbol":${JSON.stringify(symbol)}`;
  switch (wanted.channel) {
    case 'book':
      return `{"channel":"book","depth":${wanted.depth}${snapshot}${pair}}`;
    case 'ticker':
      return `{"channel":"ticker","event_trigger":"${wanted.trigger}"${snapshot}${pair}}`;
    case 'trade':
      return `{"channel":"trade"${snapshot}${pair}}`;
    case 'ohlc': {
      const warnings = subscribe
        ? `,"warnings":["timestamp is deprecated, use interval_begin"]`
        : '';
      return `{"channel":"ohlc","interval":${wanted.minutes}${snapshot}${pair}${warnings}}`;
    }
    case 'instrument':
      return `{"channel":"instrument"${snapshot}}`;
  }
}

/** Subscriptions with the same key exclude each other. */
const keyOf = (wanted: Wanted, symbol: string, topic: string): string =>
  wanted.channel === 'book' ? `${symbol} book` : topic;

export class Session implements VenueSession {
  readonly #client: ClientPort;
  readonly #floor: Floor;
  readonly #connectionId: string;
  /** Key -> what is subscribed. */
  readonly #subscriptions = new Map<string, { topic: string; wanted: Wanted }>();
  #beating = false;

  constructor(client: ClientPort, floor: Floor, connectionId: string) {
    this.#client = client;
    this.#floor = floor;
    this.#connectionId = connectionId;
  }

  opened(): void {
    this.#client.send(writeStatus(this.#floor.system(), this.#connectionId));
    this.#client.join(STATUS_TOPIC, VARIANT);
  }

  message(text: string): void {
    const inUs = this.#floor.nowUs();
    const request = parseRequest(text);
    if (!request) return this.#refuse('Malformed request', undefined, inUs);
    const { method } = request;
    if (method === 'ping') this.#client.send(`{"method":"pong"${this.#tail(request, inUs)}}`);
    else if (method === 'subscribe' || method === 'unsubscribe') this.#each(request, inUs);
    else if (method === '') this.#refuse('Malformed request', request, inUs);
    else {
      const known = /^(?:add|amend|edit|cancel|batch)_/.test(method);
      const reason = known
        ? 'Private data and trading are unavailable on this endpoint. Try ws-auth.kraken.com'
        : 'Method(s) not found';
      this.#refuse(reason, request, inUs);
    }
  }

  closed(): void {
    this.#subscriptions.clear();
  }

  #each(request: Request, inUs: number): void {
    const wanted = parseWanted(request.params);
    if (typeof wanted === 'string') return this.#refuse(wanted, request, inUs);
    const act = (symbol: string): void => {
      if (request.method === 'subscribe') this.#subscribe(request, wanted, symbol, inUs);
      else this.#unsubscribe(request, wanted, symbol, inUs);
    };
    if (wanted.channel === 'instrument') return act('');
    const symbols = parseSymbols(request.params);
    if (typeof symbols === 'string') return this.#refuse(symbols, request, inUs);
    for (const symbol of symbols) {
      if (this.#floor.has(symbol)) act(symbol);
      else this.#refuse(symbolRefusal(symbol), request, inUs, symbol);
    }
  }

  #subscribe(request: Request, wanted: Wanted, symbol: string, inUs: number): void {
    const topic = this.#floor.topic(wanted, symbol);
    const key = keyOf(wanted, symbol, topic);
    if (this.#subscriptions.has(key)) {
      return this.#refuse('Already subscribed', request, inUs, symbol);
    }
    this.#subscriptions.set(key, { topic, wanted });
    this.#acknowledge(request, resultOf(wanted, symbol, true), inUs);
    const snapshot = this.#floor.snapshot(wanted, symbol);
    if (wanted.snapshot && snapshot !== undefined) this.#client.send(snapshot);
    this.#client.join(topic, VARIANT);
    if (this.#beating) return;
    this.#beating = true;
    this.#client.join(HEARTBEAT_TOPIC, VARIANT);
  }

  #unsubscribe(request: Request, wanted: Wanted, symbol: string, inUs: number): void {
    const key = keyOf(wanted, symbol, this.#floor.topic(wanted, symbol));
    const found = this.#subscriptions.get(key);
    if (!found) return this.#refuse('Subscription Not Found', request, inUs, symbol);
    this.#subscriptions.delete(key);
    this.#client.leave(found.topic, VARIANT);
    this.#acknowledge(request, resultOf(found.wanted, symbol, false), inUs);
  }

  #acknowledge(request: Request, result: string, inUs: number): void {
    const { method } = request;
    const id = request.id === '' ? '' : `,"req_id":${request.id}`;
    const times = this.#times(inUs);
    this.#client.send(`{"method":"${method}"${id},"result":${result},"success":true${times}}`);
  }

  #refuse(reason: string, request: Request | undefined, inUs: number, symbol = ''): void {
    const method = request?.method ? `,"method":${JSON.stringify(request.method)}` : '';
    const id = request?.id ? `,"req_id":${request.id}` : '';
    const pair = symbol === '' ? '' : `,"symbol":${JSON.stringify(symbol)}`;
    const error = JSON.stringify(reason);
    const times = this.#times(inUs);
    this.#client.send(`{"error":${error}${method}${id},"success":false${pair}${times}}`);
  }

  #tail(request: Request, inUs: number): string {
    return `${request.id === '' ? '' : `,"req_id":${request.id}`}${this.#times(inUs)}`;
  }

  #times(inUs: number): string {
    const outUs = Math.max(inUs, this.#floor.nowUs());
    return `,"time_in":"${formatTimeUs(inUs)}","time_out":"${formatTimeUs(outUs)}"`;
  }
}
