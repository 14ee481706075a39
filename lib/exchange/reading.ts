/** How every exchange's payloads are read, by its name: one line an exchange. Without the venues, for who only reads. */
import { read as binance } from './binance/read.ts';
import type { Exchange } from './exchange.ts';
import { read as kraken } from './kraken/read.ts';

export const reading: Readonly<Record<string, Exchange['read']>> = { binance, kraken };
