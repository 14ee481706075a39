/**
 * Several logs as one, by receive time; ties by the logs' names, then by position, whatever order they were given in.
 * Pure: takes what is queued, decides what may go.
 *
 * A queued record may go when no log can still bring an earlier one. A log with records queued cannot (its times rise);
 * one that is read up to its announced end cannot bring any before its writer's clock; one that has more to read is waited for.
 */
import { TIME_AT } from '../log/line.ts';
import { LineTimes } from '../log/line-times.ts';
import type { LogName } from '../log/name.ts';
import type { Lines, Runs } from './runs.ts';

/** A log's queue: one chunk of whole lines, taken from the front. */
export class Queue {
  readonly log: LogName;
  #lines: Lines;
  #ends: readonly number[] = [];
  /** Index of the first line in the queue, and where it begins. */
  #next = 0;
  #at = 0;
  readonly #times = new LineTimes();
  /** Receive time of the first record, Unix microseconds; Infinity when the queue is empty. */
  frontUs = Infinity;
  /** While the queue is empty: no record up to here can still come (Infinity for a single log). */
  completeUs = 0;

  constructor(log: LogName) {
    this.log = log;
    this.#lines = { log, position: 0, bytes: NO_BYTES, ends: [] };
  }

  get empty(): boolean {
    return this.#next >= this.#ends.length;
  }

  /** The chunk that has records queued. */
  get waiting(): Buffer | undefined {
    return this.empty ? undefined : this.#lines.bytes;
  }

  /** What is still queued. */
  get linesLeft(): number {
    return this.#ends.length - this.#next;
  }
  get bytesLeft(): number {
    return this.empty ? 0 : this.#lines.bytes.length - this.#at;
  }

  /** Puts the next chunk into an empty queue. */
  fill(position: number, bytes: Buffer, ends: readonly number[]): void {
    this.#lines = { log: this.log, position, bytes, ends };
    this.#ends = ends;
    this.#next = 0;
    this.#at = 0;
    this.#times.of(bytes);
    this.frontUs = ends.length > 0 ? this.#times.at(TIME_AT) : Infinity;
  }

  get lines(): Lines {
    return this.#lines;
  }
  /** Index of the first line in the queue. */
  get next(): number {
    return this.#next;
  }

  /** Takes a line from the front. */
  skip(): void {
    const end = this.#ends[this.#next++]!;
    this.#at = end;
    this.frontUs = this.#next < this.#ends.length ? this.#times.at(end + TIME_AT) : Infinity;
  }

  /** Takes all into `out` without looking at times: for a log that is read alone. */
  takeAll(out: Runs): void {
    out.add(this.#lines, this.#next, this.#ends.length);
    this.clear();
  }

  clear(): void {
    this.#ends = [];
    this.#next = 0;
    this.frontUs = Infinity;
  }
}

const NO_BYTES = Buffer.alloc(0);

/** Records that come in a batch at the most, unless it is a single log's chunk. */
const BATCH = 4_096;

/**
 * Moves what may go into `out`. `refill` is called for a queue that has just run empty and tells whether it has records
 * again; it sets `completeUs` otherwise. `release` lets a record go though a log might still bring an earlier one
 * (its writer is silent). Returns the log that held the rest back, if any. Costs log k a record for k logs that take turns.
 */
export function merge(
  queues: readonly Queue[],
  out: Runs,
  refill: (queue: Queue) => boolean,
  release: (front: Queue, holder: Queue) => boolean,
): Queue | undefined {
  const heap: Queue[] = [];
  const empties: Queue[] = [];
  for (const queue of queues) (queue.empty ? empties : heap).push(queue);
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sift(heap, at);
  let floorUs = floorOf(empties);
  while (out.records < BATCH && heap.length > 0) {
    const first = heap[0]!;
    if (first.frontUs > floorUs) {
      const holder = empties.find(
        (queue) => first.frontUs > queue.completeUs && !release(first, queue),
      );
      if (holder) return holder;
    }
    // As long as this log stays in front and below the floor nothing else needs to be looked at.
    const second = heap.length < 3 || before(heap[1]!, heap[2]!) ? heap[1] : heap[2];
    const { lines, next: from } = first;
    const last = from + BATCH - out.records;
    do first.skip();
    while (
      first.frontUs <= floorUs &&
      first.next < last &&
      first.frontUs !== Infinity &&
      (second === undefined || before(first, second))
    );
    out.add(lines, from, first.next);
    if (first.empty && !refill(first)) {
      empties.push(first);
      floorUs = floorOf(empties);
      const other = heap.pop()!;
      if (heap.length === 0) break;
      heap[0] = other;
    }
    sift(heap, 0);
  }
  return undefined;
}

const before = (a: Queue, b: Queue): boolean =>
  a.frontUs !== b.frontUs ? a.frontUs < b.frontUs : a.log < b.log;

/** No empty queue brings anything up to here. */
function floorOf(empties: readonly Queue[]): number {
  let floorUs = Infinity;
  for (const { completeUs } of empties) if (completeUs < floorUs) floorUs = completeUs;
  return floorUs;
}

/** Lets the queue at `at` sink to its place in a heap whose front has the earliest record. */
function sift(heap: Queue[], at: number): void {
  const queue = heap[at]!;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++;
    if (!before(heap[child]!, queue)) break;
    heap[at] = heap[child]!;
    at = child;
  }
  heap[at] = queue;
}
