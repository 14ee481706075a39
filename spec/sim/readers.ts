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
import type { LogName } from '../../lib/log/name.ts';
import type { Heard } from '../../lib/notifier/notice.ts';
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
  | 'strict nonce';

const PAYLOAD = 50;
/** The number that a line of the simulation carries. */
export const idOf = (line: Buffer): number =>
  Number(line.toString('latin1', PAYLOAD + 5, line.length - 3));

/** What a reader was handed, and what it must hold to (I2, I3, I7). */
export class Delivered {
  readonly ids: number[] = [];
  readonly ends: number[] = [];
  rewound = 0;
  popped = 0;
  readonly #name: string;
  constructor(name: string) {
    this.#name = name;
  }
  get position(): number {
    return this.ends.at(-1) ?? 0;
  }
  take(position: number, line: Buffer, announced: number): void {
    if (position !== this.position) {
      throw new Error(`${this.#name}: I3 line at ${position} after ${this.position}`);
    }
    const end = position + line.length;
    if (end > announced)
      throw new Error(`${this.#name}: I2 ${end} is beyond the announced ${announced}`);
    const id = idOf(line);
    if (!Number.isSafeInteger(id))
      throw new Error(`${this.#name}: I1 not a line: ${line.toString('latin1')}`);
    this.ids.push(id);
    this.ends.push(end);
  }
  cut(to: number, lines: number): void {
    this.rewound += lines;
    while (this.position > to) {
      this.ids.pop();
      this.ends.pop();
      this.popped++;
    }
    if (this.position !== to) throw new Error(`${this.#name}: I3 cut to ${to}, inside a line`);
    if (this.rewound !== this.popped) {
      throw new Error(
        `${this.#name}: I7 told of ${this.rewound} lines taken back, lost ${this.popped}`,
      );
    }
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
  readonly delivered = new Delivered('local');
  readonly #world: World;
  #log: DiskLog;
  #due = Infinity;
  #life = 0;

  constructor(world: World) {
    this.#world = world;
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
        if (event.state === 'rewound') this.delivered.cut(event.from, event.lines);
      }
      if (!more) break;
      while (!this.#log.queue.empty) {
        const record = this.#log.queue.take();
        this.delivered.take(record.position, record.line, this.#world.announced());
      }
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
  readonly delivered = new Delivered('remote');
  readonly #world: World;
  #follower: Follower;
  #due = Infinity;
  #life = 0;
  #nonce = 0;

  constructor(world: World) {
    this.#world = world;
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
      this.#step({ is: 'data', epoch, lines });
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
      } else if (effect.do === 'cut') this.delivered.cut(effect.from, effect.lines);
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
