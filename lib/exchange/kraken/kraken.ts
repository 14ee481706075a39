/** Kraken spot as the registry knows it. */
import type { Exchange } from '../exchange.ts';
import { parseChannel } from './channel.ts';
import { eventTimeUs, read } from './read.ts';
import { pairOf, v2Symbol } from './symbol.ts';
import { KrakenVenue } from './venue.ts';

export const kraken: Exchange = {
  name: 'kraken',
  symbol: v2Symbol,
  instrument: pairOf,
  isChannel: (channel) => parseChannel(channel) !== undefined,
  read,
  eventTimeUs,
  venue: (options) => new KrakenVenue(options),
};
