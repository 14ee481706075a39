/**
 * A replica: copies logs of a source (a fetcher, or another replica) that it shares no disk with, byte for byte, and
 * announces and serves them on. Its data folder is as good as the source's: feeds read it without knowing.
 * One turn, in the only order that is safe: bytes (as they come), then heads, then the clock, then the notices.
 */
import { CatchupClient } from '../catchup/zeromq-client.ts';
import { CatchupServer } from '../catchup/zeromq-server.ts';
import { Beacons } from '../fetcher/beacons-timer.ts';
import type { FollowerMode } from '../follower/state.ts';
import { ClockReader, ClockWriter } from '../log/disk-clock.ts';
import { logName, type LogName } from '../log/name.ts';
import type { Heard } from '../notifier/notice.ts';
import { notifiers } from '../notifier/all.ts';
import { allFeeds, Announcers } from '../notifier/announcers.ts';
import { Listeners } from '../notifier/listeners-timer.ts';
import { TickmeshError } from '../world/error.ts';
import { announceEnd, announceTurn, type Copied } from './announce.ts';
import { ReplicaLog } from './disk-replica-log.ts';
import type { ReplicaOptions } from './options.ts';
import { RemoteLog } from './remote-log.ts';
import { TickTimer } from './tick-timer.ts';
import { Turn } from './turn-timer.ts';

export type { ReplicaOptions } from './options.ts';

/** Later than this, a wake-up says that our own event loop stood still. */
const STALL_MS = 500;
/** A quiet log is asked how far it is complete, so that the others' records need not wait for its heartbeat. */
const PROBE_MS = 20;
const PROBE_EACH_MS = 4;

export class Replica implements AsyncDisposable {
  readonly stats = { turns: 0, notices: 0, bytes: 0, probes: 0 };
  announcer: Announcers | undefined;
  server: CatchupServer | undefined;
  client: CatchupClient | undefined;
  readonly #options: ReplicaOptions;
  readonly #copied = new Map<string, Copied>();
  readonly #clockFile: ClockWriter;
  #clockUs: number;
  readonly #timer: TickTimer;
  readonly #turn: Turn;
  #beacons: Beacons | undefined;
  #listeners: Listeners | undefined;
  #syncTimer: NodeJS.Timeout | undefined;
  #probeMs = Infinity;

  private constructor(options: ReplicaOptions) {
    this.#options = options;
    const { data, node, clock } = options;
    const before = new ClockReader(data, node);
    this.#clockUs = before.read();
    before.close();
    this.#clockFile = new ClockWriter(data, node);
    this.#timer = new TickTimer(
      () => clock.monoMs(),
      (lateMs) => this.#tick(lateMs),
    );
    this.#turn = new Turn(() => this.#take());
  }

  /** Opens the copies and the sockets, and begins. Throws LOG_LOCKED, LOG_UNWRITABLE, LOG_CORRUPT, PORT_TAKEN, BIND_FAILED. */
  static async open(options: ReplicaOptions): Promise<Replica> {
    const names = [...new Set(options.logs)].map(logName).sort();
    if (names.length === 0) throw new TypeError('a replica needs at least one log');
    const replica = new Replica(options);
    try {
      await replica.#open(names);
      return replica;
    } catch (error) {
      await replica[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #open(names: readonly LogName[]): Promise<void> {
    const { node, data, from, inbox, feed, catchup, clock, security } = this.#options;
    const { sync, rules, report } = this.#options;
    if (feed !== undefined) {
      const onJoin = (log: string): void => this.#announceHead(log);
      const about = { onJoin, security, logs: names, among: notifiers };
      this.announcer = await Announcers.open(allFeeds(feed), about);
    }
    const client = (this.client = await CatchupClient.bind({ node, inbox, security }));
    const holder = client.holder(from.catchup, from.writer);
    for (const log of names) {
      const copy = await ReplicaLog.open({
        data,
        log,
        node,
        clock,
        durable: sync !== undefined && sync !== 'never',
        ...(this.announcer ? { feed: this.announcer.endpoints } : {}),
      });
      const { epoch, position } = copy;
      const { tornBytes } = copy.recovered;
      if (epoch > 0) report?.({ event: 'recovered', log, tornBytes, epoch, position });
      const remote = new RemoteLog(
        {
          copy,
          send: (ask) => holder.ask(log, ask),
          changed: (lines) => {
            if (lines) copied.inline.push(lines);
            this.#turn.add(copied);
          },
          report: (what) => report?.(what),
          ...(rules ? { rules } : {}),
        },
        clock.monoMs(),
      );
      const copied: Copied = { remote, inline: [], epoch, position, lines: copy.lines };
      this.#copied.set(log, copied);
      client.follow(log, (reply) => {
        remote.answered(reply, clock.monoMs());
        this.#timer.by(remote.dueMs);
      });
    }
    if (catchup) {
      this.server = await CatchupServer.bind({
        ...catchup,
        data,
        logs: names,
        clockUs: (log) => this.#copied.get(log)?.remote.completeUs ?? 0,
        nowMs: () => clock.monoMs(),
        security,
      });
    }
    this.#beacons = new Beacons(
      names,
      () => clock.monoMs(),
      (log) => this.#announceHead(log),
    );
    this.#listeners = new Listeners({
      among: notifiers,
      logs: names,
      data: true,
      security,
      onHeard: (heard) => this.#hear(heard),
    });
    for (const endpoint of [from.feed].flat()) this.#listeners.add(endpoint, from.writer);
    if (typeof sync === 'object')
      this.#syncTimer = setInterval(() => this.#syncAll(), sync.intervalMs);
    for (const { remote } of this.#copied.values()) {
      remote.start(clock.monoMs());
      this.#timer.by(remote.dueMs);
    }
  }

  /** How each log is followed now. */
  get modes(): ReadonlyMap<string, FollowerMode> {
    return new Map([...this.#copied].map(([log, { remote }]) => [log, remote.mode]));
  }

  /** How far each copy reaches. */
  get positions(): ReadonlyMap<string, number> {
    return new Map([...this.#copied].map(([log, { remote }]) => [log, remote.copy.position]));
  }

  #hear(heard: Heard): void {
    const { hear, clock } = this.#options;
    if (hear && !hear(heard)) return;
    this.stats.notices++;
    const remote = this.#copied.get(heard.log)?.remote;
    if (!remote) return;
    remote.heard(heard, clock.monoMs());
    this.#timer.by(remote.dueMs);
  }

  #tick(lateMs: number): void {
    const nowMs = this.#options.clock.monoMs();
    let dueMs = Infinity;
    if (nowMs >= this.#probeMs) this.#probe();
    for (const { remote } of this.#copied.values()) {
      if (lateMs > STALL_MS) remote.excuse(nowMs);
      remote.tick(nowMs);
      dueMs = Math.min(dueMs, remote.dueMs);
    }
    this.#timer.by(Math.min(dueMs, this.#probeMs));
  }

  /** What was copied since the last turn may now be read, here and elsewhere. */
  #take(): void {
    const changed = [...this.#turn.taken()];
    const grown: Copied[] = [];
    let refused = false;
    for (const copied of changed) {
      const { copy, log } = copied.remote;
      const { position, epoch, lines } = copied;
      if (copy.epoch === 0) continue;
      if (copy.position === position && copy.epoch === epoch && copy.lines === lines) continue;
      try {
        if (this.#options.sync === 'each') copy.sync();
        copy.announce();
        grown.push(copied);
      } catch (error) {
        if (!(error instanceof TickmeshError)) throw error;
        refused = true;
        this.#options.report?.({ event: 'stalled', log, error });
      }
    }
    // A clock that covered what a stalled log has not announced would let readers pass it by.
    if (!refused) this.#moveClock();
    this.stats.turns++;
    if (grown.length === 0) return;
    const { clock } = this.#options;
    for (const copied of grown)
      this.stats.bytes += announceTurn(copied, this.announcer, clock.monoMs());
    this.#beacons?.appended(grown.map(({ remote }) => remote.log));
  }

  /** The clock of all copies is that of the one furthest back. */
  #moveClock(): void {
    let clockUs = Infinity;
    let newestUs = 0;
    for (const { remote } of this.#copied.values()) {
      if (remote.silent) continue;
      clockUs = Math.min(clockUs, remote.completeUs);
      newestUs = Math.max(newestUs, remote.copy.lastTimeUs);
    }
    if (clockUs !== Infinity && clockUs > this.#clockUs) {
      this.#clockUs = clockUs;
      this.#clockFile.write(clockUs);
    }
    if (clockUs < newestUs && this.#probeMs === Infinity) {
      const waitMs = Math.max(PROBE_MS, PROBE_EACH_MS * this.#copied.size);
      this.#probeMs = this.#options.clock.monoMs() + waitMs;
      this.#timer.by(this.#probeMs);
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

  #announceHead(log: string): void {
    const copied = this.#copied.get(log);
    if (copied && this.announcer) announceEnd('HEAD', copied, this.announcer);
  }

  #syncAll(): void {
    for (const { remote } of this.#copied.values()) {
      try {
        remote.copy.sync();
      } catch (error) {
        const { log } = remote;
        this.#options.report?.({ event: 'stalled', log, error: error as TickmeshError });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.stop();
    clearInterval(this.#syncTimer);
    await this.#listeners?.[Symbol.asyncDispose]();
    await this.client?.[Symbol.asyncDispose]();
    this.#turn.stop();
    this.#beacons?.stop();
    const { announcer } = this;
    if (announcer)
      for (const copied of this.#copied.values()) announceEnd('END', copied, announcer);
    await announcer?.[Symbol.asyncDispose]();
    await this.server?.[Symbol.asyncDispose]();
    this.#clockFile.close();
    for (const { remote } of this.#copied.values()) await remote.copy.close();
  }
}
