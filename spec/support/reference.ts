/** What the market really did: kept from the source's own records, to judge what clients were told. */
import { exchanges } from '../../lib/exchange/registry.ts';
import type { FeedRecord } from '../../lib/feed/record.ts';
import { logParts } from '../../lib/log/name.ts';
import type { Trade } from '../../lib/market/event.ts';
import { OrderBook } from '../../lib/market/order-book.ts';

type Told = { open: number; high: number; low: number; close: number; volume: number };

const TOP = 5;
/** Best levels as numbers: what a client that parses JSON can know of a book. */
export const topOf = (
  bids: readonly (readonly [string | number, string | number, ...unknown[]])[],
  asks: readonly (readonly [string | number, string | number, ...unknown[]])[],
): string =>
  JSON.stringify(
    [bids, asks].map((side) => side.slice(0, TOP).map(([p, q]) => [Number(p), Number(q)])),
  );

export class Reference {
  /** By instrument and id. */
  readonly trades = new Map<string, Map<string, Trade>>();
  readonly #books = new Map<string, OrderBook>();
  /** Every state of a book's top so far. */
  readonly tops = new Map<string, Set<string>>();

  take(record: FeedRecord): void {
    const { exchange, instrument, channel } = logParts(record.log);
    for (const event of exchanges[exchange]!.read(channel, record.payload, record.timeUs)) {
      if (event.kind === 'trade') {
        const trades = this.trades.get(instrument) ?? new Map<string, Trade>();
        this.trades.set(instrument, trades.set(event.id, event));
      } else if (event.kind === 'book') {
        const book = this.#books.get(instrument) ?? new OrderBook();
        this.#books.set(instrument, book);
        book.apply(event);
        const tops = this.tops.get(instrument) ?? new Set<string>();
        this.tops.set(instrument, tops.add(topOf(book.bids(TOP), book.asks(TOP))));
      }
    }
  }

  /** Digits of the trade with this id: [price, quantity] as the exchange wrote them. */
  trade(instrument: string, id: string): Trade | undefined {
    return this.trades.get(instrument)?.get(id);
  }

  traded(instrument: string, price: number): boolean {
    return [...(this.trades.get(instrument)?.values() ?? [])].some(
      (t) => Number(t.price) === price,
    );
  }

  /** True when some first n trades of the interval give exactly this candle. */
  explains(instrument: string, openTimeMs: number, intervalMs: number, told: Told): boolean {
    const fromUs = openTimeMs * 1000;
    const untilUs = fromUs + intervalMs * 1000;
    let volume = 0;
    let made: Told | undefined;
    for (const { timeUs, price, quantity } of this.trades.get(instrument)?.values() ?? []) {
      if (timeUs < fromUs || timeUs >= untilUs) continue;
      const at = Number(price);
      volume += Number(quantity);
      made = {
        open: made?.open ?? at,
        high: Math.max(made?.high ?? at, at),
        low: Math.min(made?.low ?? at, at),
        close: at,
        volume,
      };
      const { open, high, low, close } = made;
      if (
        open === told.open &&
        high === told.high &&
        low === told.low &&
        close === told.close &&
        Math.abs(volume - told.volume) < 1e-6
      ) {
        return true;
      }
    }
    return false;
  }
}
