/**
 * Puts a snapshot and numbered changes together, whichever comes first (Binance's published procedure, seen from a log
 * that holds both in the order of arrival): changes are kept back until a snapshot is there; those it already contains
 * are dropped; the first one after it must join without a hole, and so must every later one. A hole makes it wait for
 * the next snapshot; numbers that run backwards are a log that begins anew. Changes without numbers pass as they come.
 */
import type { BookChange } from './event.ts';

/** Changes kept back at most while no snapshot is there: the oldest go, and a snapshot older than the rest is refused. */
const WAITING_MAX = 10_000;

export class BookSync {
  #lastId = -1;
  /** Last id of the changes themselves, applied or not. */
  #streamId = 0;
  #waiting: BookChange[] = [];

  /** True when changes are being applied. */
  get synced(): boolean {
    return this.#lastId >= 0;
  }

  /** Forgets everything: the stream was cut, or begins again. */
  reset(): void {
    this.#lastId = -1;
    this.#streamId = 0;
    this.#waiting = [];
  }

  /** What may be applied now, in order: nothing while it waits, a snapshot and all that follows it once it is there. */
  take(change: BookChange): readonly BookChange[] {
    if (change.lastId === 0) return [change];
    if (change.snapshot) return this.#snapshot(change);
    if (change.lastId <= this.#streamId) this.reset();
    this.#streamId = change.lastId;
    if (this.synced) {
      if (change.lastId <= this.#lastId) return [];
      if (change.firstId <= this.#lastId + 1) {
        this.#lastId = change.lastId;
        return [change];
      }
      this.#lastId = -1;
    }
    this.#waiting.push(change);
    if (this.#waiting.length > WAITING_MAX) this.#waiting.shift();
    return [];
  }

  #snapshot(snapshot: BookChange): readonly BookChange[] {
    // One that is older than what was applied says nothing new.
    if (this.synced && snapshot.lastId <= this.#lastId) return [];
    const later = this.#waiting.filter((change) => change.lastId > snapshot.lastId);
    const ready: BookChange[] = [snapshot];
    let lastId = snapshot.lastId;
    for (const change of later) {
      if (change.firstId > lastId + 1) {
        // A hole before what has been kept back: this snapshot is too old, or the stream broke meanwhile.
        this.#waiting = later;
        return [];
      }
      ready.push(change);
      lastId = change.lastId;
    }
    this.#waiting = [];
    this.#lastId = lastId;
    return ready;
  }
}
