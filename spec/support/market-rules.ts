/**
 * An independent judge of what a venue promises on its wire: it shares no code with what it judges. Feed it every
 * record in order; it throws at the first broken rule.
 */
import { crc32 } from 'node:zlib';

type Frame = Record<string, unknown>;
type Pair = [string, string];

const check = (holds: boolean, rule: string, facts: unknown): void => {
  if (!holds) throw new Error(`${rule}: ${JSON.stringify(facts)?.slice(0, 400)}`);
};

/** Texts by price; sorted on demand. Slow and plain on purpose. */
class PlainBook {
  readonly bids = new Map<string, string>();
  readonly asks = new Map<string, string>();

  set(bids: Pair[], asks: Pair[], snapshot: boolean): void {
    if (snapshot) {
      this.bids.clear();
      this.asks.clear();
    }
    for (const [side, levels] of [
      [this.bids, bids],
      [this.asks, asks],
    ] as const) {
      for (const [price, quantity] of levels) {
        if (Number(quantity) === 0) side.delete(price);
        else side.set(price, quantity);
      }
    }
  }
  top(side: 'bids' | 'asks', count: number): Pair[] {
    const sign = side === 'bids' ? -1 : 1;
    return [...this[side]].sort((a, b) => (Number(a[0]) - Number(b[0])) * sign).slice(0, count);
  }
  best(side: 'bids' | 'asks'): Pair {
    let best: Pair | undefined;
    for (const level of this[side]) {
      const better =
        !best ||
        (side === 'bids' ? Number(level[0]) > Number(best[0]) : Number(level[0]) < Number(best[0]));
      if (better) best = level;
    }
    return best!;
  }
}

const eightDecimals = /^\d+\.\d{8}$/;

/** Binance: exchanges.md B9, B16, B19, B20 and the bookTicker oracle. */
export class BinanceJudge {
  trades = 0;
  quotes = 0;
  diffs = 0;
  snapshots = 0;
  readonly #book = new PlainBook();
  #synced = false;
  #u = 0;
  #tradeId = 0;
  #quotesById: { u: number; bid: Pair; ask: Pair }[] = [];
  /** Depth events that wait for the oracle until the run is over: a quote may come late after a crash. */
  readonly #claims: { u: number; bid: Pair; ask: Pair }[] = [];

  /** `torn`: the record is of a batch that a crash cut, each log elsewhere: what spans two logs is not asked of it. */
  record(channel: string, payload: string, torn = false): void {
    const frame = JSON.parse(payload) as Frame;
    check(JSON.stringify(frame) === payload, 'no blanks, no odd numbers', payload);
    if (channel === 'trade') this.#trade(frame, torn);
    else if (channel === 'bookTicker') this.#quote(frame);
    else this.#depth(frame);
  }

  #trade(f: Frame, torn: boolean): void {
    this.trades++;
    check(Object.keys(f).join() === 'e,E,s,t,p,q,T,m,M', 'fields of trade', f);
    check(this.#tradeId === 0 || f['t'] === this.#tradeId + 1, 'trade ids rise by one', f);
    this.#tradeId = f['t'] as number;
    check(
      eightDecimals.test(f['p'] as string) && eightDecimals.test(f['q'] as string),
      'digits',
      f,
    );
    check(Number(f['q']) > 0, 'quantity', f);
    const quote = this.#quotesById.at(-1);
    if (quote && !torn) {
      const touched = f['m'] === true ? quote.bid : quote.ask;
      check(f['p'] === touched[0], 'a trade is at the touched level', { f, quote });
    }
  }

  #quote(f: Frame): void {
    this.quotes++;
    check(Object.keys(f).join() === 'u,s,b,B,a,A', 'fields of bookTicker', f);
    const u = f['u'] as number;
    check(u >= (this.#quotesById.at(-1)?.u ?? 0), 'bookTicker ids rise', f);
    check(Number(f['b']) < Number(f['a']), 'never crossed', f);
    check(
      [f['b'], f['B'], f['a'], f['A']].every((x) => eightDecimals.test(x as string)),
      'digits',
      f,
    );
    this.#quotesById.push({
      u,
      bid: [f['b'] as string, f['B'] as string],
      ask: [f['a'] as string, f['A'] as string],
    });
  }

  #depth(f: Frame): void {
    if ('lastUpdateId' in f) {
      this.snapshots++;
      const bids = f['bids'] as Pair[];
      const asks = f['asks'] as Pair[];
      if (this.#synced) {
        check(f['lastUpdateId'] === this.#u, 'a snapshot stands at its id', f);
        check(
          JSON.stringify(this.#book.top('bids', Infinity)) === JSON.stringify(bids) &&
            JSON.stringify(this.#book.top('asks', Infinity)) === JSON.stringify(asks),
          'a snapshot is the book that a client holds',
          f['lastUpdateId'],
        );
      }
      this.#book.set(bids, asks, true);
      this.#u = f['lastUpdateId'] as number;
      this.#synced = true;
      return;
    }
    this.diffs++;
    check(Object.keys(f).join() === 'e,E,s,U,u,b,a', 'fields of depthUpdate', f);
    check(this.#synced, 'a snapshot comes first', f);
    check(f['U'] === this.#u + 1 && (f['u'] as number) >= (f['U'] as number), 'U = u + 1', f);
    this.#u = f['u'] as number;
    const bids = f['b'] as Pair[];
    const asks = f['a'] as Pair[];
    check(
      [...bids, ...asks].flat().every((x) => eightDecimals.test(x)),
      'digits',
      f,
    );
    this.#book.set(bids, asks, false);
    const bid = this.#book.best('bids');
    const ask = this.#book.best('asks');
    check(Number(bid[0]) < Number(ask[0]), 'never crossed', f);
    this.#claims.push({ u: this.#u, bid, ask });
  }

  /** The oracle over all seen; returns how many depth events it was held against. */
  oracle(): number {
    let at = -1;
    for (const claim of this.#claims) {
      while ((this.#quotesById[at + 1]?.u ?? Infinity) <= claim.u) at++;
      const quote = this.#quotesById[at];
      check(
        quote !== undefined &&
          JSON.stringify([quote.bid, quote.ask]) === JSON.stringify([claim.bid, claim.ask]),
        'the book after u has the best prices of the last bookTicker with id <= u',
        { claim, quote },
      );
    }
    return this.#claims.length;
  }
}

const bare = (text: string): string => text.replace('.', '').replace(/^0+/, '');

/** Kraken v2: exchanges.md K7-K9, K11, K13. */
export class KrakenJudge {
  trades = 0;
  updates = 0;
  snapshots = 0;
  readonly #book = new PlainBook();
  readonly #decimals: number;
  #tradeId = 0;

  constructor(priceDecimals: number) {
    this.#decimals = priceDecimals;
  }

  record(channel: string, payload: string, torn = false): void {
    const numbers = [...payload.matchAll(/"(?:price|qty)":([^,}]+)/g)].map((match) => match[1]!);
    for (const [i, text] of numbers.entries()) {
      const want = i % 2 === 0 ? this.#decimals : 8;
      check(new RegExp(`^\\d+\\.\\d{${want}}$`).test(text), 'bare numbers with all digits', text);
    }
    const quoted = payload.replace(/"(price|qty)":([^,}]+)/g, '"$1":"$2"');
    const frame = JSON.parse(quoted) as { channel: string; type: string; data: Frame[] };
    if (channel === 'trade') {
      for (const trade of frame.data) {
        this.trades++;
        check(
          Object.keys(trade).join() === 'symbol,side,price,qty,ord_type,trade_id,timestamp',
          'fields of trade',
          trade,
        );
        check(this.#tradeId === 0 || trade['trade_id'] === this.#tradeId + 1, 'trade_id', trade);
        this.#tradeId = trade['trade_id'] as number;
        check(
          /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/.test(String(trade['timestamp'])),
          'time',
          trade,
        );
        const touched = this.#book.best(trade['side'] === 'buy' ? 'asks' : 'bids');
        check(torn || touched[0] === trade['price'], 'a trade is at the touched level', trade);
      }
      return;
    }
    check(frame.data.length === 1, 'one element', payload);
    const data = frame.data[0]!;
    check(
      Object.keys(data).join() === 'symbol,bids,asks,checksum,timestamp',
      'fields of book',
      Object.keys(data),
    );
    const pairs = (levels: unknown): Pair[] =>
      (levels as { price: string; qty: string }[]).map(({ price, qty }) => [price, qty]);
    const bids = pairs(data['bids']);
    const asks = pairs(data['asks']);
    const snapshot = frame.type === 'snapshot';
    if (snapshot) {
      if (this.snapshots++ > 0) {
        check(
          JSON.stringify(this.#book.top('bids', 1000)) === JSON.stringify(bids) &&
            JSON.stringify(this.#book.top('asks', 1000)) === JSON.stringify(asks),
          'a repeated snapshot disturbs nobody',
          data['checksum'],
        );
      }
    } else this.updates++;
    check(this.snapshots > 0, 'a snapshot comes first', payload);
    this.#book.set(bids, asks, snapshot);
    check(this.#book.bids.size <= 1000 && this.#book.asks.size <= 1000, 'depth 1000', payload);
    const topAsks = this.#book.top('asks', 10);
    const topBids = this.#book.top('bids', 10);
    check(Number(topBids[0]![0]) < Number(topAsks[0]![0]), 'never crossed', payload);
    const text = [...topAsks, ...topBids].map(([p, q]) => bare(p) + bare(q)).join('');
    check(crc32(text) === data['checksum'], 'checksum', payload);
  }
}
