/** A source that brings what it is given, one batch at a time: the pacer is its exchange. */
import type { LogName } from '../../log/name.ts';
import type { Source, SourceRecord } from '../../source/source.ts';

type Batch = readonly SourceRecord[];
type Given = IteratorResult<Batch, undefined>;

/** Not a generator: each of its steps would cost the fetcher, which waits for it, several wake-ups. */
export class DueSource implements Source {
  readonly logs: readonly LogName[];
  #batch: Batch | undefined;
  #give: ((given: Given) => void) | undefined;
  #taken: (() => void) | undefined;
  #ended = false;

  constructor(log: LogName) {
    this.logs = [log];
  }

  /**
   * Resolves when the fetcher has written and announced them and asks for more: then the records and their payloads may
   * be written over. One call at a time.
   */
  bring(batch: Batch): Promise<void> {
    return new Promise((resolve) => {
      this.#taken = resolve;
      const give = this.#give;
      this.#give = undefined;
      if (give) give({ value: batch, done: false });
      else this.#batch = batch;
    });
  }

  end(): void {
    this.#ended = true;
    this.#give?.({ value: undefined, done: true });
  }

  open(): AsyncIterable<Batch> {
    return { [Symbol.asyncIterator]: () => ({ next: () => this.#next() }) };
  }

  #next(): Promise<Given> {
    this.#taken?.();
    this.#taken = undefined;
    return new Promise((resolve) => {
      const batch = this.#batch;
      this.#batch = undefined;
      if (batch) resolve({ value: batch, done: false });
      else if (this.#ended) resolve({ value: undefined, done: true });
      else this.#give = resolve;
    });
  }
}
