/**
 * One client of the streams: what it has subscribed, whether its frames are wrapped, and the answers to its requests.
 * Answers are never wrapped. A name that does not exist is acknowledged, listed, and stays silent.
 */
import type { ClientPort, VenueSession } from '../exchange.ts';
import { variantOf } from './encode.ts';
import { RequestError, parseRequest, type SessionRequest } from './request.ts';
import type { Dialled } from './url.ts';

/** Streams a connection may have: Binance's rule, and what keeps memory bounded where rules are off. */
const STREAMS_STRICT = 1024;
const STREAMS_MAX = 16_384;
/** Client messages a second that Binance allows. */
const MESSAGES_STRICT = 5;
const NAME_MAX = 100;
const POLICY_VIOLATION = 1008;

export type SessionContext = {
  readonly client: ClientPort;
  /** Tells the venue that the stream is wanted; true when it exists and its symbol is served. */
  readonly activate: (stream: string) => boolean;
  readonly nowUs: () => number;
  readonly strict: boolean;
};

export class Session implements VenueSession {
  readonly #context: SessionContext;
  readonly #micro: boolean;
  #combined: boolean;
  /** Subscribed names in order; true where the stream exists. */
  readonly #streams = new Map<string, boolean>();
  readonly #initial: readonly string[];
  #secondUs = 0;
  #messages = 0;

  constructor(dialled: Dialled, context: SessionContext) {
    this.#context = context;
    this.#combined = dialled.combined;
    this.#micro = dialled.micro;
    this.#initial = dialled.streams;
  }

  get #variant(): string {
    return variantOf(this.#combined, this.#micro);
  }

  opened(): void {
    const max = this.#context.strict ? STREAMS_STRICT : STREAMS_MAX;
    this.#subscribe(this.#initial.slice(0, max));
  }

  message(text: string): void {
    const { client } = this.#context;
    if (this.#tooFast()) return client.close(POLICY_VIOLATION, 'Too many requests');
    try {
      client.send(this.#answer(parseRequest(text)));
    } catch (error) {
      if (!(error instanceof RequestError)) throw error;
      client.send(error.frame());
    }
  }

  closed(): void {
    this.#unsubscribe([...this.#streams.keys()]);
  }

  #tooFast(): boolean {
    if (!this.#context.strict) return false;
    const nowUs = this.#context.nowUs();
    if (nowUs - this.#secondUs >= 1_000_000) {
      this.#secondUs = nowUs;
      this.#messages = 0;
    }
    this.#messages++;
    return this.#messages > MESSAGES_STRICT;
  }

  #answer(request: SessionRequest): string {
    const { method, params, id } = request;
    switch (method) {
      case 'SUBSCRIBE': {
        const names = this.#names(request);
        const max = this.#context.strict ? STREAMS_STRICT : STREAMS_MAX;
        if (this.#streams.size + names.length > max) {
          throw new RequestError(2, 'Invalid request: too many parameters', id);
        }
        this.#subscribe(names);
        return `{"result":null,"id":${id}}`;
      }
      case 'UNSUBSCRIBE':
        this.#unsubscribe(this.#names(request));
        return `{"result":null,"id":${id}}`;
      case 'LIST_SUBSCRIPTIONS':
        return `{"result":${JSON.stringify([...this.#streams.keys()])},"id":${id}}`;
      case 'SET_PROPERTY':
        this.#checkProperty(request);
        if (typeof params[1] !== 'boolean') {
          throw new RequestError(1, 'Invalid value type: expected Boolean', id);
        }
        this.#setCombined(params[1]);
        return `{"result":null,"id":${id}}`;
      case 'GET_PROPERTY':
        this.#checkProperty(request);
        return `{"result":${this.#combined},"id":${id}}`;
    }
  }

  #names({ params, id }: SessionRequest): readonly string[] {
    const names = params.filter((one): one is string => typeof one === 'string');
    if (names.length !== params.length || names.length === 0) {
      throw new RequestError(2, 'Invalid request: params must be a list of stream names', id);
    }
    if (names.some((name) => name.length > NAME_MAX)) {
      throw new RequestError(2, `Invalid request: a stream name is too long`, id);
    }
    return names;
  }

  #checkProperty({ params, id }: SessionRequest): void {
    if (typeof params[0] !== 'string') {
      throw new RequestError(2, 'Invalid request: property name must be a string', id);
    }
    if (params[0] !== 'combined') throw new RequestError(0, 'Unknown property', id);
  }

  #subscribe(names: readonly string[]): void {
    for (const name of names) {
      if (this.#streams.has(name)) continue;
      const exists = this.#context.activate(name);
      this.#streams.set(name, exists);
      if (exists) this.#context.client.join(name, this.#variant);
    }
  }

  #unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      if (this.#streams.get(name)) this.#context.client.leave(name, this.#variant);
      this.#streams.delete(name);
    }
  }

  #setCombined(combined: boolean): void {
    if (combined === this.#combined) return;
    const joined = [...this.#streams].filter(([, exists]) => exists).map(([name]) => name);
    for (const name of joined) this.#context.client.leave(name, this.#variant);
    this.#combined = combined;
    for (const name of joined) this.#context.client.join(name, this.#variant);
  }
}
