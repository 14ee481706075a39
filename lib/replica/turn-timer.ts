/** Gathers what changes until the event loop has taken all that had come, then lets it be handled at once. */
import type { Copied } from './announce.ts';

export class Turn {
  readonly #handle: () => void;
  #changed = new Set<Copied>();
  #due: NodeJS.Immediate | undefined;
  #stopped = false;

  constructor(handle: () => void) {
    this.#handle = handle;
  }

  add(copied: Copied): void {
    this.#changed.add(copied);
    if (!this.#stopped) this.#due ??= setImmediate(() => this.#now());
  }

  #now(): void {
    this.#due = undefined;
    this.#handle();
  }

  /** What has changed since the last call. */
  taken(): ReadonlySet<Copied> {
    const changed = this.#changed;
    this.#changed = new Set();
    return changed;
  }

  /** Handles what is left, and nothing after it. */
  stop(): void {
    this.#stopped = true;
    clearImmediate(this.#due);
    this.#due = undefined;
    if (this.#changed.size > 0) this.#handle();
  }
}
