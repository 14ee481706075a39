/**
 * A trade's or an aggregate's numbers, without a text:
 *
 *   trade    … "t":id,"p":price,"q":quantity,["b":id,"a":id,]"T":time,"m":buyer is maker …
 *   aggTrade … "a":id,"p":price,"q":quantity,"f":first id,"l":last id,"T":time,"m":buyer is maker …
 *
 * The id stands at the same place in every payload of a log: it is looked for there first.
 */
import { Cursor } from './cursor.ts';

const TRUE = 116;
const FALSE = 102;
const A = 97;
const B = 98;
/** `,"t":` stands within so many bytes. */
const HEAD = 100;

export class TradeScan {
  readonly #cursor = new Cursor();
  readonly #idKey: number;
  readonly #idText: string;
  /** Where the id was last time, from the start of the payload. */
  #idAt = 0;
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
    this.#idText = kind === 'trade' ? ',"t":' : ',"a":';
    this.#idKey = this.#idText.charCodeAt(2);
  }

  /** Reads `bytes[start, end)`; false where it is written in another way. */
  read(bytes: Buffer, start: number, end: number): boolean {
    const cursor = this.#cursor;
    cursor.open(bytes, start + this.#idAt, end);
    if (!cursor.field(this.#idKey)) {
      const at = bytes.subarray(start, Math.min(end, start + HEAD)).indexOf(this.#idText);
      if (at < 0) return false;
      this.#idAt = at;
      cursor.open(bytes, start + at, end);
      cursor.field(this.#idKey);
    }
    this.id = cursor.integer();
    if (!cursor.field(112 /* p */)) return false;
    this.price = cursor.decimal();
    if (!cursor.field(113 /* q */)) return false;
    this.quantity = cursor.decimal();
    if (!this.#ids()) return false;
    if (!cursor.field(84 /* T */)) return false;
    this.timeUs = cursor.timeUs();
    if (!cursor.field(109 /* m */)) return false;
    const maker = bytes[cursor.at];
    this.takerBuys = maker === FALSE;
    if (maker !== TRUE && maker !== FALSE) return false;
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
