/**
 * Prices and quantities are decimal text from exchange to client. Arithmetic, where a derived stream needs it,
 * is exact: text -> BigInt scaled by 10^scale -> text. No JS number ever holds a price.
 *
 *   decimal = [ "-" ] 1*DIGIT [ "." 1*DIGIT ] [ ( "e" / "E" ) [ "+" / "-" ] 1*DIGIT ]
 */
export const SCALE = 8;
const decimalForm = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/** `toScaled("61837.64")` is 6183764000000n. Digits beyond `scale` are cut off. Throws TypeError on other text. */
export function toScaled(text: string, scale: number = SCALE): bigint {
  return shortScaled(text, scale) ?? longScaled(text, scale);
}

const powers = Array.from({ length: 20 }, (_, shift) => 10n ** BigInt(shift));

/** Up to 15 plain digits with a point among them, no sign, no exponent: nearly every price there is, without a regexp. */
function shortScaled(text: string, scale: number): bigint | undefined {
  const { length } = text;
  if (length > 16 || length === 0) return undefined;
  let value = 0;
  let point = length - 1;
  for (let i = 0; i < length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit >= 0 && digit <= 9) value = value * 10 + digit;
    else if (digit === -2 && point === length - 1 && i > 0) point = i;
    else return undefined;
  }
  if (length === 16 && point === length - 1) return undefined;
  const shift = scale - (length - 1 - point);
  if (shift === 0) return BigInt(value);
  return shift > 0 && shift < powers.length ? BigInt(value) * powers[shift]! : undefined;
}

function longScaled(text: string, scale: number): bigint {
  const match = decimalForm.exec(text);
  if (!match) throw new TypeError(`not a decimal: ${JSON.stringify(text.slice(0, 40))}`);
  const [, sign, whole = '0', fraction = '', exponent] = match;
  const shift = scale - fraction.length + (exponent ? Number(exponent) : 0);
  const digits = BigInt(whole + fraction);
  const scaled = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  return sign ? -scaled : scaled;
}

/** `fromScaled(6183764000000n, 8)` is "61837.64000000": always exactly `decimals` digits (cut, not rounded). */
export function fromScaled(value: bigint, decimals: number = SCALE, scale: number = SCALE): string {
  const negative = value < 0n;
  let magnitude = negative ? -value : value;
  magnitude =
    decimals >= scale
      ? magnitude * 10n ** BigInt(decimals - scale)
      : magnitude / 10n ** BigInt(scale - decimals);
  const digits = magnitude.toString().padStart(decimals + 1, '0');
  const text = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
  return negative && magnitude !== 0n ? `-${text}` : text;
}

/** The same value with exactly `decimals` digits after the point: "61837.64000000" to 2 is "61837.64". */
export function withDecimals(text: string, decimals: number): string {
  const point = text.indexOf('.');
  if (point >= 0 && text.length - point - 1 === decimals && decimals > 0) return text;
  return fromScaled(toScaled(text, 18), decimals, 18);
}

/** True for "0", "0.00000000", "0e0". */
export function isZero(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code >= 49 && code <= 57) return false;
    if (code === 101 || code === 69) break; // an exponent's digits say nothing
  }
  return true;
}

/** How many digits after the point carry a value: "0.01000000" has 2, "5.00" has 0. */
export function significantDecimals(text: string): number {
  const point = text.indexOf('.');
  if (point < 0) return 0;
  let end = text.length;
  while (end > point + 1 && text.charCodeAt(end - 1) === 48) end--;
  return end - point - 1;
}
