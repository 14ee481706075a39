/**
 * A notice says "log L, epoch E, reached position N". It carries no data: losing, repeating or reordering one costs time,
 * never a record, and only the largest position matters. One part, at most 128 bytes for names up to 63, so that ZeroMQ
 * copies it instead of sharing memory.
 *
 *   notice = log-name NUL header            ; header of kind NOTICE (mesh/header.ts)
 *   beat   = [ "H:" ] log-name NUL header   ; header of kind HEAD or END; "H:" where topics are subscribed to one by one
 *   data   = "D:" log-name NUL header lines ; header of kind DATA: the batch itself, for readers without the disk
 *
 * A subscription is the bytes up to and with the NUL, so that `BTC-USD` never matches `BTC-USDT`. Beats have a topic of
 * their own: a reader that is told by something quicker keeps them, and lets the notices be.
 */
import { crc32 } from 'node:zlib';
import {
  HEADER_BYTES,
  kinds,
  payloadMatches,
  readHeader,
  writeHeader,
  type Header,
  type HeaderFields,
} from '../mesh/header.ts';

export type Topic = Buffer;

/**
 * Longest batch that is also sent as data; a longer one is asked for. What a slow listener has not taken waits in memory,
 * thousands of messages of it, while what is asked for waits in files.
 */
export const INLINE_MAX = 64 << 10;

/** Subscription for a log's notices. */
export const noticeTopic = (log: string): Topic => Buffer.from(`${log}\0`, 'latin1');
/** Subscription for a log's heartbeats, and its end. */
export const beatTopic = (log: string): Topic => Buffer.from(`H:${log}\0`, 'latin1');
/** Subscription for a log's bytes. */
export const dataTopic = (log: string): Topic => Buffer.from(`D:${log}\0`, 'latin1');

export function encodeNotice(topic: Topic, fields: HeaderFields): Buffer {
  const bytes = Buffer.allocUnsafe(topic.length + HEADER_BYTES);
  topic.copy(bytes, 0);
  writeHeader(bytes, topic.length, fields);
  return bytes;
}

/** The batch itself behind its header. */
export function encodeData(topic: Topic, fields: HeaderFields, lines: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(topic.length + HEADER_BYTES + lines.length);
  topic.copy(bytes, 0);
  writeHeader(bytes, topic.length, { ...fields, length: lines.length }, crc32(lines));
  lines.copy(bytes, topic.length + HEADER_BYTES);
  return bytes;
}

export type Heard = {
  readonly log: string;
  readonly header: Header;
  /** Lines, for DATA; else empty. */
  readonly bytes: Buffer;
};

const nothing = Buffer.alloc(0);
const NAME_MAX = 256;

/** The name that was read last, as text: most notices name it again, and making text takes longer than comparing bytes. */
export class LastName {
  #bytes = nothing;
  #text = '';

  read(message: Buffer, at: number, end: number): string {
    const bytes = this.#bytes;
    let same = bytes.length === end - at;
    for (let i = 0; same && i < bytes.length; i++) same = bytes[i] === message[at + i];
    if (!same) {
      this.#bytes = Buffer.from(message.subarray(at, end));
      this.#text = this.#bytes.toString('latin1');
    }
    return this.#text;
  }
}

/**
 * What a message says; undefined when it is not a notice of this version. Never throws. `names` is for who reads many.
 */
export function readNotice(message: Buffer, names = new LastName()): Heard | undefined {
  let nul = 0;
  while (nul < message.length && message[nul] !== 0) if (++nul > NAME_MAX) return undefined;
  const header = readHeader(message, nul + 1);
  if (!header) return undefined;
  const rest = message.length - nul - 1 - HEADER_BYTES;
  if (header.kind === kinds.DATA) {
    if (message[0] !== 68 || message[1] !== 58 || rest !== header.length) return undefined;
    const bytes = message.subarray(nul + 1 + HEADER_BYTES);
    if (!payloadMatches(message, nul + 1, bytes)) return undefined;
    return { log: names.read(message, 2, nul), header, bytes };
  }
  if (rest !== 0) return undefined;
  const beat = header.kind === kinds.HEAD || header.kind === kinds.END;
  if (!beat && header.kind !== kinds.NOTICE) return undefined;
  const nameAt = beat && message[0] === 72 && message[1] === 58 ? 2 : 0;
  return { log: names.read(message, nameAt, nul), header, bytes: nothing };
}
