/**
 * A depth payload's numbers, without a text or an object a level:
 *
 *   diff     {"e":"depthUpdate","E":time,"s":"BTCUSDT","U":first id,"u":last id,"b":levels,"a":levels}
 *   snapshot {"lastUpdateId":id,"bids":levels,"asks":levels}
 */
import { LevelList } from '../../market/level-list.ts';
import { Cursor } from './cursor.ts';

const DIFF = Buffer.from('{"e":"depthUpdate"');
const SNAPSHOT = Buffer.from('{"lastUpdateId":');
const BIDS = Buffer.from(',"bids":');
const ASKS = Buffer.from(',"asks":');
const CLOSE = 125;

export class DepthScan {
  readonly #cursor = new Cursor();
  readonly bids = new LevelList();
  readonly asks = new LevelList();
  firstId = 0;
  lastId = 0;
  /** Unix microseconds; a snapshot has none of its own. */
  timeUs = 0;

  /** Reads a diff; false where it is written in another way. */
  diff(bytes: Buffer, start: number, end: number): boolean {
    const cursor = this.#cursor;
    cursor.open(bytes, start, end);
    if (!cursor.skip(DIFF) || !cursor.field(69 /* E */)) return false;
    this.timeUs = cursor.timeUs();
    if (!cursor.field(115 /* s */) || !cursor.quoted() || !cursor.field(85 /* U */)) return false;
    this.firstId = cursor.integer();
    if (!cursor.field(117 /* u */)) return false;
    this.lastId = cursor.integer();
    if (this.timeUs < 0 || this.firstId < 0 || this.lastId < 0) return false;
    if (!cursor.field(98 /* b */) || !cursor.levels(this.bids)) return false;
    if (!cursor.field(97 /* a */) || !cursor.levels(this.asks)) return false;
    return this.#ends();
  }

  /** Reads a snapshot; false where it is written in another way. */
  snapshot(bytes: Buffer, start: number, end: number): boolean {
    const cursor = this.#cursor;
    cursor.open(bytes, start, end);
    if (!cursor.skip(SNAPSHOT)) return false;
    this.firstId = this.lastId = cursor.integer();
    if (this.lastId < 0) return false;
    if (!cursor.skip(BIDS) || !cursor.levels(this.bids)) return false;
    if (!cursor.skip(ASKS) || !cursor.levels(this.asks)) return false;
    return this.#ends();
  }

  #ends(): boolean {
    const { bytes, at, end } = this.#cursor;
    return at + 1 === end && bytes[at] === CLOSE;
  }
}
