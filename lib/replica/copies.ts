/**
 * All copies of one replica, and one turn over them in the only order that is safe: bytes (as they come), then heads, then
 * the clock, then the notices. Owns no timer and no socket: the replica calls it, and so does a simulated one.
 */
import type { ClockWriter } from '../log/disk-clock.ts';
import type { LogName } from '../log/name.ts';
import type { Announcer } from '../notifier/notifier.ts';
import { TickmeshError } from '../world/error.ts';
import { announceTurn, type Copied } from './announce.ts';
import type { RemoteLog } from './remote-log.ts';
import type { ReplicaReport } from './report.ts';

/** Later than this, a wake-up says that our own event loop stood still. */
const STALL_MS = 500;
/** A quiet log is asked how far it is complete, so that the others' records need not wait for its heartbeat. */
const PROBE_MS = 20;
const PROBE_EACH_MS = 4;

export type CopiesOptions = {
  readonly clock: Pick<ClockWriter, 'timeUs' | 'write'>;
  /** Bytes reach the platter before each announcement. */
  readonly syncEach: boolean;
  readonly report: (what: ReplicaReport) => void;
};

export class Copies {
  readonly stats = { turns: 0, bytes: 0, probes: 0 };
  readonly #options: CopiesOptions;
  readonly #copied = new Map<string, Copied>();
  #clockUs: number;
  #probeMs = Infinity;

  constructor(options: CopiesOptions) {
    this.#options = options;
    this.#clockUs = options.clock.timeUs;
  }

  add(remote: RemoteLog): Copied {
    const { epoch, position, lines } = remote.copy;
    const copied: Copied = { remote, inline: [], epoch, position, lines };
    this.#copied.set(remote.log, copied);
    return copied;
  }

  get(log: string): Copied | undefined {
    return this.#copied.get(log);
  }
  get all(): Iterable<Copied> {
    return this.#copied.values();
  }

  /** When `tick` is due, monotonic ms. */
  get dueMs(): number {
    let dueMs = this.#probeMs;
    for (const { remote } of this.#copied.values()) dueMs = Math.min(dueMs, remote.dueMs);
    return dueMs;
  }

  /** `lateMs`: how long after it was due. */
  tick(nowMs: number, lateMs: number): void {
    if (nowMs >= this.#probeMs) this.#probe();
    for (const { remote } of this.#copied.values()) {
      if (lateMs > STALL_MS) remote.excuse(nowMs);
      remote.tick(nowMs);
    }
  }

  /** What was copied since the last turn may now be read, here and elsewhere. Returns the logs that were announced. */
  take(changed: Iterable<Copied>, announcer: Announcer | undefined, nowMs: number): LogName[] {
    const grown: Copied[] = [];
    let refused = false;
    for (const copied of changed) {
      const { copy, log } = copied.remote;
      const { position, epoch, lines } = copied;
      if (copy.epoch === 0) continue;
      if (copy.position === position && copy.epoch === epoch && copy.lines === lines) continue;
      try {
        if (this.#options.syncEach) copy.sync();
        copy.announce();
        grown.push(copied);
      } catch (error) {
        if (!(error instanceof TickmeshError)) throw error;
        refused = true;
        this.#options.report({ event: 'stalled', log, error });
      }
    }
    // A clock that covered what a stalled log has not announced would let readers pass it by.
    if (!refused) this.#moveClock(nowMs);
    this.stats.turns++;
    for (const copied of grown) this.stats.bytes += announceTurn(copied, announcer, nowMs);
    return grown.map(({ remote }) => remote.log);
  }

  /** The clock of all copies is that of the one furthest back. */
  #moveClock(nowMs: number): void {
    let clockUs = Infinity;
    let newestUs = 0;
    for (const { remote } of this.#copied.values()) {
      if (remote.silent) continue;
      clockUs = Math.min(clockUs, remote.completeUs);
      newestUs = Math.max(newestUs, remote.copy.lastTimeUs);
    }
    if (clockUs !== Infinity && clockUs > this.#clockUs) this.#writeClock(clockUs);
    if (clockUs < newestUs && this.#probeMs === Infinity)
      this.#probeMs = nowMs + Math.max(PROBE_MS, PROBE_EACH_MS * this.#copied.size);
  }

  /** What the disk refuses is written with the next turn: readers wait so long, and miss nothing. */
  #writeClock(timeUs: number): void {
    try {
      this.#options.clock.write(timeUs);
      this.#clockUs = timeUs;
    } catch (error) {
      if (!(error instanceof TickmeshError)) throw error;
      const [log] = [...this.#copied.values()].map(({ remote }) => remote.log);
      if (log) this.#options.report({ event: 'stalled', log, error });
    }
  }

  #probe(): void {
    this.#probeMs = Infinity;
    for (const { remote } of this.#copied.values()) {
      if (remote.mode !== 'live' || remote.completeUs > this.#clockUs) continue;
      this.stats.probes++;
      remote.probe();
    }
  }

  /** Forces what was copied to the platter. */
  sync(): void {
    for (const { remote } of this.#copied.values()) {
      try {
        remote.copy.sync();
      } catch (error) {
        const { log } = remote;
        this.#options.report({ event: 'stalled', log, error: error as TickmeshError });
      }
    }
  }
}
