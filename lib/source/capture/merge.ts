/**
 * Several recordings as one, by recorded time; of two records of one time the earlier recording's comes first. Only one
 * chunk of each is held. A run of records of one recording is moved as a whole, so the usual cost is a comparison each.
 */
import { BATCH_RECORDS } from '../source.ts';
import type { Captured } from './sink.ts';

type Records = AsyncGenerator<readonly Captured[]>;

class Lane {
  readonly order: number;
  readonly #records: Records;
  #held: readonly Captured[] = [];
  #at = 0;

  constructor(records: Records, order: number) {
    this.#records = records;
    this.order = order;
  }
  /** Makes sure that a record is at hand; false at the end. */
  async ready(): Promise<boolean> {
    while (this.#at >= this.#held.length) {
      const next = await this.#records.next();
      if (next.done) return false;
      this.#held = next.value;
      this.#at = 0;
    }
    return true;
  }
  get timeUs(): number {
    return this.#held[this.#at]!.timeUs;
  }
  /** Moves records on that come before `other`'s next; always at least one. */
  move(other: Lane | undefined, into: Captured[]): void {
    const until = other?.timeUs ?? Infinity;
    const wins = other === undefined || this.order < other.order;
    do into.push(this.#held[this.#at++]!);
    while (
      into.length < BATCH_RECORDS &&
      this.#at < this.#held.length &&
      (this.timeUs < until || (wins && this.timeUs === until))
    );
  }
  async close(): Promise<void> {
    await this.#records.return(undefined);
  }
}

export async function* merge(recordings: readonly Records[]): AsyncGenerator<readonly Captured[]> {
  if (recordings.length === 1) return yield* recordings[0]!;
  const all = recordings.map((records, order) => new Lane(records, order));
  try {
    const lanes: Lane[] = [];
    for (const lane of all) if (await lane.ready()) lanes.push(lane);
    let out: Captured[] = [];
    while (lanes.length > 0) {
      let first = lanes[0]!;
      let second: Lane | undefined;
      for (let i = 1; i < lanes.length; i++) {
        const lane = lanes[i]!;
        if (lane.timeUs < first.timeUs) [first, second] = [lane, first];
        else if (!second || lane.timeUs < second.timeUs) second = lane;
      }
      first.move(second, out);
      if (out.length >= BATCH_RECORDS) {
        yield out;
        out = [];
      }
      if (!(await first.ready())) lanes.splice(lanes.indexOf(first), 1);
    }
    if (out.length > 0) yield out;
  } finally {
    for (const lane of all) await lane.close();
  }
}
