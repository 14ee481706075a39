/**
 * The two kinds of reader, in a simulated world: one beside the disk (the shipped DiskLog), one across a network (the
 * shipped follower over simulated links). Both keep what they were handed, and check it as it comes.
 */
import type { Answer, Ask } from '../../lib/catchup/answer.ts';
import { DiskLog } from '../../lib/feed/disk-log.ts';
import type { Cursor } from '../../lib/feed/record.ts';
import {
  followerDueMs,
  newFollower,
  startFollower,
  stepFollower,
} from '../../lib/follower/follower.ts';
import { remoteRules, type Effect, type Follower, type Input } from '../../lib/follower/state.ts';
import { kinds } from '../../lib/mesh/header.ts';
import { lineEnds } from '../../lib/log/disk-reader.ts';
import { lineTimeUs } from '../../lib/log/line.ts';
import type { LogName } from '../../lib/log/name.ts';
import type { Heard } from '../../lib/notifier/notice.ts';
import { Broken, Journal, nothingHeld } from '../guarantees.ts';
import type { SimDisk } from './disk.ts';

export type Bug =
  | 'no heartbeat'
  | 'no epoch'
  | 'start-only reconcile'
  | 'no echo check'
  | 'no retry'
  | 'no repair'
  | 'prefix topic'
  | 'announce before write'
  | 'cursor before delivery'
  | 'strict nonce'
  | 'copy announced early'
  | 'copy not cut';

const PAYLOAD = 50;
/** The number that a line of the simulation carries. */
export const idOf = (line: Buffer): number =>
  Number(line.toString('latin1', PAYLOAD + 5, line.length - 3));

/** What a reader was handed, and what it must hold to: the five guarantees (I1 to I3, I7, I11). */
export class Delivered {
  readonly ids: number[] = [];
  rewound = 0;
  readonly #journal: Journal;
  readonly #name: string;
  readonly #before: (id: number) => number;
  constructor(name: string, before: (id: number) => number) {
    this.#name = name;
    this.#before = before;
    this.#journal = new Journal(name, nothingHeld(), true);
  }
  get position(): number {
    return this.#journal.held.position;
  }
  take(position: number, line: Buffer, announced: number): void {
    const id = idOf(line);
    // What a host's crash takes back leaves holes in the numbers: only what is no number is wrong by itself.
    const number = Number.isSafeInteger(id) ? undefined : NaN;
    const end = position + line.length;
    this.#journal.take({ is: 'line', position, end, timeUs: lineTimeUs(line), number, announced });
    const last = this.ids.at(-1) ?? 0;
    if (this.#before(id) !== last)
      throw new Broken(
        this.#name,
        'reliable',
        `line ${id} came behind ${last}, not ${this.#before(id)}`,
      );
    this.ids.push(id);
  }
  cut({ from, to, lines }: { from: number; to: number; lines: number }): void {
    this.#journal.take({ is: 'rewound', from, to, lines });
    this.rewound += lines;
    this.ids.length -= lines;
  }
  /** Killed, and begun again at a stored cursor. */
  resumed({ position, lines }: { position: number; lines: number }): void {
    this.#journal.take({ is: 'resumed', position, lines });
  }
  /** A cursor was handed out. */
  bookmark({ position, lines }: { position: number; lines: number }): void {
    this.#journal.take({ is: 'bookmark', position, lines });
  }
  /** The faults are over: this is what the log holds. */
  end(position: number, lines: number): void {
    this.#journal.take({ is: 'end', position, lines });
  }
}

export type World = {
  readonly nowMs: number;
  readonly data: string;
  readonly log: LogName;
  readonly disk: SimDisk;
  readonly bug: Bug | undefined;
  /** Highest end ever announced under the epoch at hand. */
  announced(): number;
  at(ms: number, act: () => void): void;
  /** Sends a request to whoever holds the log; the answer comes back through `answered`. */
  request(reader: RemoteReader, ask: Ask, nonce: number): void;
  /** The line that this one was written behind; 0 for the first. */
  before(id: number): number;
};

export type Reader = {
  readonly delivered: Delivered;
  readonly epochs: { known: number; seen: number };
  hear(heard: Heard): void;
  /** Killed and started again from what it had committed. */
  crash(): void;
  wake(): void;
};

export class LocalReader implements Reader {
  readonly delivered: Delivered;
  readonly #world: World;
  #log: DiskLog;
  #due = Infinity;
  #life = 0;

  constructor(world: World, name = 'local') {
    this.#world = world;
    this.delivered = new Delivered(name, (id) => world.before(id));
    this.#log = this.#begin();
    this.wake();
  }
  get epochs(): { known: number; seen: number } {
    return { known: this.#log.cursor.epoch, seen: this.#log.cursor.epoch };
  }
  #begin(cursor?: Cursor): DiskLog {
    const { data, log, nowMs, disk } = this.#world;
    return new DiskLog(data, log, cursor ? { cursors: [cursor] } : 'start', nowMs, {}, disk);
  }
  hear(): void {
    this.#log.look(this.#world.nowMs, true);
    this.wake();
  }
  crash(): void {
    // What it was handed is its cursor: nothing is lost, nothing comes twice.
    const cursor = this.#log.cursor;
    this.delivered.resumed(cursor);
    this.#log.close();
    this.#life++;
    this.#due = Infinity;
    this.#log = this.#begin(this.#world.bug === 'no epoch' ? { ...cursor, epoch: 0 } : cursor);
    this.wake();
  }
  wake(): void {
    const { nowMs } = this.#world;
    this.#log.tick(nowMs);
    for (;;) {
      const more = this.#log.refill(nowMs);
      for (const event of this.#log.events.splice(0)) {
        if (event.state === 'rewound') this.delivered.cut(event);
      }
      if (!more) break;
      while (!this.#log.queue.empty) {
        const record = this.#log.queue.take();
        this.delivered.take(record.position, record.line, this.#world.announced());
      }
      this.delivered.bookmark(this.#log.cursor);
    }
    const due = Math.max(this.#log.dueMs, nowMs + 0.001);
    if (due < this.#due || this.#due <= nowMs) {
      this.#due = due;
      const life = this.#life;
      this.#world.at(due, () => life === this.#life && due === this.#due && this.wake());
    }
  }
}

export class RemoteReader implements Reader {
  readonly delivered: Delivered;
  readonly #world: World;
  #follower: Follower;
  #due = Infinity;
  #life = 0;
  #nonce = 0;

  constructor(world: World, name = 'remote') {
    this.#world = world;
    this.delivered = new Delivered(name, (id) => world.before(id));
    this.#follower = newFollower({ epoch: 0, position: 0, lines: 0 }, world.nowMs);
    this.#do(startFollower(this.#follower, remoteRules, world.nowMs));
  }
  get epochs(): { known: number; seen: number } {
    return { known: this.#follower.knownEpoch, seen: this.#follower.seenEpoch };
  }
  get life(): number {
    return this.#life;
  }
  hear({ header, bytes }: Heard): void {
    const epoch = this.#world.bug === 'no epoch' ? 1 : header.epoch;
    if (header.kind === kinds.DATA) {
      const segment = { base: header.aux, epoch: header.recordEpoch };
      const lines = { position: header.position, bytes, ends: lineEnds(bytes), segment };
      this.#step({ is: 'data', epoch, lines, by: 'notice' });
    } else this.#step({ is: 'heard', epoch, position: header.position, by: 'notice' });
  }
  answered(answer: Answer, nonce: number): void {
    const { bug } = this.#world;
    if (bug === 'strict nonce' && nonce !== this.#nonce) return;
    if (bug === 'no echo check') {
      const { knownEpoch: lastEpoch, position: asked } = this.#follower;
      this.#step({ is: 'answer', answer: { ...answer, lastEpoch, asked } });
    } else if (bug === 'no epoch') this.#step({ is: 'answer', answer: { ...answer, epoch: 1 } });
    else this.#step({ is: 'answer', answer });
  }
  crash(): void {
    // Its cursor is what it has written: the same bytes.
    const { knownEpoch, position, lines } = this.#follower;
    this.delivered.resumed({ position, lines });
    this.#life++;
    this.#due = Infinity;
    this.#follower = newFollower({ epoch: knownEpoch, position, lines }, this.#world.nowMs);
    this.#do(startFollower(this.#follower, remoteRules, this.#world.nowMs));
  }
  wake(): void {
    this.#step({ is: 'tick' });
  }
  #step(input: Input): void {
    const { nowMs, bug } = this.#world;
    if (bug === 'no retry' && this.#follower.asking) this.#follower.asking.sinceMs = nowMs;
    this.#do(stepFollower(this.#follower, input, remoteRules, nowMs));
  }
  #do(effects: readonly Effect[]): void {
    for (const effect of effects) {
      if (effect.do === 'fetch') {
        const ask = this.#world.bug === 'no epoch' ? { ...effect.ask, lastEpoch: 0 } : effect.ask;
        this.#world.request(this, ask, ++this.#nonce);
      } else if (effect.do === 'look' && !this.#follower.asking) {
        const { knownEpoch: lastEpoch, position } = this.#follower;
        this.#world.request(
          this,
          { lastEpoch, position, maxBytes: remoteRules.maxBytes },
          this.#nonce,
        );
      } else if (effect.do === 'deliver') {
        let at = 0;
        // The seeded bug: the cursor is stored first, and the process dies before it has handed on.
        const skip =
          this.#world.bug === 'cursor before delivery' && effect.lines.position % 7 === 3;
        for (const end of effect.lines.ends) {
          if (!skip) {
            const line = effect.lines.bytes.subarray(at, end);
            this.delivered.take(effect.lines.position + at, line, Infinity);
          }
          at = end;
        }
      } else if (effect.do === 'cut') this.delivered.cut(effect);
    }
    this.#schedule();
  }
  #schedule(): void {
    const { nowMs } = this.#world;
    const due = Math.max(followerDueMs(this.#follower, remoteRules), nowMs + 0.001);
    if (due === Infinity || (due >= this.#due && this.#due > nowMs)) return;
    this.#due = due;
    const life = this.#life;
    this.#world.at(due, () => life === this.#life && due === this.#due && this.wake());
  }
}
