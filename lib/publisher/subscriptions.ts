/**
 * Who gets what. An audience is all who joined a (topic, variant). A crowd is all clients with the very same
 * subscriptions: they get the same bytes, so a turn is put together once a crowd, not once a client.
 * The crowd of a client is worked out once per burst of joins (`settle`), not at each.
 */
import { Pile } from './frame.ts';

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
  readonly crowds = new Set<Crowd>();

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
  readonly #topics = new Map<string, Map<string, Audience>>();
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
  audiences(topic: string): Iterable<Audience> | undefined {
    if (this.#unsettled.size > 0) this.#settle();
    return this.#topics.get(topic)?.values();
  }

  /** Clients of each topic, all variants together. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const [topic, variants] of this.#topics) {
      let sum = 0;
      for (const audience of variants.values()) sum += audience.size;
      counts[topic] = sum;
    }
    return counts;
  }

  /** Joining twice is joining once. */
  join(member: Member, topic: string, variant: string): void {
    let variants = this.#topics.get(topic);
    if (variants === undefined) this.#topics.set(topic, (variants = new Map()));
    let audience = variants.get(variant);
    if (audience === undefined) {
      variants.set(variant, (audience = new Audience(this.#ids++, topic, variant)));
    }
    if (member.audiences.has(audience)) return;
    this.#unsettle(member);
    member.audiences.add(audience);
    audience.size++;
  }

  leave(member: Member, topic: string, variant: string): void {
    const audience = this.#topics.get(topic)?.get(variant);
    if (audience === undefined || !member.audiences.has(audience)) return;
    this.#unsettle(member);
    member.audiences.delete(audience);
    this.#left(audience);
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
    const variants = this.#topics.get(audience.topic);
    variants?.delete(audience.variant);
    if (variants?.size === 0) this.#topics.delete(audience.topic);
  }

  #unsettle(member: Member): void {
    const { crowd } = member;
    if (crowd !== undefined) {
      if (!member.gone) this.#flush(crowd);
      crowd.clients.delete(member);
      member.crowd = undefined;
      if (crowd.clients.size === 0) {
        this.#crowds.delete(crowd.key);
        for (const audience of crowd.audiences) audience.crowds.delete(crowd);
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
        for (const audience of audiences) audience.crowds.add(crowd);
      }
      // What it got earlier in this turn is not the newcomer's.
      this.#flush(crowd);
      crowd.clients.add(member);
      member.crowd = crowd;
    }
    this.#unsettled.clear();
  }
}
