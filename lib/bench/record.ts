/**
 * The record that is sent: a trade as an exchange words it, its id being the record's number at a place that needs no search.
 *
 *   payload = {"e":"trade","t":1DDDDDDDDD,"p":"64000.10","q":"0.00100000","m":true,"x":"…"}     ; x pads to the size
 *
 * Every peer carries the same line, envelope and all, so that nobody formats or reads less than another.
 */
import { CLOSING, ENVELOPE, PAYLOAD_AT, writeLine } from '../log/line.ts';

/** Behind all records of a run: told and told again until the reader has heard one. */
export const PROBE = 999_999_999;
const NUMBER_AT = 17;
const DIGITS = 9;
const BARE = '{"e":"trade","t":1000000000,"p":"64000.10","q":"0.00100000","m":true,"x":""}';

/** Shortest line, bytes. */
export const LINE_MIN = BARE.length + ENVELOPE;

/** A payload whose line has `lineBytes` bytes (at least `LINE_MIN`). */
export const newPayload = (lineBytes: number): Buffer =>
  Buffer.from(
    BARE.replace('"x":""', `"x":"${'.'.repeat(Math.max(0, lineBytes - LINE_MIN))}"`),
    'latin1',
  );

/** A whole line around such a payload. */
export function newLine(lineBytes: number, timeUs: number): Buffer {
  const payload = newPayload(lineBytes);
  const line = Buffer.allocUnsafe(payload.length + ENVELOPE);
  writeLine(line, 0, timeUs, timeUs, payload);
  return line;
}

/** Writes the record's number into a payload that starts at `at`. */
export function writeNumber(bytes: Buffer, at: number, number: number): void {
  let rest = number;
  for (let i = at + NUMBER_AT + DIGITS; i > at + NUMBER_AT; i--) {
    const next = Math.floor(rest / 10);
    bytes[i] = 48 + (rest - next * 10);
    rest = next;
  }
}

/** The number of the record whose payload starts at `at`; -1 when no digits are there. */
export function readNumber(bytes: Buffer, at: number): number {
  let number = 0;
  for (let i = at + NUMBER_AT + 1; i <= at + NUMBER_AT + DIGITS; i++) {
    const digit = bytes[i]! - 48;
    if (!(digit >= 0 && digit <= 9)) return -1;
    number = number * 10 + digit;
  }
  return number;
}

/** Where a line's payload starts, and what follows it. */
export const linePayload = { at: PAYLOAD_AT, behind: CLOSING };
