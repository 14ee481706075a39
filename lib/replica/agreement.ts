/**
 * Before a copy goes on at its end, or is cut, its last line before that must be the source's too: positions and epochs
 * look alike when a source was begun anew, lines with their receive times do not. The question is an ordinary request for
 * that line. Pure.
 */
import type { Answer, Ask, Lines } from '../catchup/answer.ts';

/** What the answer says: asked again later, nothing against it, or another log. */
export type Verdict = { readonly againMs: number } | 'agreed' | 'foreign';

/** An answerer that has less of our own epoch than we do is on its way back to it. */
export const BEHIND_RETRY_MS = 1_000;
/** A source that does not know the log may be told of it later. */
export const DENIED_RETRY_MS = 5_000;
const TIMEOUT_MS = 1_000;

export class Agreement {
  readonly ask: Ask;
  readonly #line: Buffer;
  /** When to ask (again), monotonic ms. */
  dueMs: number;

  constructor(lastEpoch: number, last: { position: number; line: Buffer }, nowMs: number) {
    this.ask = { lastEpoch, position: last.position, maxBytes: last.line.length };
    this.#line = last.line;
    this.dueMs = nowMs;
  }

  asked(nowMs: number): void {
    this.dueMs = nowMs + TIMEOUT_MS;
  }

  /** Judges an answer; undefined when it answers something else. */
  judge(answer: Answer): Verdict | undefined {
    if (answer.lastEpoch !== this.ask.lastEpoch || answer.asked !== this.ask.position)
      return undefined;
    const sameEpoch = answer.epoch === answer.lastEpoch;
    switch (answer.kind) {
      case 'chunk':
        return this.#standsIn(answer.lines) ? 'agreed' : 'foreign';
      case 'busy':
        return { againMs: answer.retryMs };
      case 'denied':
        return { againMs: DENIED_RETRY_MS };
      case 'cut':
      case 'info':
        // It does not have the line: not yet again, or no more, which is for the follower to hear.
        return sameEpoch ? { againMs: BEHIND_RETRY_MS } : 'agreed';
      case 'trimmed':
        return 'agreed';
    }
  }

  /**
   * What a later writer wrote there took our line back while we were away: the follower hears of that, and then the line
   * before it is compared. Where a later writer began at nothing, nothing is left to compare.
   */
  #standsIn({ bytes, segment }: Lines): boolean {
    if (bytes.subarray(0, this.#line.length).equals(this.#line)) return true;
    return segment.epoch > this.ask.lastEpoch && segment.base > 0;
  }
}
