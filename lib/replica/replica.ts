/**
 * A replica: copies logs of a source (a fetcher, or another replica) that it shares no disk with, byte for byte, and
 * announces and serves them on. Its data folder is as good as the source's: feeds read it without knowing.
 * Here are its sockets and timers; what it does with what they bring is in `copies.ts`.
 */
import { CatchupClient } from '../catchup/zeromq-client.ts';
import { CatchupServer } from '../catchup/zeromq-server.ts';
import { Beacons } from '../fetcher/beacons-timer.ts';
import type { FollowerMode } from '../follower/state.ts';
import { ClockWriter } from '../log/disk-clock.ts';
import { logName, type LogName } from '../log/name.ts';
import type { Heard } from '../notifier/notice.ts';
import { notifiers } from '../notifier/all.ts';
import { allFeeds, Announcers } from '../notifier/announcers.ts';
import { Listeners } from '../notifier/listeners-timer.ts';
import { announceEnd } from './announce.ts';
import { Copies } from './copies.ts';
import { ReplicaLog } from './disk-replica-log.ts';
import type { ReplicaOptions } from './options.ts';
import { RemoteLog } from './remote-log.ts';
import { TickTimer } from './tick-timer.ts';
import { Turn } from './turn-timer.ts';

export type { ReplicaOptions } from './options.ts';

export class Replica implements AsyncDisposable {
  #notices = 0;
  announcer: Announcers | undefined;
  server: CatchupServer | undefined;
  client: CatchupClient | undefined;
  readonly #options: ReplicaOptions;
  readonly #copies: Copies;
  readonly #clockFile: ClockWriter;
  readonly #timer: TickTimer;
  readonly #turn: Turn;
  #beacons: Beacons | undefined;
  #listeners: Listeners | undefined;
  #syncTimer: NodeJS.Timeout | undefined;

  private constructor(options: ReplicaOptions) {
    this.#options = options;
    const { data, node, clock, sync, report } = options;
    this.#clockFile = new ClockWriter(data, node);
    this.#copies = new Copies({
      clock: this.#clockFile,
      syncEach: sync === 'each',
      report: (what) => report?.(what),
    });
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
        syncSegments: sync === 'each',
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
      const copied = this.#copies.add(remote);
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
        clockUs: (log) => this.#copies.get(log)?.remote.completeUs ?? 0,
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
      this.#syncTimer = setInterval(() => this.#copies.sync(), sync.intervalMs);
    for (const { remote } of this.#copies.all) {
      remote.start(clock.monoMs());
      this.#timer.by(remote.dueMs);
    }
  }

  /** What was done so far. */
  get stats(): Copies['stats'] & { readonly notices: number } {
    return { ...this.#copies.stats, notices: this.#notices };
  }

  /** How each log is followed now. */
  get modes(): ReadonlyMap<string, FollowerMode> {
    return new Map([...this.#copies.all].map(({ remote }) => [remote.log, remote.mode]));
  }

  /** How far each copy reaches. */
  get positions(): ReadonlyMap<string, number> {
    return new Map([...this.#copies.all].map(({ remote }) => [remote.log, remote.copy.position]));
  }

  #hear(heard: Heard): void {
    const { hear, clock } = this.#options;
    if (hear && !hear(heard)) return;
    this.#notices++;
    const remote = this.#copies.get(heard.log)?.remote;
    if (!remote) return;
    remote.heard(heard, clock.monoMs());
    this.#timer.by(remote.dueMs);
  }

  #tick(lateMs: number): void {
    this.#copies.tick(this.#options.clock.monoMs(), lateMs);
    this.#timer.by(this.#copies.dueMs);
  }

  /** What has changed, all at once. */
  #take(): void {
    const { clock } = this.#options;
    const grown = this.#copies.take(this.#turn.taken(), this.announcer, clock.monoMs());
    this.#timer.by(this.#copies.dueMs);
    if (grown.length > 0) this.#beacons?.appended(grown);
  }

  #announceHead(log: string): void {
    const copied = this.#copies.get(log);
    if (copied && this.announcer) announceEnd('HEAD', copied, this.announcer);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.stop();
    clearInterval(this.#syncTimer);
    await this.#listeners?.[Symbol.asyncDispose]();
    await this.client?.[Symbol.asyncDispose]();
    this.#turn.stop();
    this.#beacons?.stop();
    const { announcer } = this;
    if (announcer) for (const copied of this.#copies.all) announceEnd('END', copied, announcer);
    await announcer?.[Symbol.asyncDispose]();
    await this.server?.[Symbol.asyncDispose]();
    this.#clockFile.close();
    for (const { remote } of this.#copies.all) await remote.copy.close();
  }
}
