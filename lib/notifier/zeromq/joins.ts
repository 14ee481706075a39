/**
 * Subscriptions as XPUB hands them out, and a limit to those that make no sense. libzmq keeps every topic that anybody
 * has subscribed to, however many; readers need those of our logs only. A peer that subscribes to thousands of others
 * is broken or hostile, and cannot be told from the rest: then all are cut, with their topics. A feed asks each of its writers for all its logs,
 * so some foreign ones are fine. Pure.
 *
 *   message = ( 0x01 / 0x00 ) topic          ; joined; the last one left
 *   topic   = [ "D:" / "H:" ] log-name NUL   ; notifier/notice.ts; NUL and all may be missing: a prefix
 */
export const TOPIC_MAX = 256;

export type FloodRule = {
  /** Foreign subscriptions at once, and so many more a second. */
  readonly burst: number;
  readonly perSecond: number;
};
export const defaultFlood: FloodRule = { burst: 50_000, perSecond: 500 };

export type Join = {
  readonly log: string;
  readonly topic: 'notice' | 'beat' | 'data';
  readonly joined: boolean;
};

export class Joins {
  /** Subscriptions to what is not announced here. */
  foreign = 0;
  /** Somebody asked for all topics, or for those with some beginning: whom that concerns is not known. */
  prefixed = false;
  readonly #own: ReadonlySet<string> | undefined;
  readonly #rule: FloodRule;
  #held = 0;
  #atMs: number;

  /** `own`: names of logs that are announced; undefined: all are. */
  constructor(own: Iterable<string> | undefined, nowMs: number, rule: FloodRule = defaultFlood) {
    this.#own = own && new Set(own);
    this.#rule = rule;
    this.#atMs = nowMs;
  }

  /** True when there were too many foreign ones: time to cut all. Starts anew. */
  flooded(nowMs: number): boolean {
    const { burst, perSecond } = this.#rule;
    this.#held = Math.max(0, this.#held - ((nowMs - this.#atMs) * perSecond) / 1_000);
    this.#atMs = nowMs;
    if (this.#held <= burst) return false;
    this.#held = 0;
    return true;
  }

  /** Somebody came for one of our logs, or the last one left it; undefined for anything else. */
  read(message: Buffer): Join | undefined {
    // Another first byte: a peer's own message, which means nothing.
    if (message.length === 0 || message[0]! > 1) return undefined;
    const joined = message[0] === 1;
    if (joined && message.at(-1) !== 0) this.prefixed = true;
    // Without a topic: everything, once a peer.
    if (message.length === 1) return undefined;
    const end = message.at(-1) === 0 ? message.length - 1 : message.length;
    const topic = end <= TOPIC_MAX ? message.toString('latin1', 1, end) : '';
    const mark = topic.slice(0, 2);
    const kind = mark === 'D:' ? 'data' : mark === 'H:' ? 'beat' : 'notice';
    const log = kind === 'notice' ? topic : topic.slice(2);
    if (log !== '' && (this.#own?.has(log) ?? true)) return { log, topic: kind, joined };
    if (joined) {
      this.foreign++;
      this.#held++;
    }
    return undefined;
  }
}
