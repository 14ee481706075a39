/** A source that brings what it is given, one batch at a time: the pacer is its exchange. */
import type { LogName } from '../../log/name.ts';
import type { Source, SourceRecord } from '../../source/source.ts';

export class DueSource implements Source {
  readonly logs: readonly LogName[];
  #batch: readonly SourceRecord[] | undefined;
  #give: (() => void) | undefined;
  #taken: (() => void) | undefined;
  #ended = false;

  constructor(log: LogName) {
    this.logs = [log];
  }

  /** Resolves when the fetcher has written and announced them and asks for more. One call at a time. */
  bring(payloads: readonly Buffer[]): Promise<void> {
    const log = this.logs[0]!;
    this.#batch = payloads.map((payload) => ({ log, payload }));
    return new Promise((resolve) => {
      this.#taken = resolve;
      this.#give?.();
    });
  }

  end(): void {
    this.#ended = true;
    this.#give?.();
  }

  async *open(): AsyncIterable<readonly SourceRecord[]> {
    while (!this.#ended) {
      if (!this.#batch) await new Promise<void>((resolve) => (this.#give = resolve));
      const batch = this.#batch;
      this.#batch = undefined;
      if (batch) yield batch;
      this.#taken?.();
      this.#taken = undefined;
    }
  }
}
