/**
 * Times of a log's lines, one after the other: 16 digits each, of which the first eight (hundred seconds) are the same for
 * a long while. Those are compared, only the last eight are read.
 */
import { fourDigits } from '../world/bytes.ts';

export class LineTimes {
  #view: DataView = new DataView(new ArrayBuffer(0));
  #first = 0;
  #second = 0;
  /** What the first eight digits are worth; -1 where they are none. */
  #high = -1;

  /** Lines of these bytes come next. */
  of(bytes: Buffer): void {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** The time at `at`, Unix microseconds; -1 where there are no 16 digits. */
  at(at: number): number {
    const view = this.#view;
    if (at + 16 > view.byteLength) return -1;
    const first = view.getInt32(at, true);
    const second = view.getInt32(at + 4, true);
    if (first !== this.#first || second !== this.#second) {
      this.#first = first;
      this.#second = second;
      const [a, b] = [fourDigits(first), fourDigits(second)];
      this.#high = (a | b) < 0 ? -1 : a * 1e12 + b * 1e8;
    }
    const third = fourDigits(view.getInt32(at + 8, true));
    const fourth = fourDigits(view.getInt32(at + 12, true));
    if ((third | fourth) < 0 || this.#high < 0) return -1;
    return this.#high + third * 1e4 + fourth;
  }
}
