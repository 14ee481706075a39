/**
 * The checksum of a Kraken book, v1 and v2 alike: CRC-32 (IEEE, unsigned) over the best 10 asks from low to high, then
 * the best 10 bids from high to low; of each level the price's digits, then the quantity's, without the point and
 * without zeros in front, nothing in between. Fewer levels where a side has fewer. The digits are those on the wire.
 */
import { crc32 } from 'node:zlib';
import { checksumDigits } from './digits.ts';

/** Levels of a side that count, whatever the depth of the subscription. */
export const CHECKSUM_DEPTH = 10;

/** A level with its digits kept at hand: a level at the top is summed many times and changes seldom. */
export type Summed = { readonly price: string; readonly quantity: string; digits: string };

const digitsOf = (level: Summed): string =>
  (level.digits ||= checksumDigits(level.price) + checksumDigits(level.quantity));

/** Checksum over the best levels, both sides best first. */
export function bookChecksum(bids: readonly Summed[], asks: readonly Summed[]): number {
  let text = '';
  for (let i = 0; i < asks.length && i < CHECKSUM_DEPTH; i++) text += digitsOf(asks[i]!);
  for (let i = 0; i < bids.length && i < CHECKSUM_DEPTH; i++) text += digitsOf(bids[i]!);
  return crc32(text);
}
