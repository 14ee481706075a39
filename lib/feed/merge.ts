/**
 * Several logs as one, by receive time; ties by the logs' names, then by position, whatever order they were given in.
 * Pure: takes what is queued, decides what may go.
 *
 * A queued record may go when no log can still bring an earlier one. A log with records queued cannot (its times rise);
 * one that is read up to its announced end cannot bring any before its writer's clock; one that has more to read is waited for.
 */
import { lineTimeUs } from '../log/line.ts';
import type { LogName } from '../log/name.ts';
import { FeedRecord } from './record.ts';

/** A log's queue: one chunk of whole lines, taken from the front. */
export class Queue {
  readonly log: LogName;
  #bytes: Buffer = Buffer.alloc(0);
  #position = 0;
  #ends: readonly number[] = [];
  #next = 0;
  #at = 0;
  /** Receive time of the first record, Unix microseconds; Infinity when the queue is empty. */
  frontUs = Infinity;
  /** While the queue is empty: no record up to here can still come (Infinity for a single log). */
  completeUs = 0;

  constructor(log: LogName) {
    this.log = log;
  }

  get empty(): boolean {
    return this.#next >= this.#ends.length;
  }

  /** The chunk that has records queued. */
  get waiting(): Buffer | undefined {
    return this.empty ? undefined : this.#bytes;
  }

  /** What is still queued. */
  get linesLeft(): number {
    return this.#ends.length - this.#next;
  }
  get bytesLeft(): number {
    return this.empty ? 0 : this.#bytes.length - this.#at;
  }

  /** Puts the next chunk into an empty queue. */
  fill(position: number, bytes: Buffer, ends: readonly number[]): void {
    this.#bytes = bytes;
    this.#position = position;
    this.#ends = ends;
    this.#next = 0;
    this.#at = 0;
    this.frontUs = ends.length > 0 ? lineTimeUs(bytes, 0) : Infinity;
  }

  take(): FeedRecord {
    const at = this.#at;
    const end = this.#ends[this.#next]!;
    this.#next++;
    this.#at = end;
    this.frontUs = this.#next < this.#ends.length ? lineTimeUs(this.#bytes, end) : Infinity;
    return new FeedRecord(this.log, this.#position + at, this.#bytes, at, end);
  }

  /** Takes all into `out` without looking at times: for a log that is read alone. */
  takeAll(out: FeedRecord[]): void {
    const ends = this.#ends;
    let at = this.#at;
    for (let i = this.#next; i < ends.length; i++) {
      const end = ends[i]!;
      out.push(new FeedRecord(this.log, this.#position + at, this.#bytes, at, end));
      at = end;
    }
    this.clear();
  }

  clear(): void {
    this.#ends = [];
    this.#next = 0;
    this.frontUs = Infinity;
  }
}

/** Records that come in a batch at the most, unless it is a single log's chunk. */
const BATCH = 4_096;

/**
 * Moves what may go into `out`. `refill` is called for a queue that has just run empty and tells whether it has records
 * again; it sets `completeUs` otherwise. `release` lets a record go though a log might still bring an earlier one
 * (its writer is silent). Returns the log that held the rest back, if any. Costs log k a record for k logs that take turns.
 */
export function merge(
  queues: readonly Queue[],
  out: FeedRecord[],
  refill: (queue: Queue) => boolean,
  release: (front: Queue, holder: Queue) => boolean,
): Queue | undefined {
  const heap: Queue[] = [];
  const empties: Queue[] = [];
  for (const queue of queues) (queue.empty ? empties : heap).push(queue);
  for (let at = (heap.length >> 1) - 1; at >= 0; at--) sift(heap, at);
  let floorUs = floorOf(empties);
  while (out.length < BATCH && heap.length > 0) {
    const first = heap[0]!;
    if (first.frontUs > floorUs) {
      const holder = empties.find(
        (queue) => first.frontUs > queue.completeUs && !release(first, queue),
      );
      if (holder) return holder;
    }
    // As long as this log stays in front and below the floor nothing else needs to be looked at.
    const second = heap.length < 3 || before(heap[1]!, heap[2]!) ? heap[1] : heap[2];
    do out.push(first.take());
    while (
      first.frontUs <= floorUs &&
      out.length < BATCH &&
      first.frontUs !== Infinity &&
      (second === undefined || before(first, second))
    );
    if (first.empty && !refill(first)) {
      empties.push(first);
      floorUs = floorOf(empties);
      const last = heap.pop()!;
      if (heap.length === 0) break;
      heap[0] = last;
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
