/**
 * Patterns of log names: "binance/BTC-USDT/*" is every channel of one instrument. A star stands for any letters of
 * one part, never for a slash: what a pattern matches is always a checked log name and stays in the data folder.
 */
import { isNamePart } from '../log/name.ts';

/** Stars in one part; each more would multiply the ways in which a name can match. */
const STARS_MAX = 4;

/** True for text that is a log name, with stars allowed in its parts. */
export function isLogPattern(text: string): boolean {
  const parts = text.split('/');
  if (parts.length !== 3) return false;
  // Where the star stands for a letter the part must be a name's part.
  return parts.every(
    (part) => part.split('*').length <= STARS_MAX + 1 && isNamePart(part.replaceAll('*', 'a')),
  );
}

/** A test for log names that match any of `patterns`. Throws TypeError for a pattern that is none. */
export function logMatcher(patterns: readonly string[]): (log: string) => boolean {
  const forms = patterns.map((pattern) => {
    if (!isLogPattern(pattern))
      throw new TypeError(`not a log pattern: ${JSON.stringify(pattern)}`);
    // Runs of stars are one star: "a**" must not cost more than "a*".
    const parts = pattern.replace(/\*+/g, '*').split('*');
    return new RegExp(`^${parts.map((part) => part.replace(/[.\\]/g, '\\$&')).join('[^/]*')}$`);
  });
  return (log) => forms.some((form) => form.test(log));
}
