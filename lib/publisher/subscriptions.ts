/**
 * Who gets what. An audience is all who joined a (topic, variant). A crowd is all clients with the very same
 * subscriptions: they get the same bytes, so a turn is put together once a crowd, not once a client.
 * The crowd of a client is worked out once per burst of joins (`settle`), not at each.
 */
import type { Wrap } from '../exchange/exchange.ts';
import { Pile } from './arena.ts';
import type { BytesOf } from './source.ts';

export type Member = {
  readonly audiences: Set<Audience>;
  /** The crowd it is in; undefined while its subscriptions are changing, or before the first. */
  crowd: Crowd | undefined;
  gone: boolean;
};

export class Audience {
  readonly id: number;
  readonly topic: string;
  readonly variant: string;
  /** Clients that joined, in a crowd already or not. */
  size = 0;
  crowds: readonly Crowd[] = [];
  /** What the venue puts around a payload, once asked; null: that is for `encode`. */
  wrap: Wrap | null | undefined = undefined;
  /** Where the last payload came from: the next one comes from there too, as a rule. */
  source: BytesOf | undefined = undefined;

  constructor(id: number, topic: string, variant: string) {
    this.id = id;
    this.topic = topic;
    this.variant = variant;
  }
}

export class Crowd {
  readonly key: string;
  readonly audiences: readonly Audience[];
  readonly clients = new Set<Member>();
  /** This turn's frames. */
  readonly pile = new Pile();

  constructor(key: string, audiences: readonly Audience[]) {
    this.key = key;
    this.audiences = audiences;
  }
}

export class Subscriptions {
  readonly #topics = new Map<string, readonly Audience[]>();
  readonly #crowds = new Map<string, Crowd>();
  readonly #unsettled = new Set<Member>();
  readonly #flush: (crowd: Crowd) => void;
  #ids = 0;

  /** `flush` lets go a crowd's frames; called before somebody enters or leaves a crowd that has some. */
  constructor(flush: (crowd: Crowd) => void) {
    this.#flush = flush;
  }

  has(topic: string): boolean {
    return this.#topics.has(topic);
  }

  /** The audiences of a topic, their crowds up to date. */
  audiences(topic: string): readonly Audience[] | undefined {
    if (this.#unsettled.size > 0) this.#settle();
    return this.#topics.get(topic);
  }

  /** Clients of each topic, all variants together. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [topic, variants] of this.#topics) {
      let sum = 0;
      for (const audience of variants) sum += audience.size;
      counts[topic] = sum;
    }
    return counts;
  }

  /** Joining twice is joining once. */
  join(member: Member, topic: string, variant: string): void {
    let audience = this.#find(topic, variant);
    if (audience === undefined) {
      audience = new Audience(this.#ids++, topic, variant);
      this.#topics.set(topic, [...(this.#topics.get(topic) ?? []), audience]);
    }
    if (member.audiences.has(audience)) return;
    this.#unsettle(member);
    member.audiences.add(audience);
    audience.size++;
  }

  leave(member: Member, topic: string, variant: string): void {
    const audience = this.#find(topic, variant);
    if (audience === undefined || !member.audiences.has(audience)) return;
    this.#unsettle(member);
    member.audiences.delete(audience);
    this.#left(audience);
  }

  #find(topic: string, variant: string): Audience | undefined {
    return this.#topics.get(topic)?.find((audience) => audience.variant === variant);
  }

  /** Leaves everything. */
  remove(member: Member): void {
    this.#unsettle(member);
    this.#unsettled.delete(member);
    for (const audience of member.audiences) this.#left(audience);
    member.audiences.clear();
  }

  #left(audience: Audience): void {
    if (--audience.size > 0) return;
    const left = this.#topics.get(audience.topic)!.filter((one) => one !== audience);
    if (left.length > 0) this.#topics.set(audience.topic, left);
    else this.#topics.delete(audience.topic);
  }

  #unsettle(member: Member): void {
    const { crowd } = member;
    if (crowd !== undefined) {
      if (!member.gone) this.#flush(crowd);
      crowd.clients.delete(member);
      member.crowd = undefined;
      if (crowd.clients.size === 0) {
        this.#crowds.delete(crowd.key);
        for (const audience of crowd.audiences) {
          audience.crowds = audience.crowds.filter((one) => one !== crowd);
        }
      }
    }
    this.#unsettled.add(member);
  }

  #settle(): void {
    for (const member of this.#unsettled) {
      if (member.audiences.size === 0) continue;
      const audiences = [...member.audiences].sort((a, b) => a.id - b.id);
      const key = audiences.map((audience) => audience.id).join();
      let crowd = this.#crowds.get(key);
      if (crowd === undefined) {
        this.#crowds.set(key, (crowd = new Crowd(key, audiences)));
        for (const audience of audiences) audience.crowds = [...audience.crowds, crowd];
      }
      // What it got earlier in this turn is not the newcomer's.
      this.#flush(crowd);
      crowd.clients.add(member);
      member.crowd = crowd;
    }
    this.#unsettled.clear();
  }
}
