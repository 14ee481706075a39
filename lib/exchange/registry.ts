/** Every exchange we know, by name: one line an exchange. */
import { binance } from './binance/binance.ts';
import type { Exchange, Reader } from './exchange.ts';
import { kraken } from './kraken/kraken.ts';

export const exchanges: Readonly<Record<string, Exchange>> = {
  binance,
  kraken,
};

/** How to read each exchange's logs, for a venue that serves another one's. */
export const readers = (): Readonly<Record<string, Reader>> =>
  Object.fromEntries(
    Object.entries(exchanges).map(([name, exchange]): [string, Reader] => [
      name,
      (channel, payload, timeUs) => exchange.read(channel, payload, timeUs),
    ]),
  );
