/**
 * The consumer that asked for the next batch, and what ends its wait: somebody rings, a time comes or, for a reader that
 * spins, a head moves. A ring is answered where it is heard: the turn runs at once, and its batch is in hand one promise
 * later. Rings that come while nobody waits are kept (one is enough).
 */
import type { Idle } from './options.ts';

/** What is done in the world while somebody waits. */
export type Turns<T> = {
  nowMs(): number;
  /** True when there is no more, before a turn and behind one. Throws what ended it. */
  ended(turned: boolean): boolean;
  /** One turn: what there is to hand out. */
  turn(nowMs: number): T | undefined;
  /** True when the last turn has left nothing: until rung or due, another one would find nothing. */
  emptied(): boolean;
  /** When to turn again though nobody rings, monotonic ms. */
  dueMs(): number;
  /** We are awake after a wait that was meant. */
  woke(nowMs: number): void;
  /** True when a head has moved. */
  moved(): boolean;
  /** There is no more, or a turn has thrown. */
  close(): Promise<void>;
};

type Result<T> = IteratorResult<T, undefined>;
/** Given what a turn hands out, or how it ends. */
type Give<T> = (result: IteratorYieldResult<T> | Promise<Result<T>>) => void;

/** A consumer that is always quick enough must not keep timers and sockets waiting longer than this. */
const YIELD_MS = 10;
/** How long a spinning reader looks without a break. */
const LOOKING_MS = 0.02;
/** Longest wait of a timer. */
const TIMER_MAX_MS = 0x7fffffff;

export class Waiter<T> implements AsyncIterator<T, undefined, undefined> {
  readonly #turns: Turns<T>;
  readonly #spinMs: number;
  #spinUntilMs = -Infinity;
  /** Who asked, in order. */
  readonly #asked: Give<T>[] = [];
  /** Turning: who asks just then is served by that. */
  #going = false;
  #rung = false;
  #parked = false;
  #spinning: NodeJS.Immediate | undefined;
  #yieldedMs = 0;
  /** Kept over many waits: most end by a ring, and a timer made and unmade for each would cost more than all else here. */
  #timer: NodeJS.Timeout | undefined;
  #timerMs = Infinity;
  #untilMs = Infinity;

  constructor(turns: Turns<T>, idle: Idle = 'park') {
    this.#turns = turns;
    this.#spinMs = idle === 'park' ? 0 : idle === 'spin' ? Infinity : idle.spinUs / 1_000;
    if (this.#spinMs === Infinity) this.#spinUntilMs = Infinity;
  }

  /** True for a reader that goes on looking for a while before it sleeps. */
  get spins(): boolean {
    return this.#spinMs > 0;
  }

  /** Records came: more may follow. */
  fed(nowMs: number): void {
    this.#spinUntilMs = nowMs + this.#spinMs;
  }

  /**
   * What the next turn that has something hands out, as an async iterator's step, so that nobody needs to wrap it: each
   * promise more is a wake-up more before a record is in hand. Calls that do not wait for each other get it in order.
   */
  next(): Promise<Result<T>> {
    return new Promise((resolve) => this.#ask(resolve));
  }

  /**
   * Calls `take` with all that there is, where it was read: without any promise in between. A promise that it returns is
   * waited for. Resolves at the end; rejects, all being closed, with what went wrong or what `take` threw.
   */
  forEach(take: (value: T) => Promise<void> | void): Promise<void> {
    return new Promise((resolve, reject) => {
      const failed = (error: unknown): void =>
        void this.#turns.close().then(() => reject(error), reject);
      const give: Give<T> = (result) => {
        if (result instanceof Promise) return void result.then(() => resolve(), reject);
        try {
          const taking = take(result.value);
          if (taking) taking.then(() => this.#ask(give), failed);
          else this.#ask(give);
        } catch (error) {
          failed(error);
        }
      };
      this.#ask(give);
    });
  }

  #ask(give: Give<T>): void {
    this.#asked.push(give);
    if (this.#asked.length > 1 || this.#going || this.#rests()) return;
    this.#go(this.#turns.nowMs());
  }

  /** Nothing more is wanted. */
  async return(): Promise<Result<T>> {
    await this.#turns.close();
    return { value: undefined, done: true };
  }

  /** Spins, or parks where the alarm is set, without a turn that would find nothing. */
  #rests(): boolean {
    if (this.#rung || !this.#turns.emptied()) return false;
    if (this.spins) {
      this.#spinOn();
      return true;
    }
    const untilMs = this.#turns.dueMs();
    if (untilMs < this.#timerMs) return false;
    this.#untilMs = untilMs;
    return (this.#parked = true);
  }

  /** Something happened. Never throws: what a turn throws is the consumer's. */
  ring(): void {
    this.#rung = true;
    if (this.#spinning) {
      clearImmediate(this.#spinning);
      this.#spinning = undefined;
    } else if (!this.#parked) return;
    this.#wake();
  }

  #wake(): void {
    const nowMs = this.#turns.nowMs();
    this.#parked = false;
    this.#yieldedMs = nowMs;
    this.#turns.woke(nowMs);
    this.#go(nowMs);
  }

  /** Turns until there is something to hand out or to wait for. */
  #go(fromMs: number): void {
    if (this.#asked.length === 0) return;
    this.#going = true;
    try {
      for (let nowMs = fromMs; !this.#turns.ended(false); nowMs = this.#turns.nowMs()) {
        if (nowMs - this.#yieldedMs > YIELD_MS) {
          setImmediate(() => this.#goOn());
          return;
        }
        this.#rung = false;
        const value = this.#turns.turn(nowMs);
        if (value !== undefined) {
          this.#asked.shift()!({ value, done: false });
          if (this.#asked.length === 0 || this.#rests()) return;
        } else if (this.#turns.ended(true)) break;
        else {
          const thenMs = this.#turns.nowMs();
          if (thenMs < this.#spinUntilMs) {
            this.#spinOn();
            return;
          }
          if (this.#waits(thenMs)) return;
          this.#turns.woke(thenMs);
        }
      }
      this.#end();
    } catch (error) {
      this.#end(error);
    } finally {
      this.#going = false;
    }
  }

  /** All is closed before anybody is told; what went wrong is told to the first who waits. */
  #end(error?: unknown): void {
    const asked = this.#asked.splice(0);
    const closed = this.#turns.close();
    const done = closed.then((): Result<T> => ({ value: undefined, done: true }));
    if (error !== undefined)
      asked.shift()?.(
        closed.then(() => {
          throw error;
        }),
      );
    for (const give of asked) give(done);
  }

  /** The event loop has had its turn. */
  #goOn(): void {
    this.#yieldedMs = this.#turns.nowMs();
    this.#go(this.#yieldedMs);
  }

  #spinOn(): void {
    this.#spinning = setImmediate(() => this.#spin());
  }

  /** Looks at the heads again and again; the event loop has its turn every few microseconds, so sockets are served as ever. */
  #spin(): void {
    const turns = this.#turns;
    const fromMs = turns.nowMs();
    const dueMs = turns.dueMs();
    this.#spinning = undefined;
    this.#yieldedMs = fromMs;
    let nowMs = fromMs;
    do {
      if (this.#rung || nowMs >= dueMs || turns.moved()) {
        turns.woke(nowMs);
        return this.#go(nowMs);
      }
      if (nowMs >= this.#spinUntilMs && this.#waits(nowMs)) return;
      nowMs = turns.nowMs();
    } while (nowMs - fromMs < LOOKING_MS);
    this.#spinOn();
  }

  /** Parks until rung or due; false when that is so already. */
  #waits(nowMs: number): boolean {
    const untilMs = this.#turns.dueMs();
    if (this.#rung || untilMs <= nowMs) return false;
    this.#parked = true;
    this.#untilMs = untilMs;
    if (untilMs < this.#timerMs) this.#setAlarm(nowMs);
    return true;
  }

  /** A timer that is due earlier will look again then. */
  #setAlarm(nowMs: number): void {
    clearTimeout(this.#timer);
    this.#timerMs = Math.min(this.#untilMs, nowMs + TIMER_MAX_MS);
    this.#timer = setTimeout(() => this.#alarm(), this.#timerMs - nowMs);
  }

  #alarm(): void {
    const nowMs = this.#timerMs;
    this.#timerMs = Infinity;
    if (!this.#parked) return;
    if (this.#untilMs > nowMs) this.#setAlarm(nowMs);
    else this.#wake();
  }

  /** Nobody will ring any more: who waits is told the end. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timerMs = Infinity;
    this.ring();
  }
}
