/** One followed log on this disk: the pure follower, with a reader to look and to fetch for it. */
import { answer, type Ask } from '../catchup/answer.ts';
import {
  excuseSilence,
  followerDueMs,
  newFollower,
  standsAtEnd,
  startFollower,
  stepFollower,
  takeOn,
} from '../follower/follower.ts';
import {
  diskRules,
  type Effect,
  type Follower,
  type FollowerMode,
  type FollowerRules,
} from '../follower/state.ts';
import { seekBack, seekTime } from '../log/disk-seek.ts';
import { realFiles } from '../log/disk-files.ts';
import { LogReader, type Chunk } from '../log/disk-reader.ts';
import { feedsOf } from '../log/epochs.ts';
import type { Files } from '../log/files.ts';
import type { Slot } from '../log/head.ts';
import type { LogName } from '../log/name.ts';
import { ChunkPool } from './chunk-pool.ts';
import { Queue } from './merge.ts';
import type { FeedOptions } from './options.ts';
import { FeedRecord, type Cursor, type FeedEvent, type From } from './record.ts';

/** A writer that recovers needs a moment; longer than this is damage. */
const DAMAGED_MS = 2_000;

/** How a log is followed; `reuse`: each turn's memory is written over in the next. */
type Ways = Pick<FeedOptions, 'rules' | 'reuse'>;

export class DiskLog {
  readonly queue: Queue;
  readonly events: FeedEvent[] = [];
  readonly #pool: ChunkPool | undefined;
  readonly #reader: LogReader;
  readonly #rules: FollowerRules;
  readonly #follower: Follower;
  /** The slot as last looked at: one look serves the step and the fetches that follow from it. */
  #head: Slot | undefined;
  #pending: Ask | undefined;
  #caughtUp = false;
  /** True for a log that did not exist when it was first looked for: all of it is news, however much comes at once. */
  readonly #born: boolean;
  #cursor: Cursor | undefined;
  /** Since when announced bytes cannot be read; -Infinity once that was told. */
  #unreadableMs = Infinity;

  constructor(
    data: string,
    log: LogName,
    from: From,
    nowMs: number,
    { rules = {}, reuse = false }: Ways = {},
    files: Files = realFiles,
  ) {
    this.queue = new Queue(log);
    if (reuse !== false) this.#pool = new ChunkPool(reuse === true ? undefined : reuse);
    this.#reader = new LogReader(data, log, files, this.#pool?.take);
    this.#rules = { ...diskRules, ...rules };
    this.#head = this.#reader.head();
    this.#born = this.#head === undefined;
    const start = startOf(this.#reader, this.#head, from);
    this.#follower = newFollower(this.#ofThisLog(start), nowMs);
    this.#apply(startFollower(this.#follower, this.#rules, nowMs));
  }

  /** All records that were handed out have been used. */
  used(): void {
    this.#pool?.turn(this.queue.waiting);
  }

  /** An epoch that the log has not had yet is one of a log that was here before: nothing of it stands. */
  #ofThisLog(start: Cursor): Cursor {
    const { log, position: to, lines } = start;
    if (!this.#head || start.epoch <= this.#head.epoch) return start;
    this.events.push({ state: 'rewound', log, from: 0, to, lines });
    return { log, epoch: 0, position: this.#reader.oldest(), lines: 0 };
  }

  get log(): LogName {
    return this.queue.log;
  }
  get mode(): FollowerMode {
    return this.#follower.mode;
  }
  /** True once the end has been reached, for good. */
  get caughtUp(): boolean {
    return this.#caughtUp || this.#born || !this.exists;
  }
  /** False while the log was never written, and for one that was given up. */
  get exists(): boolean {
    return this.#head !== undefined && this.#follower.mode !== 'blocked';
  }
  get dueMs(): number {
    // What is wanted is fetched when the queue is empty; while a merge holds it back there is nothing to do at once.
    return this.#pending && this.queue.empty
      ? -Infinity
      : followerDueMs(this.#follower, this.#rules);
  }
  /** True when a notice of this position would say nothing new. */
  covers(epoch: number, position: number): boolean {
    return epoch === this.#follower.seenEpoch && position <= this.#follower.position;
  }
  /** Who writes it and where it announces; undefined while there is no log. */
  get writer(): { node: string; feeds: readonly string[] } | undefined {
    const last = this.#head && this.#reader.epochs(this.#head.epoch).at(-1);
    return last && { node: last.node, feeds: feedsOf(last) };
  }

  get epoch(): number {
    return this.#head?.epoch ?? -1;
  }
  /** True when everything announced as of the last look has been fetched. */
  get atEnd(): boolean {
    return (
      !this.#pending && this.#head !== undefined && this.#follower.position >= this.#head.position
    );
  }

  /** A notice came that may say nothing new: notices have not stopped. */
  heard(nowMs: number): void {
    if (this.#follower.mode === 'live') excuseSilence(this.#follower, nowMs);
    else if (this.#follower.mode === 'degraded') this.look(nowMs, true);
  }

  /** True when the head has moved since the last look. */
  stirred(): boolean {
    return this.#reader.stirred();
  }

  excuse(nowMs: number): void {
    excuseSilence(this.#follower, nowMs);
  }

  /** Looks at the head; `rung` when a notice was the reason; `seen`: what `stirred` has just read will do. */
  look(nowMs: number, rung: boolean, seen = false): void {
    const head = this.#reader.head(seen);
    if (!head) return;
    this.#head = head;
    const by = rung ? 'notice' : 'looking';
    const { epoch, position } = head;
    const lines = rung || seen ? this.#linesTo(head) : undefined;
    if (lines) {
      this.#apply(
        stepFollower(this.#follower, { is: 'data', epoch, lines, by }, this.#rules, nowMs),
      );
      return;
    }
    this.#apply(
      stepFollower(this.#follower, { is: 'heard', epoch, position, by }, this.#rules, nowMs),
    );
  }

  /**
   * The bytes up to an announced end, in the usual case, a reader at the end that is told of more: they are read at once,
   * as if they had come with the notice.
   */
  #linesTo({ epoch, position }: Slot): Chunk | undefined {
    const { position: from } = this.#follower;
    if (position <= from || !this.queue.empty || !standsAtEnd(this.#follower, epoch, from))
      return undefined;
    const lines = this.#reader.readOn(from, position, this.#rules.maxBytes);
    return lines && lines.segment.epoch <= epoch ? lines : undefined;
  }

  /**
   * All of `look`, of what follows from it and of taking the records, in that usual case; they go into `out`. False:
   * nothing was done, nor was the head seen.
   */
  readOn(nowMs: number, rung: boolean, seen: boolean, out: FeedRecord[]): boolean {
    if (this.events.length > 0 || !this.#caughtUp) return false;
    const head = this.#reader.head(seen);
    const lines = head && this.#linesTo(head);
    if (!lines) return false;
    this.#head = head;
    takeOn(this.#follower, lines, rung ? 'notice' : 'looking', nowMs);
    const { position, bytes, ends } = lines;
    let at = 0;
    for (let i = 0; i < ends.length; i++) {
      const end = ends[i]!;
      out.push(new FeedRecord(this.log, position + at, bytes, at, end));
      at = end;
    }
    return true;
  }

  tick(nowMs: number): void {
    if (nowMs >= followerDueMs(this.#follower, this.#rules)) {
      this.#apply(stepFollower(this.#follower, { is: 'tick' }, this.#rules, nowMs), nowMs);
    }
  }

  /** Fetches into the empty queue if the follower wants something. True when the queue has records. */
  refill(nowMs: number): boolean {
    while (this.queue.empty && this.#pending) {
      const ask = this.#pending;
      this.#pending = undefined;
      const reply = answer(this.#reader, ask, this.#head);
      this.#watchDamage(reply.kind === 'busy' && this.#head !== undefined, nowMs);
      this.#apply(
        stepFollower(this.#follower, { is: 'answer', answer: reply }, this.#rules, nowMs),
      );
    }
    return !this.queue.empty;
  }

  /** Announced bytes that stay unreadable are told once. */
  #watchDamage(unreadable: boolean, nowMs: number): void {
    if (!unreadable) {
      this.#unreadableMs = Infinity;
      return;
    }
    if (this.#unreadableMs === Infinity) this.#unreadableMs = nowMs;
    else if (this.#unreadableMs !== -Infinity && nowMs - this.#unreadableMs > DAMAGED_MS) {
      this.#unreadableMs = -Infinity;
      this.events.push({ state: 'damaged', log: this.log, position: this.#follower.position });
    }
  }

  #apply(effects: readonly Effect[], nowMs?: number): void {
    const { log } = this;
    for (const effect of effects) {
      switch (effect.do) {
        case 'fetch':
          this.#pending = effect.ask;
          break;
        case 'look':
          if (nowMs !== undefined) this.look(nowMs, false);
          break;
        case 'deliver':
          this.queue.fill(effect.lines.position, effect.lines.bytes, effect.lines.ends);
          break;
        case 'cut':
          this.queue.clear();
          this.events.push({
            state: 'rewound',
            log,
            from: effect.from,
            to: effect.to,
            lines: effect.lines,
          });
          break;
        case 'gap':
          this.events.push({ state: 'gap', log, from: effect.from, to: effect.to });
          break;
        case 'mode':
          this.#tell(effect.mode);
          break;
      }
    }
  }

  #tell(mode: FollowerMode): void {
    if (mode === 'live') {
      if (!this.#caughtUp) this.events.push({ state: 'caughtUp', log: this.log });
      this.#caughtUp = true;
      this.events.push({ state: 'live', log: this.log });
    } else if (mode === 'degraded') this.events.push({ state: 'degraded', log: this.log });
    else if (mode === 'catchingUp') this.events.push({ state: 'behind', log: this.log });
  }

  /** Behind the last record that was taken from the queue. */
  get cursor(): Cursor {
    const { knownEpoch: epoch, position, lines } = this.#follower;
    const at = position - this.queue.bytesLeft;
    const before = lines - this.queue.linesLeft;
    const last = this.#cursor;
    if (last && last.position === at && last.epoch === epoch && last.lines === before) return last;
    return (this.#cursor = { log: this.log, epoch, position: at, lines: before });
  }

  close(): void {
    this.#reader.close();
  }
}

/** Cursor for the start of a feed. A log that does not exist yet begins at 0, wherever the feed wants to. */
function startOf(reader: LogReader, head: Slot | undefined, from: From): Cursor {
  const { log } = reader;
  if (typeof from === 'object' && 'cursors' in from) {
    const own = from.cursors.find((cursor) => cursor.log === log);
    if (own) return own;
    return startOf(reader, head, 'start');
  }
  if (!head) return { log, epoch: 0, position: 0, lines: 0 };
  const at = (position: number): Cursor => ({ log, epoch: head.epoch, position, lines: 0 });
  if (from === 'start') return at(reader.oldest());
  if (from === 'end') return { ...at(head.position), lines: head.lines };
  if ('timeUs' in from) return at(seekTime(reader, from.timeUs, head.position));
  if ('beforeEndUs' in from)
    return at(seekTime(reader, head.lastTimeUs - from.beforeEndUs, head.position));
  return at(seekBack(reader, from.last, head.position));
}
