/**
 * Digits on Kraken's wire: every price of a pair has the same number of digits after the point, every quantity eight.
 * So two prices of a pair compare as text, and a level's part of the checksum is its digits without the point.
 */
import { withDecimals } from '../../market/decimal.ts';

export const QUANTITY_DECIMALS = 8;

/** Digits after the point as written: "1.50" has 2. */
export function decimalsOf(text: string): number {
  const point = text.indexOf('.');
  return point < 0 ? 0 : text.length - point - 1;
}

/** The same value with exactly `decimals` digits after the point, cut where there are more. */
export function fixed(text: string, decimals: number): string {
  const point = text.indexOf('.');
  const have = point < 0 ? 0 : text.length - point - 1;
  if (have === decimals) return text;
  if (text.includes('e') || text.includes('E')) return withDecimals(text, decimals);
  if (have > decimals) return text.slice(0, decimals === 0 ? point : point + 1 + decimals);
  return `${text}${point < 0 ? '.' : ''}${'0'.repeat(decimals - have)}`;
}

/** True for "0", "0.00000000", "0e0": no digit but zeros before an exponent. */
export function isZeroText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 48 && code <= 57) return false;
    if (code === 101 || code === 69) return true;
  }
  return true;
}

/** A zero with as many digits after the point as `text` has. */
export const zeroLike = (text: string): string => fixed('0', decimalsOf(text));

/** What a price or quantity adds to a checksum: its digits, no point, no zeros in front. */
export function checksumDigits(text: string): string {
  const point = text.indexOf('.');
  const all = point < 0 ? text : text.slice(0, point) + text.slice(point + 1);
  let from = 0;
  while (from < all.length && all.charCodeAt(from) === 48) from++;
  return from === 0 ? all : all.slice(from);
}
