/**
 * The newest quote of a stream, kept as bytes and read only for the few who ask. The one before it is kept too: where the
 * newest turns out to be damaged it has said nothing, and the older one stands.
 */
import { viewOf } from '../../log/line.ts';
import { copyWords } from '../../world/bytes.ts';
import { readQuote } from './read.ts';
import type { Best } from './write.ts';

/** Where a payload is kept; the bytes behind `length` are of older ones. */
type Room = { bytes: Buffer; view: DataView; length: number };

export class KeptQuote {
  #newest = room(256);
  #older = room(256);
  #from: Buffer | undefined;
  #fromView = this.#newest.view;

  /** Keeps a copy of `bytes[start, end)`. */
  keep(bytes: Buffer, start: number, end: number): void {
    const length = end - start;
    if (bytes !== this.#from) {
      this.#from = bytes;
      this.#fromView = viewOf(bytes);
    }
    let into = this.#older;
    if (length > into.bytes.length) into = room(length * 2);
    this.#older = this.#newest;
    this.#newest = into;
    copyWords(this.#fromView, start, end, into.view, 0);
    into.length = length;
  }

  /** Best bid and ask; undefined before the first, and where neither of the last two can be read. */
  best(): Best | undefined {
    return bestOf(this.#newest) ?? bestOf(this.#older);
  }
}

function bestOf({ bytes, length }: Room): Best | undefined {
  if (length === 0) return undefined;
  try {
    const quote = readQuote(bytes.toString('latin1', 0, length), 0);
    return { bid: [quote.bid, quote.bidQuantity], ask: [quote.ask, quote.askQuantity] };
  } catch {
    return undefined;
  }
}

function room(size: number): Room {
  const bytes = Buffer.alloc(size);
  return { bytes, view: viewOf(bytes), length: 0 };
}
