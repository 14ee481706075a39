/**
 * A server's text frames. A frame is written once into an arena and never again: clients get views of the arena's
 * bytes, and frames that lie side by side leave in one piece, without a copy.
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
const headerLength = (length: number): number =>
  length <= SHORT_MAX ? 2 : length <= MEDIUM_MAX ? 4 : 10;

function writeHeader(into: Buffer, at: number, length: number): number {
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

/** Bytes `[start, end)` of an arena: one frame, or several that follow each other. */
export type Span = { readonly bytes: Buffer; readonly start: number; readonly end: number };

/** Where a turn's frames are written, one behind the other. A full arena is left to those who still hold views of it. */
export class Arena {
  readonly #size: number;
  #bytes: Buffer;
  #at = 0;

  constructor(size = 64 * 1024) {
    this.#size = size;
    this.#bytes = Buffer.allocUnsafeSlow(size);
  }

  /** Writes one text frame. */
  frame(payload: Buffer | string): Span {
    const text = typeof payload === 'string';
    const length = text ? Buffer.byteLength(payload) : payload.length;
    const total = headerLength(length) + length;
    if (total > this.#bytes.length - this.#at) {
      // What would take more than a quarter of an arena gets bytes of its own.
      if (total > this.#size >> 2) {
        const bytes = textFrame(payload);
        return { bytes, start: 0, end: total };
      }
      this.#bytes = Buffer.allocUnsafeSlow(this.#size);
      this.#at = 0;
    }
    const start = this.#at;
    const bytes = this.#bytes;
    const at = writeHeader(bytes, start, length);
    if (!text) payload.copy(bytes, at);
    else bytes.write(payload, at, length === payload.length ? 'latin1' : 'utf8');
    this.#at = start + total;
    return { bytes, start, end: this.#at };
  }
}

/** Frames waiting for the end of the turn, neighbours joined. */
export class Pile {
  #spans: Span[] = [];
  bytes = 0;
  frames = 0;

  add(span: Span): void {
    const last = this.#spans.length - 1;
    const before = this.#spans[last];
    if (before !== undefined && before.bytes === span.bytes && before.end === span.start) {
      this.#spans[last] = { bytes: span.bytes, start: before.start, end: span.end };
    } else {
      this.#spans.push(span);
    }
    this.bytes += span.end - span.start;
    this.frames++;
  }

  /** All of it in one piece: a view where the frames are neighbours, else a copy. */
  view(): Buffer {
    const only = this.#spans[0];
    if (only !== undefined && this.#spans.length === 1) {
      return only.bytes.subarray(only.start, only.end);
    }
    return this.#join();
  }

  /** A copy that holds nothing but these bytes: for a socket that will keep it a while. */
  copy(): Buffer {
    return this.#join();
  }

  #join(): Buffer {
    const joined = Buffer.allocUnsafeSlow(this.bytes);
    let at = 0;
    for (const { bytes, start, end } of this.#spans) {
      bytes.copy(joined, at, start, end);
      at += end - start;
    }
    return joined;
  }

  clear(): void {
    this.#spans = [];
    this.bytes = 0;
    this.frames = 0;
  }
}
