/**
 * What arrived, by number: when, what came twice, what came after a later one. A result with any record lost, doubled or
 * out of order is no result. Pure: the clock is given.
 */
import { PROBE } from './record.ts';

export type Account = {
  readonly sent: number;
  readonly lost: number;
  readonly doubled: number;
  readonly reordered: number;
};

export class Arrivals {
  /** Nanoseconds on the bench's clock, by number; 0 = never. */
  readonly noticedNs: Float64Array;
  readonly readNs: Float64Array;
  readonly #now: () => number;
  readonly #onProbe: () => void;
  readonly #onAll: () => void;
  #wokenNs = 0;
  #last = -1;
  #doubled = 0;
  #reordered = 0;
  #taken = 0;

  /** `onAll` is called when `count` different records have come; `onProbe` at every probe. */
  constructor(count: number, now: () => number, onProbe: () => void, onAll: () => void) {
    this.noticedNs = new Float64Array(count);
    this.readNs = new Float64Array(count);
    this.#now = now;
    this.#onProbe = onProbe;
    this.#onAll = onAll;
  }

  /** The reader has been told that there is something: what is taken next came of this. */
  woken(): void {
    this.#wokenNs = this.#now();
  }

  /** Record `number` is in hand now. */
  take(number: number): void {
    if (number === PROBE) return this.#onProbe();
    const count = this.readNs.length;
    if (!(number >= 0 && number < count)) throw new TypeError(`no record ${number} was sent`);
    if (number < this.#last) this.#reordered++;
    else this.#last = number;
    if (this.readNs[number] !== 0) {
      this.#doubled++;
      return;
    }
    this.noticedNs[number] = this.#wokenNs;
    this.readNs[number] = this.#now();
    if (++this.#taken === count) this.#onAll();
  }

  get taken(): number {
    return this.#taken;
  }

  account(): Account {
    const sent = this.readNs.length;
    return {
      sent,
      lost: sent - this.#taken,
      doubled: this.#doubled,
      reordered: this.#reordered,
    };
  }
}

/** True when every record came once and in order. */
export const sound = ({ lost, doubled, reordered }: Account): boolean =>
  lost === 0 && doubled === 0 && reordered === 0;
