/** The newest payload of a stream, kept as bytes, for the few who ask what it said. */
import { copyWords } from '../../world/bytes.ts';

export class KeptText {
  #bytes = Buffer.alloc(256);
  #view = viewOf(this.#bytes);
  #length = 0;
  #from: Buffer | undefined;
  #fromView = this.#view;

  /** Keeps a copy of `bytes[start, end)`. */
  keep(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (bytes !== this.#from) {
      this.#from = bytes;
      this.#fromView = viewOf(bytes);
    }
    if (length > this.#bytes.length) {
      this.#bytes = Buffer.alloc(length * 2);
      this.#view = viewOf(this.#bytes);
    }
    copyWords(this.#fromView, start, end, this.#view, 0);
    this.#length = length;
  }

  /** "" before the first. */
  text(): string {
    return this.#bytes.toString('latin1', 0, this.#length);
  }
}

const viewOf = (bytes: Buffer): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
