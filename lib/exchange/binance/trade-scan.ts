/**
 * A trade's or an aggregate's numbers, without a text:
 *
 *   trade    {"e":"trade","E":time,"s":symbol,"t":id,"p":price,"q":quantity,["b":id,"a":id,]"T":time,"m":truth[,"M":truth]}
 *   aggTrade {"e":"aggTrade","E":time,"s":symbol,"a":id,"p":price,"q":quantity,"f":id,"l":id,"T":time,"m":truth[,"M":truth]}
 *
 * "m": the buyer is the maker. All of it is checked: what is cut off or damaged is never taken for a trade.
 */
import { Cursor } from './cursor.ts';

const A = 97;
const B = 98;
const F = 102;
const T = 116;
const CLOSE = 125;

export class TradeScan {
  readonly #cursor = new Cursor();
  readonly #idKey: number;
  readonly #head: Buffer;
  id = 0;
  /** Times 10^8. */
  price = 0;
  quantity = 0;
  /** The same as `id` in a trade. */
  firstId = 0;
  lastId = 0;
  /** Unix microseconds. */
  timeUs = 0;
  takerBuys = false;

  constructor(kind: 'trade' | 'aggTrade') {
    this.#head = Buffer.from(`{"e":"${kind}"`);
    this.#idKey = kind === 'trade' ? T : A;
  }

  /** Reads `bytes[start, end)`; false where it is written in another way. */
  read(bytes: Buffer, start: number, end: number): boolean {
    const cursor = this.#cursor;
    cursor.open(bytes, start, end);
    if (!cursor.skip(this.#head) || !cursor.field(69 /* E */) || cursor.timeUs() < 0) return false;
    if (!cursor.field(115 /* s */) || !cursor.quoted() || !cursor.field(this.#idKey)) return false;
    this.id = cursor.integer();
    if (!cursor.field(112 /* p */)) return false;
    this.price = cursor.decimal();
    if (!cursor.field(113 /* q */)) return false;
    this.quantity = cursor.decimal();
    if (!this.#ids()) return false;
    if (!cursor.field(84 /* T */)) return false;
    this.timeUs = cursor.timeUs();
    if (!cursor.field(109 /* m */)) return false;
    this.takerBuys = bytes[cursor.at] === F;
    if (!cursor.truth() || (cursor.field(77 /* M */) && !cursor.truth())) return false;
    if (cursor.at + 1 !== end || bytes[cursor.at] !== CLOSE) return false;
    return this.id >= 0 && this.price > 0 && this.quantity >= 0 && this.timeUs > 0;
  }

  /** First and last id of an aggregate; of a trade its own (older ones also carry the orders' ids). */
  #ids(): boolean {
    const cursor = this.#cursor;
    if (this.#idKey === A) {
      if (!cursor.field(102 /* f */)) return false;
      this.firstId = cursor.integer();
      if (!cursor.field(108 /* l */)) return false;
      this.lastId = cursor.integer();
      return this.firstId >= 0 && this.lastId >= this.firstId;
    }
    this.firstId = this.lastId = this.id;
    if (cursor.field(B)) {
      if (cursor.integer() < 0 || !cursor.field(A)) return false;
      return cursor.integer() >= 0;
    }
    return true;
  }
}
