/**
 * A server's text frames.
 *
 *   frame   = %x81 length payload             ; FIN + text, never masked, never fragmented (RFC 6455, 5.2)
 *   length  = %x00-7D                         ; 0..125
 *           / %x7E 2OCTET                     ; 126..65535, network order
 *           / %x7F 8OCTET                     ; beyond, network order
 *   payload = *OCTET                          ; UTF-8
 */
const TEXT = 0x81;
const SHORT_MAX = 125;
const MEDIUM_MAX = 0xffff;

/** Bytes before a payload of `length` bytes. */
export const headerLength = (length: number): number =>
  length <= SHORT_MAX ? 2 : length <= MEDIUM_MAX ? 4 : 10;

/** Writes the header at `at`; returns where the payload begins. */
export function writeHeader(into: Buffer, at: number, length: number): number {
  into[at] = TEXT;
  if (length <= SHORT_MAX) {
    into[at + 1] = length;
    return at + 2;
  }
  if (length <= MEDIUM_MAX) {
    into[at + 1] = 126;
    into[at + 2] = length >> 8;
    into[at + 3] = length & 0xff;
    return at + 4;
  }
  into[at + 1] = 127;
  into.writeUIntBE(0, at + 2, 2);
  into.writeUIntBE(length, at + 4, 6);
  return at + 10;
}

/** One frame by itself. */
export function textFrame(payload: Buffer | string): Buffer {
  const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
  const frame = Buffer.allocUnsafe(headerLength(bytes.length) + bytes.length);
  bytes.copy(frame, writeHeader(frame, 0, bytes.length));
  return frame;
}

/** The payloads of whole frames laid end to end: what a transport that frames by itself wants. */
export function* framePayloads(frames: Buffer): Generator<Buffer> {
  let at = 0;
  while (at < frames.length) {
    let length = frames[at + 1]!;
    at += 2;
    if (length === 126) {
      length = frames.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = frames.readUIntBE(at + 2, 6);
      at += 8;
    }
    yield frames.subarray(at, at + length);
    at += length;
  }
}
