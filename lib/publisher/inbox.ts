/**
 * A client's requests, in order, as many as fit into a client's share of a turn; the rest when the others have had
 * theirs. While some are waiting the client is not read from, so that a flood waits in its own socket, not with us.
 */
export type InboxParts = {
  readonly take: (text: string) => unknown;
  /** Stops and resumes reading from the client. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly monoMs: () => number;
  /** Calls back when others have had their turn. */
  readonly later: (action: () => void) => void;
};

/** A client's share of a turn, ms. */
const SHARE_MS = 4;
/** The clock is looked at once in so many requests. */
const CLOCK_EVERY = 8;

export class Inbox {
  readonly #parts: InboxParts;
  #waiting: string[] = [];
  /** Requests taken, and since when, in this turn; -1: no turn has begun. */
  #taken = 0;
  #sinceMs = -1;

  constructor(parts: InboxParts) {
    this.#parts = parts;
  }

  /** A request has come. */
  put(text: string): void {
    if (this.#waiting.length > 0) {
      this.#waiting.push(text);
      return;
    }
    if (this.#sinceMs < 0) {
      this.#sinceMs = this.#parts.monoMs();
      this.#parts.later(() => this.#next());
    }
    if (this.#spent()) {
      this.#waiting.push(text);
      this.#parts.pause();
      return;
    }
    this.#taken++;
    this.#parts.take(text);
  }

  /** The client has gone. */
  clear(): void {
    this.#waiting = [];
  }

  #spent(): boolean {
    return (
      this.#taken > 0 &&
      this.#taken % CLOCK_EVERY === 0 &&
      this.#parts.monoMs() - this.#sinceMs >= SHARE_MS
    );
  }

  /** A new turn: what waits first. */
  #next(): void {
    this.#taken = 0;
    this.#sinceMs = -1;
    if (this.#waiting.length === 0) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    let at = 0;
    this.#sinceMs = this.#parts.monoMs();
    for (; at < waiting.length && !this.#spent(); at++) {
      this.#taken++;
      this.#parts.take(waiting[at]!);
    }
    this.#waiting = waiting.slice(at);
    if (this.#waiting.length === 0) this.#parts.resume();
    this.#parts.later(() => this.#next());
  }
}
