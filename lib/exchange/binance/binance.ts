/** Binance spot as an entry of the registry: names, reading, and being it. */
import type { Exchange } from '../exchange.ts';
import { isChannel } from './channel.ts';
import { eventTimeUs, read } from './read.ts';
import { splitSymbol, symbolOf } from './symbol.ts';
import { BinanceVenue } from './venue.ts';

export const binance: Exchange = {
  name: 'binance',
  symbol: symbolOf,
  instrument: splitSymbol,
  isChannel,
  read,
  eventTimeUs,
  venue: (options) => new BinanceVenue(options),
};
