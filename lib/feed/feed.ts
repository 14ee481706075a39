/**
 * One consumer for history and live: `for await (const batch of openFeed({ data, logs, from }))`. Reads the logs' files,
 * merges them by receive time, listens to whoever announces them, and goes on by polling when notices stop.
 * A feed holds one chunk a log, whatever the length of the history, and reads no faster than it is consumed.
 */
import { logName, type LogName } from '../log/name.ts';
import type { Heard } from '../notifier/notice.ts';
import { isFinal, Listeners, type NotifierStatus } from '../notifier/listeners-timer.ts';
import type { NotifierState } from '../notifier/notifier.ts';
import { realClock, type Clock } from '../world/clock.ts';
import { chosenBy, type Chosen } from './endpoints.ts';
import { DiskLog } from './disk-log.ts';
import { completeUs, earliestDueMs, holdsUntilMs, takeEvents, type Entry } from './disk-entry.ts';
import { Writers } from './disk-writers.ts';
import type { FeedOptions, FeedStats } from './options.ts';
import { merge, type Queue } from './merge.ts';
import type { Cursor, FeedBatch, FeedEvent, FeedRecord } from './record.ts';
import { Waiter } from './waiter-timer.ts';

/** Later than this, a wake-up says that our own event loop stood still. */
const STALL_MS = 500;

export class Feed implements AsyncIterable<FeedBatch>, AsyncDisposable {
  readonly stats: FeedStats;
  readonly #options: FeedOptions;
  readonly #clock: Clock;
  readonly #waiter: Waiter<FeedBatch>;
  readonly #entries: Entry[] = [];
  readonly #byName = new Map<string, Entry>();
  readonly #queues: Queue[];
  readonly #writers: Writers;
  readonly #listeners: Listeners;
  readonly #chosen: Chosen;
  readonly #told: FeedEvent[] = [];
  readonly #stop = (): void => this.#waiter.ring();
  #failure: Error | undefined;
  #turnMs: number;
  #dueMs = Infinity;
  #heldMs = Infinity;
  #lastUs = 0;
  #closed = false;
  /** The log of a feed that has one; and true when the last turn took all there was of it. */
  readonly #alone: Entry | undefined;
  #emptied = false;
  /** True for a reader that looks all the time: it needs nobody to tell it, unless its user says so. */
  readonly #deaf: boolean;

  constructor(options: FeedOptions) {
    if (options.logs.length === 0) throw new TypeError('a feed needs at least one log');
    this.#options = options;
    this.#deaf = options.idle === 'spin' && options.notices === undefined;
    this.#writers = new Writers(options.data);
    this.#clock = options.clock ?? realClock;
    const nowMs = (this.#turnMs = this.#clock.monoMs());
    this.#waiter = new Waiter(
      {
        nowMs: () => this.#clock.monoMs(),
        ended: (turned) => this.#ended(turned),
        turn: (atMs) => this.#turn(atMs),
        dueMs: () => Math.min(this.#dueMs, this.#heldMs),
        // What we slept through on purpose is no stall of ours.
        woke: (atMs) => (this.#turnMs = Math.max(this.#turnMs, Math.min(this.#dueMs, atMs))),
        moved: () => this.#moved(),
        emptied: () => this.#emptied,
        close: () => this[Symbol.asyncDispose](),
      },
      options.idle,
    );
    const names = [...new Set(options.logs)].map(logName).sort();
    this.#chosen = chosenBy(options);
    this.#listeners = new Listeners({
      logs: names,
      folder: options.data,
      among: this.#chosen.among,
      security: options.security,
      onHeard: (heard) => this.#hear(heard),
      onRing: (log) => this.#ring(log),
      onPart: (...what) => this.#notePart(...what),
      ...(options.port ? { port: options.port } : {}),
    });
    const { status: notifiers } = this.#listeners;
    this.stats = { records: 0, notices: 0, rings: 0, covered: 0, late: 0, notifiers };
    for (const name of names) {
      const log = new DiskLog(options.data, name, options.from ?? 'end', nowMs, options);
      const entry: Entry = { log, writer: undefined, epoch: -1, rung: true, stirred: false };
      this.#entries.push(entry);
      this.#byName.set(name, entry);
    }
    this.#queues = this.#entries.map((entry) => entry.log.queue);
    if (names.length === 1) [this.#alone] = this.#entries;
    for (const { endpoint, writer } of this.#chosen.endpoints)
      this.#listeners.add(endpoint, writer);
    options.signal?.addEventListener('abort', this.#stop);
  }

  get logs(): readonly LogName[] {
    return this.#queues.map(({ log }) => log);
  }
  /** Where each log goes on: behind the last record handed out. */
  cursors(): readonly Cursor[] {
    return this.#entries.map((entry) => entry.log.cursor);
  }
  /** True once every log's end has been reached. */
  get caughtUp(): boolean {
    return this.#entries.every(({ log }) => log.caughtUp);
  }

  [Symbol.asyncIterator](): AsyncIterator<FeedBatch, undefined, undefined> {
    return this.#waiter;
  }

  /**
   * Calls `take` with each batch where it was read, some microseconds sooner than `for await` has it. A promise that it
   * returns is waited for. Resolves when the feed ends; rejects with what ended it, or what `take` threw.
   */
  forEach(take: (batch: FeedBatch) => Promise<void> | void): Promise<void> {
    return this.#waiter.forEach(take);
  }

  #ended(turned: boolean): boolean {
    if (turned) {
      const ends = this.#options.until === 'end';
      return ends && this.#entries.every(({ log }) => log.caughtUp && log.queue.empty);
    }
    if (this.#closed || this.#options.signal?.aborted === true) return true;
    if (this.#failure) throw this.#failure;
    return false;
  }

  /** What a spinning reader looks for: a head that has moved, or a clock that records wait for. */
  #moved(): boolean {
    let moved = this.#heldMs !== Infinity && this.#writers.stirred();
    for (const entry of this.#entries) moved = (entry.stirred ||= entry.log.stirred()) || moved;
    return moved;
  }

  /**
   * The usual case, a reader at the end of its one log that is told of more: the fewest steps from there to the record,
   * since what runs once a millisecond runs cold. Undefined: nothing was done.
   */
  #readOn(nowMs: number): FeedBatch | undefined {
    const entry = this.#alone;
    if (!entry || !(entry.rung || entry.stirred) || this.#told.length > 0) return undefined;
    if (this.#options.until === 'end') return undefined;
    const { log, rung, stirred } = entry;
    const records: FeedRecord[] = [];
    if (!log.readOn(nowMs, rung, stirred, records)) return undefined;
    entry.rung = entry.stirred = false;
    this.stats.records += records.length;
    this.#waiter.fed(nowMs);
    this.#dueMs = log.dueMs;
    const cursors = [log.cursor];
    return { records, live: true, events: [], cursors: () => cursors };
  }

  #turn(nowMs: number): FeedBatch | undefined {
    if (nowMs - this.#turnMs > STALL_MS || this.#listeners.reliable || this.#deaf)
      for (const { log } of this.#entries) log.excuse(nowMs);
    this.#turnMs = nowMs;
    const batch = this.#readOn(nowMs);
    this.#emptied = batch !== undefined;
    if (batch) return batch;
    const live = this.caughtUp;
    for (const { log } of this.#entries) log.used();
    const single = this.#alone !== undefined;
    // Clocks first, heads after: what a clock covers, the heads then show.
    if (!single) this.#writers.readClocks(nowMs);
    let appeared = false;
    for (const entry of this.#entries) {
      const { exists } = entry.log;
      this.#lookAt(entry, nowMs, single);
      appeared ||= !exists && entry.log.exists;
    }
    // A writer makes all its logs before it writes to any: where one has come, those looked at just before may have too.
    if (appeared)
      for (const entry of this.#entries) if (!entry.log.exists) this.#lookAt(entry, nowMs, single);
    const records: FeedRecord[] = [];
    this.#heldMs = Infinity;
    if (this.#alone) this.#alone.log.queue.takeAll(records);
    else this.#merge(records, nowMs);
    this.stats.records += records.length;
    if (records.length > 0) this.#waiter.fed(nowMs);
    const events = takeEvents(this.#told, this.#entries);
    this.#dueMs = earliestDueMs(this.#entries);
    if (records.length === 0 && events.length === 0) return undefined;
    const cursors = this.cursors();
    return { records, live, events, cursors: () => cursors };
  }

  #lookAt(entry: Entry, nowMs: number, single: boolean): void {
    const { log } = entry;
    if (this.#options.until === 'end' && log.caughtUp && log.exists) {
      // Its end was reached: that is all there is of it, whatever is written meanwhile.
      log.queue.completeUs = Infinity;
      return;
    }
    if (entry.rung || entry.stirred || !single)
      log.look(nowMs, entry.rung, single && entry.stirred);
    entry.rung = entry.stirred = false;
    log.tick(nowMs);
    this.#meetWriter(entry, nowMs);
    log.refill(nowMs);
    log.queue.completeUs = single ? Infinity : completeUs(entry, false);
  }

  #merge(records: FeedRecord[], nowMs: number): void {
    const refill = (queue: Queue): boolean => {
      const entry = this.#byName.get(queue.log)!;
      const filled = entry.log.refill(nowMs);
      queue.completeUs = completeUs(entry, this.#options.until === 'end');
      return filled;
    };
    merge(this.#queues, records, refill, (front, holder) => {
      const untilMs = holdsUntilMs(this.#byName.get(front.log)!, this.#byName.get(holder.log)!);
      if (nowMs < untilMs) this.#heldMs = Math.min(this.#heldMs, untilMs);
      return nowMs >= untilMs;
    });
    if (records.length === 0) return;
    if (records[0]!.timeUs < this.#lastUs) this.stats.late++;
    this.#lastUs = records.at(-1)!.timeUs;
  }

  /** A log's writer is known once the log exists; a new epoch may mean another writer, heard elsewhere. */
  #meetWriter(entry: Entry, nowMs: number): void {
    const epoch = entry.log.epoch;
    if (epoch === entry.epoch) return;
    const found = entry.log.writer;
    if (!found) return;
    entry.epoch = epoch;
    let writer = this.#writers.get(found.node);
    if (!writer) {
      writer = this.#writers.meet(found.node, nowMs);
      this.#waiter.ring();
    }
    entry.writer = writer;
    if (!this.#deaf && this.#chosen.auto(found.node))
      this.#listeners.follow(entry.log.log, found.feeds, found.node);
  }

  #hear(heard: Heard): void {
    if (this.#closed || (this.#options.hear && !this.#options.hear(heard))) return;
    this.stats.notices++;
    const entry = this.#byName.get(heard.log);
    if (!entry) return;
    entry.log.heard(this.#clock.monoMs());
    if (entry.log.covers(heard.header.epoch, heard.header.position) && this.#heldMs === Infinity) {
      this.stats.covered++;
      return;
    }
    entry.rung = true;
    // What was seen of its head may be older than this.
    entry.stirred = false;
    this.#waiter.ring();
  }

  /** Something happened to a log, or (without a name) to a clock: that matters while records wait for it. */
  #ring(log: string | undefined): void {
    if (log === undefined) {
      if (this.#heldMs === Infinity) return;
    } else {
      const entry = this.#byName.get(log);
      if (!entry || (this.#options.hear && !this.#options.hear({ log }))) return;
      this.stats.rings++;
      // Who spins has mostly seen it before the kernel's event comes round.
      if (this.#waiter.spins && entry.log.exists) {
        if (!entry.log.stirred()) return;
        entry.stirred = true;
      }
      entry.rung = true;
    }
    this.#waiter.ring();
  }

  /** Told to the consumer when a notifier stops, and when it is back. */
  #notePart(endpoint: string, status: NotifierStatus, was: NotifierState, error?: Error): void {
    const { notifier, state: is, why } = status;
    if (is === 'failed' && isFinal(error) && this.#chosen.byUser(endpoint)) this.#failure = error;
    // What was polled is in good hands again.
    if (is === 'on') for (const entry of this.#entries) entry.rung = true;
    if (is !== 'on' || was !== 'opening')
      this.#told.push({ state: 'notifier', notifier, endpoint, is, ...(why ? { why } : {}) });
    this.#waiter.ring();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiter.close();
    this.#options.signal?.removeEventListener('abort', this.#stop);
    for (const { log } of this.#entries) log.close();
    this.#writers.close();
    await this.#listeners[Symbol.asyncDispose]();
  }
}

/** Opens a feed. Throws TypeError for misuse, NAME_INVALID for a name that no log can have. */
export const openFeed = (options: FeedOptions): Feed => new Feed(options);
