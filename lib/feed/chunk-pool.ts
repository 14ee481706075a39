/**
 * Memory for a log's chunks, used again and again: for consumers that are done with a batch when they ask for the next
 * and keep nothing of it. What was lent in a turn of the feed is free in the next one, but for the chunk that still
 * waits in the log's queue.
 */
export class ChunkPool {
  #free: Buffer[] = [];
  #lent: Buffer[] = [];
  readonly #freed: ((memory: Buffer) => void) | undefined;

  /** `freed` is told of all memory that nobody reads any more. */
  constructor(freed?: (memory: Buffer) => void) {
    this.#freed = freed;
  }

  /** Memory for `bytes`, with anything in it. */
  readonly take = (bytes: number): Buffer => {
    const found = this.#free.findLastIndex((one) => one.length >= bytes);
    const [memory = Buffer.allocUnsafeSlow(bytes)] = found < 0 ? [] : this.#free.splice(found, 1);
    this.#lent.push(memory);
    return memory.length === bytes ? memory : memory.subarray(0, bytes);
  };

  /** A turn begins: nobody reads what was lent before, but for `waiting`. */
  turn(waiting: Buffer | undefined): void {
    if (this.#lent.length === 0) return;
    const kept: Buffer[] = [];
    for (const memory of this.#lent) {
      if (waiting !== undefined && memory.buffer === waiting.buffer) kept.push(memory);
      else {
        this.#freed?.(memory);
        this.#free.push(memory);
      }
    }
    this.#lent = kept;
    // Larger ones were for a longer line, smaller ones for a shorter rest: what fits all is enough.
    if (this.#free.length > FREE_MAX) this.#free = largest(this.#free);
  }
}

const FREE_MAX = 2;
const largest = (all: readonly Buffer[]): Buffer[] =>
  [...all].sort((a, b) => a.length - b.length).slice(-FREE_MAX);
