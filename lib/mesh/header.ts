/**
 * The one header of the mesh, version 1: in a notice, in every catch-up frame, and in the slots of a log's head file.
 * 64 bytes, little endian. A u64 is two u32, low first, and is refused above 2^53.
 *
 *    0 u16 magic 0x4D54   2 u8 version = 1   3 u8 kind
 *    4 u32 epoch          the sender's epoch
 *    8 u64 lines          lines before `position`
 *   16 u64 position       absolute byte position
 *   24 u32 length         bytes of the payload, or of the announced batch
 *   28 u32 count          lines of those bytes
 *   32 u32 lastEpoch      FETCH: epoch whose lineage my bytes agree with, 0 = none; replies echo it
 *   36 u32 recordEpoch    CHUNK, DATA: epoch of the segment that the bytes stand in
 *   40 u64 aux            by kind
 *   48 u64 tag            by kind
 *   56 u32 crc32(payload) 60 u32 crc32(bytes 0..59)
 *
 *   kind     position, lines          aux                              tag
 *   NOTICE   the log reaches this     fetcher's clock, Unix us         written at, monotonic us
 *   HEAD     the log's end            fetcher's clock                  oldest position kept
 *   END      the log's last end       fetcher's clock                  oldest position kept
 *   SLOT     announced end            time of the last line, Unix us   oldest position kept; count: marks so far
 *   CLOCK    -                        all stamped <= this is announced -
 *   FETCH    next byte wanted         most bytes to send               request id
 *   CHUNK    first byte sent (echo)   base of the segment              request id
 *   INFO     you are here, the end    fetcher's clock                  request id
 *   CUT      cut back to this         position asked for (echo)        request id
 *   TRIMMED  oldest position kept     position asked for (echo)        request id
 *   BUSY     echo                     come back in so many ms          request id
 *   DENIED   echo                     -                                request id
 *   DATA     first byte sent          base of the segment              fetcher's clock
 *
 * Unknown version or kind, wrong length or CRC: not a header; the receiver drops and counts it.
 */
import { crc32 } from 'node:zlib';
import { crcOfWords } from './crc.ts';

export const HEADER_BYTES = 64;
const SUM_AT = 60;
const MAGIC = 0x4d54;
const VERSION = 1;

export const kinds = {
  NOTICE: 1,
  HEAD: 2,
  END: 3,
  SLOT: 4,
  CLOCK: 5,
  FETCH: 16,
  CHUNK: 32,
  INFO: 33,
  CUT: 34,
  TRIMMED: 35,
  BUSY: 36,
  DENIED: 37,
  DATA: 48,
} as const;
export type Kind = (typeof kinds)[keyof typeof kinds];
const known = new Set<number>(Object.values(kinds));

export type Header = {
  readonly kind: Kind;
  readonly epoch: number;
  readonly lines: number;
  readonly position: number;
  readonly length: number;
  readonly count: number;
  readonly lastEpoch: number;
  readonly recordEpoch: number;
  readonly aux: number;
  readonly tag: number;
};

/** Every field but `kind` may be left out: 0. */
export type HeaderFields = Partial<Header> & { readonly kind: Kind };

const HIGH = 2 ** 32;

/** Bytes one by one: a call into the runtime for each field costs more where a header is written once a millisecond. */
function writeU32(into: Buffer, at: number, value: number): void {
  into[at] = value;
  into[at + 1] = value >>> 8;
  into[at + 2] = value >>> 16;
  into[at + 3] = value >>> 24;
}

const readU32 = (bytes: Buffer, at: number): number =>
  (bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;

function writeU64(into: Buffer, at: number, value: number): void {
  if (!(value >= 0 && value <= Number.MAX_SAFE_INTEGER)) {
    throw new TypeError(`not a position: ${value}`);
  }
  const high = Math.floor(value / HIGH);
  writeU32(into, at, value - high * HIGH);
  writeU32(into, at + 4, high);
}

/** -1 when the value is beyond 2^53. */
function readU64(bytes: Buffer, at: number): number {
  const high = readU32(bytes, at + 4);
  return high > 0x1fffff ? -1 : high * HIGH + readU32(bytes, at);
}

/** Writes a header at `at`. `payloadCrc` is the CRC-32 of what follows it, 0 for nothing. Throws RangeError where there is no room. */
export function writeHeader(into: Buffer, at: number, fields: HeaderFields, payloadCrc = 0): void {
  if (at + HEADER_BYTES > into.length) throw new RangeError('no room for a header');
  into[at] = MAGIC & 255;
  into[at + 1] = MAGIC >>> 8;
  into[at + 2] = VERSION;
  into[at + 3] = fields.kind;
  writeU32(into, at + 4, fields.epoch ?? 0);
  writeU64(into, at + 8, fields.lines ?? 0);
  writeU64(into, at + 16, fields.position ?? 0);
  writeU32(into, at + 24, fields.length ?? 0);
  writeU32(into, at + 28, fields.count ?? 0);
  writeU32(into, at + 32, fields.lastEpoch ?? 0);
  writeU32(into, at + 36, fields.recordEpoch ?? 0);
  writeU64(into, at + 40, fields.aux ?? 0);
  writeU64(into, at + 48, fields.tag ?? 0);
  writeU32(into, at + 56, payloadCrc);
  writeU32(into, at + SUM_AT, crcOfWords(into, at, SUM_AT));
}

/** A header in a buffer of its own, with the CRC of `payload`. */
export function encodeHeader(fields: HeaderFields, payload?: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(HEADER_BYTES);
  writeHeader(bytes, 0, fields, payload && payload.length > 0 ? crc32(payload) : 0);
  return bytes;
}

/** The header at `at`, or undefined when the bytes are not one. Never throws. */
export function readHeader(bytes: Buffer, at = 0): Header | undefined {
  if (bytes.length < at + HEADER_BYTES) return undefined;
  if (bytes[at] !== (MAGIC & 255) || bytes[at + 1] !== MAGIC >>> 8) return undefined;
  const kind = bytes[at + 3]!;
  if (bytes[at + 2] !== VERSION || !known.has(kind)) return undefined;
  if (crcOfWords(bytes, at, SUM_AT) !== readU32(bytes, at + SUM_AT)) return undefined;
  const lines = readU64(bytes, at + 8);
  const position = readU64(bytes, at + 16);
  const aux = readU64(bytes, at + 40);
  const tag = readU64(bytes, at + 48);
  if (lines < 0 || position < 0 || aux < 0 || tag < 0) return undefined;
  return {
    kind: kind as Kind,
    epoch: readU32(bytes, at + 4),
    lines,
    position,
    length: readU32(bytes, at + 24),
    count: readU32(bytes, at + 28),
    lastEpoch: readU32(bytes, at + 32),
    recordEpoch: readU32(bytes, at + 36),
    aux,
    tag,
  };
}

/** What the bytes at `at` say of their age, true or not; a number beyond 2^53 is -1. */
export type Claims = Pick<Header, 'epoch' | 'position' | 'aux' | 'tag'>;
export const claimsOf = (bytes: Buffer, at: number): Claims => ({
  epoch: readU32(bytes, at + 4),
  position: readU64(bytes, at + 16),
  aux: readU64(bytes, at + 40),
  tag: readU64(bytes, at + 48),
});

/** True when `payload` is what the header at `at` was sent with. */
export const payloadMatches = (bytes: Buffer, at: number, payload: Buffer): boolean =>
  (payload.length === 0 ? 0 : crc32(payload)) === readU32(bytes, at + 56);
