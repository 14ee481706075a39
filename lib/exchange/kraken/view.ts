/**
 * A book as a subscriber of one depth holds it. It remembers the levels it has sent, and after each change of the
 * book says what a client must be told so that it holds the best `depth` levels again:
 *
 *   - a level that is new, has another quantity, or came back within the depth: its quantity;
 *   - a level that is gone: zero;
 *   - a level pushed out of the depth by better ones: nothing, the client cuts it off itself (K8).
 *
 * Where the log holds fewer levels than asked for, the client cuts off nothing, and pushed-out levels are zeroed too.
 * Removals stand before the rest: a client that cuts after each level then never cuts one that is to stay.
 */
import type { Level } from '../../market/event.ts';
import type { Book } from './book.ts';
import { zeroLike } from './digits.ts';
import type { Entry, Ladder } from './ladder.ts';

class SideView {
  readonly #sent: Entry[] = [];

  /** Takes the ladder's best levels as sent, from index `from` on. */
  hold(ladder: Ladder, depth: number, from = 0): void {
    const { entries } = ladder;
    const end = Math.min(depth, entries.length);
    const sent = this.#sent;
    for (let i = from; i < end; i++) sent[i] = entries[i]!;
    sent.length = end;
  }

  /** What changed since the last call or `hold`. */
  changes(ladder: Ladder, depth: number, clientCuts: boolean): Level[] {
    const from = ladder.changedFrom;
    if (from >= depth) return [];
    const sent = this.#sent;
    const { entries } = ladder;
    const end = Math.min(depth, entries.length);
    const worst = clientCuts && end === depth ? entries[end - 1]!.key : undefined;
    const gone: Level[] = [];
    const set: Level[] = [];
    let was = from;
    let is = from;
    while (was < sent.length || is < end) {
      const before = sent[was];
      const now = is < end ? entries[is] : undefined;
      if (before === now) {
        was++;
        is++;
      } else if (before && now && before.key === now.key) {
        if (before.quantity !== now.quantity || before.price !== now.price) {
          set.push([now.price, now.quantity]);
        }
        was++;
        is++;
      } else if (now && (!before || ladder.better(now.key, before.key))) {
        set.push([now.price, now.quantity]);
        is++;
      } else {
        const out = before!;
        const pushedOut = worst !== undefined && ladder.better(worst, out.key);
        if (!pushedOut) gone.push([out.price, zeroLike(out.quantity)]);
        was++;
      }
    }
    this.hold(ladder, depth, from);
    return gone.length === 0 ? set : gone.concat(set);
  }
}

export class BookView {
  readonly depth: number;
  readonly #bids = new SideView();
  readonly #asks = new SideView();

  constructor(depth: number) {
    this.depth = depth;
  }

  /** The book as it is counts as sent. */
  hold(book: Book): void {
    this.#bids.hold(book.bids, this.depth);
    this.#asks.hold(book.asks, this.depth);
  }

  /** To be called after each change of the book while somebody looks; undefined when nothing within the depth did. */
  changes(book: Book): { bids: Level[]; asks: Level[] } | undefined {
    const clientCuts = this.depth <= book.depth;
    const bids = this.#bids.changes(book.bids, this.depth, clientCuts);
    const asks = this.#asks.changes(book.asks, this.depth, clientCuts);
    return bids.length === 0 && asks.length === 0 ? undefined : { bids, asks };
  }
}
