/**
 * A strict Kraken v2 client, written without a line of lib/: digits are kept as they came, the book is rebuilt from
 * snapshot and updates and cut to its depth, and every checksum is worked out with a table of its own.
 */

/** JSON with numbers left as text. */
export function parseDigits(text: string): Record<string, unknown> {
  const quoted = text.replace(/([:[,])(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(?=[,}\]])/g, '$1"$2"');
  return JSON.parse(quoted) as Record<string, unknown>;
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 (IEEE) of ASCII text, unsigned. */
export function crc32(text: string): number {
  let crc = 0xffffffff;
  for (let i = 0; i < text.length; i++) {
    crc = table[(crc ^ text.charCodeAt(i)) & 0xff]! ^ (crc >>> 8);
  }
  return (crc ^ 0xffffffff) >>> 0;
}

type Level = { price: string; qty: string };
type BookMessage = {
  channel: string;
  type: 'snapshot' | 'update';
  data: { symbol: string; bids: Level[]; asks: Level[]; checksum: string; timestamp: string }[];
};

const strip = (text: string): string => text.replace('.', '').replace(/^0+/, '');

/** One side, best first; prices are compared as numbers, told apart as text. */
class Side {
  levels: Level[] = [];
  readonly #sign: 1 | -1;
  constructor(sign: 1 | -1) {
    this.#sign = sign;
  }
  set({ price, qty }: Level): void {
    const value = Number(price);
    let at = 0;
    let high = this.levels.length;
    while (at < high) {
      const middle = (at + high) >> 1;
      if ((Number(this.levels[middle]!.price) - value) * this.#sign < 0) at = middle + 1;
      else high = middle;
    }
    const found = this.levels[at];
    const same = found !== undefined && Number(found.price) === value;
    if (same && found.price !== price)
      throw new Error(`${price} was written ${found.price} before`);
    if (Number(qty) === 0) {
      if (!same) throw new Error(`removal of ${price}, which is not in the book`);
      this.levels.splice(at, 1);
    } else this.levels.splice(at, same ? 1 : 0, { price, qty });
  }
}

export class KrakenBook {
  readonly depth: number;
  readonly #bids = new Side(-1);
  readonly #asks = new Side(1);
  /** Messages taken, and those of them whose checksum held. */
  messages = 0;
  valid = 0;
  #ready = false;

  constructor(depth: number) {
    this.depth = depth;
  }

  /** Applies a book frame; true when its checksum holds. Throws where a strict client would give up. */
  take(text: string): boolean {
    const { type, data } = parseDigits(text) as unknown as BookMessage;
    if (data.length !== 1) throw new Error(`want one element, got ${data.length}`);
    const { bids, asks, checksum } = data[0]!;
    if (type === 'snapshot') {
      this.#bids.levels = [];
      this.#asks.levels = [];
      this.#ready = true;
      if (bids.length > this.depth || asks.length > this.depth)
        throw new Error('snapshot too deep');
    } else if (!this.#ready) throw new Error('update before the snapshot');
    else if (bids.length + asks.length === 0) throw new Error('an update without a change');
    for (const level of bids) this.#bids.set(level);
    for (const level of asks) this.#asks.set(level);
    this.#bids.levels.length = Math.min(this.depth, this.#bids.levels.length);
    this.#asks.levels.length = Math.min(this.depth, this.#asks.levels.length);
    this.messages++;
    const holds = String(this.checksum()) === checksum;
    if (holds) this.valid++;
    return holds;
  }

  checksum(): number {
    const digits = ({ price, qty }: Level): string => strip(price) + strip(qty);
    const asks = this.#asks.levels.slice(0, 10).map(digits);
    const bids = this.#bids.levels.slice(0, 10).map(digits);
    return crc32(asks.join('') + bids.join(''));
  }

  get bids(): readonly Level[] {
    return this.#bids.levels;
  }
  get asks(): readonly Level[] {
    return this.#asks.levels;
  }
}
