/** A Binance client's order book, built by the procedure that Binance publishes, and the oracle that judges it. */

type Levels = [string, string][];
type Diff = { U: number; u: number; b: Levels; a: Levels };
type Quote = { u: number; b: string; B: string; a: string; A: string };
export type Depth = { lastUpdateId: number; bids: Levels; asks: Levels };

/** One side: digits by price, and the best of them. */
class Side {
  readonly #levels = new Map<string, string>();
  readonly #sign: 1 | -1;
  #best: string | undefined;

  constructor(sign: 1 | -1, levels: Levels) {
    this.#sign = sign;
    for (const level of levels) this.set(level);
  }
  set([price, quantity]: [string, string]): void {
    if (Number(quantity) === 0) {
      this.#levels.delete(price);
      if (price === this.#best) this.#best = undefined;
    } else {
      this.#levels.set(price, quantity);
      if (this.#best !== undefined && this.#before(price, this.#best)) this.#best = price;
    }
  }
  #before(one: string, other: string): boolean {
    return (Number(one) - Number(other)) * this.#sign < 0;
  }
  /** Price and quantity of the best level. */
  best(): string {
    if (this.#best === undefined)
      for (const price of this.#levels.keys())
        if (this.#best === undefined || this.#before(price, this.#best)) this.#best = price;
    return `${this.#best} ${this.#levels.get(this.#best ?? '')}`;
  }
}

export type Verdict = {
  /** Diffs applied behind the snapshot; books compared with a quote, and those that were equal. */
  applied: number;
  compared: number;
  held: number;
};

/**
 * What a client sees who has received `frames` of /stream and, somewhere on the way, asked for `snapshot`: drops what the
 * snapshot holds, wants the first diff to span it and each following one to begin where the last ended. After every diff
 * its best bid and ask must be those of the newest bookTicker whose id is not greater. Throws where a client would give up.
 */
export function judgeBook(frames: readonly Buffer[], snapshot: Depth): Verdict {
  const diffs: Diff[] = [];
  const quotes: Quote[] = [];
  for (const frame of frames) {
    const { stream, data } = JSON.parse(frame.toString()) as { stream: string; data: unknown };
    if (stream.includes('@depth')) diffs.push(data as Diff);
    else if (stream.endsWith('@bookTicker')) quotes.push(data as Quote);
  }
  const { lastUpdateId } = snapshot;
  if (lastUpdateId < diffs[0]!.U - 1) throw new Error('the snapshot is older than the stream');
  const bids = new Side(-1, snapshot.bids);
  const asks = new Side(1, snapshot.asks);
  const verdict: Verdict = { applied: 0, compared: 0, held: 0 };
  let lastId = lastUpdateId;
  let at = 0;
  for (const { U, u, b, a } of diffs) {
    if (u <= lastUpdateId) continue;
    const joins = verdict.applied === 0 ? U <= lastId + 1 : U === lastId + 1;
    if (!joins) throw new Error(`a gap: ${U} after ${lastId}`);
    for (const level of b) bids.set(level);
    for (const level of a) asks.set(level);
    lastId = u;
    verdict.applied++;
    while (at < quotes.length && quotes[at]!.u <= u) at++;
    const quote = quotes[at - 1];
    if (!quote) continue;
    verdict.compared++;
    const { b: bid, B: bidQuantity, a: ask, A: askQuantity } = quote;
    const same = bids.best() === `${bid} ${bidQuantity}` && asks.best() === `${ask} ${askQuantity}`;
    if (same) verdict.held++;
  }
  return verdict;
}
