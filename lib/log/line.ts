/**
 * One line of a log: a fixed-width envelope around the payload exactly as the exchange sent it.
 *
 *   line    = %s'{"t":' time %s',"e":' time %s',"data":' payload "}" LF
 *   mark    = %s'{"t":' time %s',"e":' time %s',"data":null,"mark":' string [ ',"note":' json ] "}" LF
 *   time    = 16DIGIT                          ; Unix microseconds
 *   payload = JSON text without LF             ; starts at byte 50, ends 2 bytes before the line does
 *
 * `t` is the receive time, strictly increasing over all logs of one fetcher; `e` is the exchange's event time
 * (= `t` where it gives none). Both stand at fixed offsets, so a time filter or a merge parses no JSON.
 */
export const TIME_AT = 5;
export const EVENT_TIME_AT = 26;
export const PAYLOAD_AT = 50;
const TIME_DIGITS = 16;
/** Bytes behind the payload: "}" LF. */
export const CLOSING = 2;
export const ENVELOPE = PAYLOAD_AT + CLOSING;
/** Longest line, bytes. */
export const LINE_MAX = 1 << 20;
const MARK = 'null,"mark":';

/** Why a payload can be no line. */
export type Refusal = 'too long' | 'empty' | 'holds a line feed';

/** Undefined when a line can carry it: what recovery would take for damage never gets into a file. */
export function refusalOf(payload: Buffer): Refusal | undefined {
  if (payload.length + ENVELOPE > LINE_MAX) return 'too long';
  if (payload.length === 0) return 'empty';
  // Not `includes`, and with a start: sorting out a call's arguments takes nearly as long as the look through a record.
  return payload.indexOf(10, 0) >= 0 ? 'holds a line feed' : undefined;
}

/** Times of 16 digits, without a leading zero (no JSON has one), exact: from September 2001 to June 2255. */
const TIME_MIN = 1e15;

/** True when a line can carry this time, Unix microseconds. */
export const isLineTime = (timeUs: number): boolean =>
  Number.isSafeInteger(timeUs) && timeUs >= TIME_MIN;

/** What happened where no record is: an absence is never silent. */
export type MarkName = 'restart' | 'disconnect' | 'connect' | 'gap' | 'end' | 'loop';

/** Reads eight digits; NaN when one of them is none. */
function readEight(bytes: Buffer, at: number): number {
  let value = 0;
  for (let i = at; i < at + 8; i++) {
    const digit = bytes[i]! - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Reads the 16 digits at `at`; -1 when they are not digits. */
function readTime(bytes: Buffer, at: number): number {
  const value = readEight(bytes, at) * 1e8 + readEight(bytes, at + TIME_DIGITS / 2);
  return value >= 0 ? value : -1;
}

/** Receive time of the line that starts at `at`, Unix microseconds. */
export const lineTimeUs = (bytes: Buffer, at = 0): number => readTime(bytes, at + TIME_AT);
/** Event time of the line that starts at `at`, Unix microseconds. */
export const lineEventTimeUs = (bytes: Buffer, at = 0): number =>
  readTime(bytes, at + EVENT_TIME_AT);

/** The mark's name when the line `[at, end)` (end behind the LF) is one, else undefined. */
export function lineMark(bytes: Buffer, at: number, end: number): string | undefined {
  if (bytes[at + PAYLOAD_AT] !== 110 || end - at < ENVELOPE + MARK.length) return undefined;
  const text = bytes.toString('latin1', at + PAYLOAD_AT, end - CLOSING);
  if (!text.startsWith(MARK)) return undefined;
  try {
    return (JSON.parse(`{"data":${text}}`) as { mark: string }).mark;
  } catch {
    return undefined;
  }
}

/** The payload text of a mark, for `writeLine`. */
export const markPayload = (mark: MarkName, note?: Record<string, unknown>): string =>
  `${MARK}${JSON.stringify(mark)}${note ? `,"note":${JSON.stringify(note)}` : ''}`;

const head = Buffer.from('{"t":0000000000000000,"e":0000000000000000,"data":', 'latin1');
const word = (at: number): number => head.readUInt32LE(at);
const [T0, E0, DATA0, DATA4] = [word(0), word(21), word(42), word(46)] as const;
const COLON = 58;

/** ASCII of "0000" to "9999" as little-endian words: a time is written four digits at a time. */
const quads = Uint32Array.from({ length: 10_000 }, (_, value) =>
  Buffer.from(String(value).padStart(4, '0'), 'latin1').readUInt32LE(0),
);

function writeTime(view: DataView, at: number, timeUs: number): void {
  const high = Math.floor(timeUs / 1e8) | 0;
  const low = (timeUs - high * 1e8) | 0;
  const a = (high / 10_000) | 0;
  const c = (low / 10_000) | 0;
  view.setUint32(at, quads[a]!, true);
  view.setUint32(at + 4, quads[high - a * 10_000]!, true);
  view.setUint32(at + 8, quads[c]!, true);
  view.setUint32(at + 12, quads[low - c * 10_000]!, true);
}

export const viewOf = (bytes: Buffer): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);

/**
 * Writes one line at `at`; returns the position behind it. The caller has made room for payload + ENVELOPE bytes, and may
 * keep the view of its buffer. Times are whole, of 16 digits.
 */
export function writeLine(
  into: Buffer,
  at: number,
  timeUs: number,
  eventTimeUs: number,
  payload: Buffer,
  view: DataView = viewOf(into),
): number {
  view.setUint32(at, T0, true);
  view.setUint8(at + 4, COLON);
  writeTime(view, at + TIME_AT, timeUs);
  view.setUint32(at + 21, E0, true);
  view.setUint8(at + 25, COLON);
  if (eventTimeUs === timeUs) {
    // Digits are no NaN: their bytes stay as they are.
    view.setFloat64(at + EVENT_TIME_AT, view.getFloat64(at + TIME_AT));
    view.setFloat64(at + EVENT_TIME_AT + 8, view.getFloat64(at + TIME_AT + 8));
  } else writeTime(view, at + EVENT_TIME_AT, eventTimeUs);
  view.setUint32(at + 42, DATA0, true);
  view.setUint32(at + 46, DATA4, true);
  into.set(payload, at + PAYLOAD_AT);
  const end = at + PAYLOAD_AT + payload.length;
  view.setUint8(end, 125);
  view.setUint8(end + 1, 10);
  return end + CLOSING;
}

/** What is left over of four bytes that are not all digits; 0 when they are. */
const notDigits = (four: number): number =>
  ((four & 0xf0f0f0f0) ^ 0x30303030) | (((four + 0x06060606) & 0xf0f0f0f0) ^ 0x30303030);

const notTime = (view: DataView, at: number): number =>
  notDigits(view.getInt32(at, true)) |
  notDigits(view.getInt32(at + 4, true)) |
  notDigits(view.getInt32(at + 8, true)) |
  notDigits(view.getInt32(at + 12, true));

/**
 * True when `[at, end)` has the envelope's form: what recovery and replicas accept as a line. Four bytes at a time: every
 * line that is copied comes by here. The caller may keep the view of its buffer.
 */
export function isLine(
  bytes: Buffer,
  at: number,
  end: number,
  view: DataView = viewOf(bytes),
): boolean {
  if (end - at <= ENVELOPE || end - at > LINE_MAX) return false;
  return (
    bytes[end - 1] === 10 &&
    bytes[end - 2] === 125 &&
    view.getInt32(at, true) === T0 &&
    bytes[at + 4] === COLON &&
    view.getInt32(at + 21, true) === E0 &&
    bytes[at + 25] === COLON &&
    view.getInt32(at + 42, true) === DATA0 &&
    view.getInt32(at + 46, true) === DATA4 &&
    (notTime(view, at + TIME_AT) | notTime(view, at + EVENT_TIME_AT)) === 0
  );
}
