/** Counts a server's text frames in a byte stream cut anywhere, by hopping from header to header. */
const TEXT = 0x81;
const CLOSE = 0x88;

export class FrameCounter {
  frames = 0;
  bytes = 0;
  /** A close frame has come. */
  closed = false;
  /** Bytes of the running frame's payload that are still to come. */
  #left = 0;
  readonly #head = Buffer.alloc(10);
  #headBytes = 0;

  /** Counts what `chunk` holds from `from` on. */
  take(chunk: Buffer, from: number): void {
    const { length } = chunk;
    this.bytes += length - from;
    let at = from;
    while (at < length) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, length - at);
        this.#left -= step;
        at += step;
        continue;
      }
      this.#head[this.#headBytes++] = chunk[at++]!;
      this.#begin();
    }
  }

  /** Begins a frame when its header is complete. */
  #begin(): void {
    const head = this.#head;
    if (this.#headBytes < 2) return;
    const short = head[1]! & 0x7f;
    const whole = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (this.#headBytes < whole) return;
    this.#left = whole === 2 ? short : whole === 4 ? head.readUInt16BE(2) : head.readUIntBE(4, 6);
    this.#headBytes = 0;
    if (head[0] === TEXT) this.frames++;
    else if (head[0] === CLOSE) this.closed = true;
  }
}
