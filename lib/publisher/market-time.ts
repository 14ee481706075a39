/**
 * What time it is in the market that is served.
 *
 *   wall      the real time: live and synthetic sources
 *   records   the time of the newest record: a replay at any speed. Between records, while the feed has nothing for
 *             us, it goes on at the pace of the real one; never back.
 */
/** A feed that has paused for less is not idle: an unpaced replay runs on its records' time alone. */
const GRACE_US = 50_000;

export type TimeSource = 'wall' | 'records';

export class MarketTime {
  readonly #wallUs: () => number;
  readonly source: TimeSource;
  #atUs = 0;
  /** Wall time since when the feed has had nothing; undefined: it has. */
  #idleSinceUs: number | undefined = undefined;

  constructor(source: TimeSource, wallUs: () => number) {
    this.source = source;
    this.#wallUs = wallUs;
  }

  /** False until a first record has said what time it is. */
  get known(): boolean {
    return this.source === 'wall' || this.#atUs > 0;
  }

  /** Unix microseconds. */
  nowUs(): number {
    if (this.source === 'wall' || !this.known) return this.#wallUs();
    if (this.#idleSinceUs === undefined) return this.#atUs;
    return this.#atUs + Math.max(0, this.#wallUs() - this.#idleSinceUs - GRACE_US);
  }

  /** A record of this time is next. */
  advance(timeUs: number): void {
    if (timeUs > this.#atUs) this.#atUs = timeUs;
  }

  /** The feed has nothing for us now, or has again. */
  idle(idle: boolean): void {
    if (idle) this.#idleSinceUs ??= this.#wallUs();
    else if (this.#idleSinceUs !== undefined) {
      if (this.known) this.#atUs = this.nowUs();
      this.#idleSinceUs = undefined;
    }
  }
}
