/** Sends each log's heartbeats when they are due: one timer for all of them. */
import { Beacon } from '../notifier/beacon.ts';

export class Beacons {
  readonly #beacons = new Map<string, Beacon>();
  readonly #send: (log: string) => void;
  readonly #nowMs: () => number;
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Infinity;

  constructor(logs: Iterable<string>, nowMs: () => number, send: (log: string) => void) {
    this.#nowMs = nowMs;
    this.#send = send;
    for (const log of logs) this.#beacons.set(log, new Beacon(nowMs()));
    this.#schedule(nowMs());
  }

  /** Notices of these logs have just gone out. */
  appended(logs: Iterable<string>): void {
    const nowMs = this.#nowMs();
    for (const log of logs) this.#beacons.get(log)?.appended(nowMs);
    // The first heartbeat comes 20 ms after the last append: a timer that is due before then simply looks again.
    if (this.#timerMs - nowMs > 20) this.#schedule(nowMs);
  }

  #schedule(nowMs: number): void {
    clearTimeout(this.#timer);
    let dueMs = Infinity;
    for (const beacon of this.#beacons.values()) dueMs = Math.min(dueMs, beacon.dueMs);
    this.#timerMs = dueMs;
    if (dueMs !== Infinity)
      this.#timer = setTimeout(() => this.#fire(), Math.max(1, dueMs - nowMs));
  }

  #fire(): void {
    const nowMs = this.#nowMs();
    for (const [log, beacon] of this.#beacons) {
      if (beacon.dueMs > nowMs) continue;
      beacon.sent(nowMs);
      this.#send(log);
    }
    this.#schedule(nowMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#beacons.clear();
  }
}
