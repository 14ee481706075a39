/**
 * Up to which receive time a copied log is complete. Whatever names an end also carries the source's clock: "at position P
 * the log is complete up to C". Once our copy has reached P, the same is true of it. And a copy is always complete up to
 * its own last line. Pure; remembers two such words, however far behind the copy is.
 */
type Word = { readonly position: number; readonly clockUs: number };

export class Completeness {
  #epoch = 0;
  /** The word waited for, and the newest one behind it. */
  #next: Word | undefined;
  #newest: Word | undefined;
  #completeUs = 0;

  /** The source said it. `position` is of `epoch`'s lineage. */
  said(epoch: number, position: number, clockUs: number): void {
    if (epoch < this.#epoch || clockUs === 0) return;
    if (epoch > this.#epoch) {
      this.#epoch = epoch;
      this.#next = this.#newest = undefined;
    }
    const word = { position, clockUs };
    if (!this.#next) this.#next = word;
    else if (clockUs > (this.#newest?.clockUs ?? this.#next.clockUs)) this.#newest = word;
  }

  /** The copy now agrees with `epoch` up to `position`, and ends with a line received at `lastTimeUs`. Unix microseconds. */
  reached(epoch: number, position: number, lastTimeUs: number): number {
    if (lastTimeUs > this.#completeUs) this.#completeUs = lastTimeUs;
    // Of another epoch than the words': whether their positions are ours is not settled yet.
    if (epoch !== this.#epoch) return this.#completeUs;
    while (this.#next && this.#next.position <= position) {
      if (this.#next.clockUs > this.#completeUs) this.#completeUs = this.#next.clockUs;
      this.#next = this.#newest;
      this.#newest = undefined;
    }
    return this.#completeUs;
  }
}
