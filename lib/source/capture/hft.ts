/**
 * Lines as hftbacktest's collector writes them: a frame of Binance's combined stream behind its receive time, in
 * receive order; the REST depth snapshot stands among them without a stream.
 *
 *   line = 19DIGIT " " frame           ; Unix nanoseconds
 */
import { BinanceFrames } from './frames.ts';
import type { Layout } from './decoder.ts';
import { lineDecoder } from './lines.ts';

const DIGITS = 19;
/** Nanoseconds do not fit a double: the last three digits are left. */
const MICROSECOND_DIGITS = 16;

/** `count` digits of `bytes` at `at` as a number; -1 where one is not a digit. */
export function digitsAt(bytes: Buffer, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = (bytes[i] ?? 0) - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

export const hft: Layout = {
  matches: (head) => /^\d{19} \{/.test(head),
  decoder(sink) {
    const frames = new BinanceFrames(sink);
    return lineDecoder(sink, (line) => {
      const timeUs = digitsAt(line, 0, MICROSECOND_DIGITS);
      const rest = digitsAt(line, MICROSECOND_DIGITS, DIGITS - MICROSECOND_DIGITS);
      if (timeUs < 0 || rest < 0 || line[DIGITS] !== 32) {
        sink.fail('a line that does not begin with 19 digits and a blank', 'remove the line');
      }
      frames.frame(line.subarray(DIGITS + 1), timeUs);
    });
  },
};
