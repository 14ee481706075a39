/**
 * A published payload as the text of a frame, in one of four variants: bare or wrapped with the stream's name, times
 * as they are or in the other unit. The default, bare and milliseconds, is the payload itself.
 */
import type { Wrap } from '../exchange.ts';
import { toMicro, toMilli } from './time-unit.ts';

export type Variant = 'raw' | 'combined' | 'raw-us' | 'combined-us';

export const variantOf = (combined: boolean, micro: boolean): Variant =>
  `${combined ? 'combined' : 'raw'}${micro ? '-us' : ''}`;

type Own = { -readonly [Key in keyof Wrap]: Wrap[Key] };

const NOTHING = Buffer.alloc(0);
const BRACE = Buffer.from('}');

export class Encoder {
  /** By topic, then variant. */
  readonly #wraps = new Map<string, Map<string, Own>>();
  readonly #heads = new Map<string, Buffer>();
  /** Topics whose payloads carry microseconds already, because the log was recorded so. */
  readonly #micro = new Set<string>();

  /** Notes that payloads of this topic have 16-digit times. */
  isMicro(topic: string): void {
    this.#micro.add(topic);
    for (const wrap of this.#wraps.get(topic)?.values() ?? []) wrap.stands = false;
    this.#wraps.delete(topic);
  }

  /** What goes around a payload of the topic; undefined where its times have to be written anew. */
  wrap(topic: string, variant: string): Wrap | undefined {
    if (variant.endsWith('-us') !== this.#micro.has(topic)) return undefined;
    let wraps = this.#wraps.get(topic);
    if (!wraps) this.#wraps.set(topic, (wraps = new Map()));
    let wrap = wraps.get(variant);
    if (!wrap) {
      const raw = variant.startsWith('raw');
      wrap = {
        before: raw ? NOTHING : this.#head(topic),
        after: raw ? NOTHING : BRACE,
        stands: true,
      };
      wraps.set(variant, wrap);
    }
    return wrap;
  }

  encode(topic: string, variant: string, payload: Buffer | string): Buffer | string {
    const wantsMicro = variant.endsWith('-us');
    let body = payload;
    if (wantsMicro !== this.#micro.has(topic)) {
      const text = typeof payload === 'string' ? payload : payload.toString('utf8');
      body = wantsMicro ? toMicro(topic, text) : toMilli(topic, text);
    }
    if (variant.startsWith('raw')) return body;
    if (typeof body === 'string') return `{"stream":"${topic}","data":${body}}`;
    const head = this.#head(topic);
    const frame = Buffer.allocUnsafe(head.length + body.length + 1);
    head.copy(frame);
    body.copy(frame, head.length);
    frame[frame.length - 1] = 125;
    return frame;
  }

  #head(topic: string): Buffer {
    let head = this.#heads.get(topic);
    if (!head) {
      head = Buffer.from(`{"stream":"${topic}","data":`);
      this.#heads.set(topic, head);
    }
    return head;
  }
}
