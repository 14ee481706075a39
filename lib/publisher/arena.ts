/**
 * Where a turn's frames are written, one behind the other, once each: clients get views of the arena's bytes, and frames
 * that lie side by side leave in one piece, without a copy. As long as sockets take all at once the same bytes serve turn
 * after turn (`rewind`). An arena that is full, or of which a socket still holds a view (`pin`), is left to it.
 */
import { copyWords } from '../world/bytes.ts';
import { headerLength, textFrame, writeHeader } from './frame.ts';
import type { BytesOf } from './source.ts';

/** Bytes `[start, end)` of an arena: one frame, or several that follow each other. */
export type Span = { readonly bytes: Buffer; readonly start: number; readonly end: number };

/** From so many bytes on a copy by the runtime is the faster one. */
const NATIVE_FROM = 288;

export class Arena {
  readonly #size: number;
  #bytes: Buffer;
  #view: DataView;
  #at = 0;
  #pinned = false;
  readonly #span: { -readonly [Key in keyof Span]: Span[Key] };

  constructor(size = 128 * 1024) {
    this.#size = size;
    this.#bytes = Buffer.allocUnsafeSlow(size);
    this.#view = new DataView(this.#bytes.buffer);
    this.#span = { bytes: this.#bytes, start: 0, end: 0 };
  }

  /** Writes one text frame. */
  frame(payload: Buffer | string): Span {
    const text = typeof payload === 'string';
    const length = text ? Buffer.byteLength(payload) : payload.length;
    const total = headerLength(length) + length;
    if (!this.#room(total)) return { bytes: textFrame(payload), start: 0, end: total };
    const bytes = this.#bytes;
    const start = this.#at;
    const at = writeHeader(bytes, start, length);
    if (!text) payload.copy(bytes, at);
    else bytes.write(payload, at, length === payload.length ? 'latin1' : 'utf8');
    this.#at = start + total;
    return { bytes, start, end: this.#at };
  }

  /**
   * Writes a text frame of `before`, the bytes `[from, to)` of `source`, and `after`. What is returned is written over
   * by the next call.
   */
  wrapped(before: Buffer, source: BytesOf, from: number, to: number, after: Buffer): Span {
    const length = before.length + (to - from) + after.length;
    const total = headerLength(length) + length;
    if (!this.#room(total)) {
      const payload = source.bytes.subarray(from, to);
      const bytes = textFrame(Buffer.concat([before, payload, after], length));
      return { bytes, start: 0, end: total };
    }
    const bytes = this.#bytes;
    const start = this.#at;
    let at = writeHeader(bytes, start, length);
    for (let i = 0; i < before.length; i++) bytes[at++] = before[i]!;
    if (to - from < NATIVE_FROM) copyWords(source.view, from, to, this.#view, at);
    else source.bytes.copy(bytes, at, from, to);
    at += to - from;
    for (let i = 0; i < after.length; i++) bytes[at++] = after[i]!;
    this.#at = at;
    const span = this.#span;
    span.bytes = bytes;
    span.start = start;
    span.end = at;
    return span;
  }

  /** Makes room for a frame; false for one that is to have bytes of its own. */
  #room(total: number): boolean {
    if (total <= this.#bytes.length - this.#at) return true;
    if (total > this.#size >> 2) return false;
    this.#bytes = Buffer.allocUnsafeSlow(this.#size);
    this.#view = new DataView(this.#bytes.buffer);
    this.#at = 0;
    this.#pinned = false;
    return true;
  }

  /** Somebody goes on reading what was written here. */
  pin(): void {
    this.#pinned = true;
  }

  /** Begins again at the front, where nobody reads any more. For when no frame waits. */
  rewind(): void {
    if (!this.#pinned) this.#at = 0;
  }
}

/** Frames waiting for the end of the turn, neighbours joined. */
export class Pile {
  /** All but the last piece. */
  #pieces: Span[] = [];
  #bytes: Buffer | undefined;
  #start = 0;
  #end = 0;
  bytes = 0;
  frames = 0;

  add({ bytes, start, end }: Span): void {
    if (this.#bytes === bytes && this.#end === start) this.#end = end;
    else {
      if (this.#bytes !== undefined) this.#pieces.push(this.#last(this.#bytes));
      this.#bytes = bytes;
      this.#start = start;
      this.#end = end;
    }
    this.bytes += end - start;
    this.frames++;
  }

  #last(bytes: Buffer): Span {
    return { bytes, start: this.#start, end: this.#end };
  }

  /** All of it in one piece: a view where the frames are neighbours, else a copy. */
  view(): Buffer {
    const bytes = this.#bytes;
    if (bytes === undefined || this.#pieces.length > 0) return this.copy();
    return bytes.subarray(this.#start, this.#end);
  }

  /** A copy that holds nothing but these bytes: for a socket that will keep it a while. */
  copy(): Buffer {
    const joined = Buffer.allocUnsafeSlow(this.bytes);
    let at = 0;
    for (const { bytes, start, end } of this.#pieces) {
      bytes.copy(joined, at, start, end);
      at += end - start;
    }
    this.#bytes?.copy(joined, at, this.#start, this.#end);
    return joined;
  }

  clear(): void {
    if (this.#pieces.length > 0) this.#pieces = [];
    this.#bytes = undefined;
    this.bytes = 0;
    this.frames = 0;
  }
}
