/**
 * Catch-up on the wire: a request and its answer as ZeroMQ messages of a fixed number of parts.
 *
 *   request = header node-name log-name      ; header of kind FETCH; node-name: who asks, log/name.ts: part
 *   answer  = header log-name [ lines ]      ; lines for CHUNK only, and then always
 *   lines   = 1*line                         ; log/line.ts; header.count of them in header.length bytes, of one segment
 *
 * All headers are those of `mesh/header.ts`. A request never says where to answer to: the holder knows that by itself.
 * Anything else (parts, kinds, lengths, CRC, bytes that are no lines) is not a frame: undefined, never an exception.
 */
import { crc32 } from 'node:zlib';
import {
  HEADER_BYTES,
  encodeHeader,
  kinds,
  payloadMatches,
  readHeader,
  writeHeader,
  type Header,
} from '../mesh/header.ts';
import { ENVELOPE, LINE_MAX, isLine, viewOf } from '../log/line.ts';
import { isNamePart } from '../log/name.ts';
import type { Answer, Ask, Lines } from './answer.ts';

/** Most bytes of lines in one answer; the longest line fits. */
export const CHUNK_MAX = LINE_MAX;
const NAME_MAX = 200;
const RETRY_MAX_MS = 60_000;

export type Request = {
  readonly node: string;
  readonly log: string;
  readonly ask: Ask;
  /** The asker's own number, given back in the answer. */
  readonly tag: number;
};

export type Reply = {
  readonly log: string;
  readonly answer: Answer;
  readonly tag: number;
  /** INFO: up to this receive time (Unix us) the log is complete at that position; else 0. */
  readonly clockUs: number;
};

const empty = Buffer.alloc(0);

/** A name part of a message, checked; undefined when it cannot be one. */
function readName(part: Buffer, form: (text: string) => boolean): string | undefined {
  if (part.length === 0 || part.length > NAME_MAX) return undefined;
  const text = part.toString('latin1');
  return form(text) ? text : undefined;
}

function isLogName(text: string): boolean {
  const parts = text.split('/');
  return parts.length === 3 && parts.every(isNamePart);
}

function readHead(part: Buffer | undefined, payload: Buffer): Header | undefined {
  if (part?.length !== HEADER_BYTES) return undefined;
  const header = readHeader(part);
  if (!header || header.length !== payload.length) return undefined;
  return payloadMatches(part, 0, payload) ? header : undefined;
}

export const encodeRequest = ({ node, log, ask, tag }: Request): Buffer[] => [
  encodeHeader({
    kind: kinds.FETCH,
    position: ask.position,
    lastEpoch: ask.lastEpoch,
    aux: ask.maxBytes,
    tag,
  }),
  Buffer.from(node, 'latin1'),
  Buffer.from(log, 'latin1'),
];

/** The request in a message; undefined when it is none. Never throws. */
export function decodeRequest(parts: readonly Buffer[]): Request | undefined {
  if (parts.length !== 3) return undefined;
  const header = readHead(parts[0], empty);
  if (header?.kind !== kinds.FETCH || header.count !== 0) return undefined;
  const node = readName(parts[1]!, isNamePart);
  const log = readName(parts[2]!, isLogName);
  if (node === undefined || log === undefined) return undefined;
  const { lastEpoch, position, aux: maxBytes, tag } = header;
  return { node, log, ask: { lastEpoch, position, maxBytes }, tag };
}

/** `crc`: that of a chunk's lines, where it is known already. */
export function encodeReply({ log, answer, tag, clockUs }: Reply, crc?: number): Buffer[] {
  const { epoch, lastEpoch, asked } = answer;
  const name = Buffer.from(log, 'latin1');
  const echo = { epoch, lastEpoch, tag };
  switch (answer.kind) {
    case 'chunk': {
      const { bytes, ends, segment } = answer.lines;
      const fields = {
        ...echo,
        kind: kinds.CHUNK,
        position: asked,
        length: bytes.length,
        count: ends.length,
        recordEpoch: segment.epoch,
        aux: segment.base,
      };
      const head = Buffer.allocUnsafe(HEADER_BYTES);
      writeHeader(head, 0, fields, crc ?? crc32(bytes));
      return [head, name, bytes];
    }
    case 'info': {
      const { position, linesBefore: lines } = answer;
      return [encodeHeader({ ...echo, kind: kinds.INFO, position, lines, aux: clockUs }), name];
    }
    case 'cut':
    case 'trimmed': {
      const { position, linesBefore: lines } = answer;
      const kind = answer.kind === 'cut' ? kinds.CUT : kinds.TRIMMED;
      return [encodeHeader({ ...echo, kind, position, lines, aux: asked }), name];
    }
    case 'busy':
      return [
        encodeHeader({ ...echo, kind: kinds.BUSY, position: asked, aux: answer.retryMs }),
        name,
      ];
    case 'denied':
      return [encodeHeader({ ...echo, kind: kinds.DENIED, position: asked }), name];
  }
}

/**
 * Offsets behind each of the `count` lines that `bytes` consists of; undefined unless it is exactly so many, each of
 * the envelope's form.
 */
export function wholeLines(bytes: Buffer, count: number): number[] | undefined {
  if (count === 0 || count > bytes.length / ENVELOPE) return undefined;
  const view = viewOf(bytes);
  const ends: number[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf(10, at) + 1;
    if (end === 0 || !isLine(bytes, at, end, view)) return undefined;
    ends.push(end);
    at = end;
  }
  return ends.length === count ? ends : undefined;
}

/** The answer in a message; undefined when it is none. Never throws. */
export function decodeReply(parts: readonly Buffer[]): Reply | undefined {
  if (parts.length !== 2 && parts.length !== 3) return undefined;
  const bytes = parts[2] ?? empty;
  const header = readHead(parts[0], bytes);
  const log = readName(parts[1]!, isLogName);
  if (!header || log === undefined) return undefined;
  if ((header.kind === kinds.CHUNK) !== (parts.length === 3)) return undefined;
  const answer = readAnswer(header, bytes);
  const clockUs = header.kind === kinds.INFO ? header.aux : 0;
  return answer && { log, answer, tag: header.tag, clockUs };
}

function readAnswer(header: Header, bytes: Buffer): Answer | undefined {
  const { kind, epoch, lastEpoch, position, lines: linesBefore, aux } = header;
  const echo = { epoch, lastEpoch, asked: position };
  if (kind === kinds.CHUNK) {
    const lines = readChunk(header, bytes);
    return lines && { ...echo, kind: 'chunk', lines };
  }
  if (header.count !== 0) return undefined;
  if (kind === kinds.INFO) return { ...echo, kind: 'info', position, linesBefore };
  if (kind === kinds.BUSY) return { ...echo, kind: 'busy', retryMs: Math.min(aux, RETRY_MAX_MS) };
  if (kind === kinds.DENIED) return { ...echo, kind: 'denied' };
  // What is taken back lies before what was asked for, what is kept lies behind it.
  if (kind === kinds.CUT && position < aux)
    return { ...echo, asked: aux, kind: 'cut', position, linesBefore };
  if (kind === kinds.TRIMMED && position > aux)
    return { ...echo, asked: aux, kind: 'trimmed', position, linesBefore };
  return undefined;
}

function readChunk({ epoch, position, ...header }: Header, bytes: Buffer): Lines | undefined {
  const segment = { base: header.aux, epoch: header.recordEpoch };
  const fits =
    bytes.length <= CHUNK_MAX &&
    Number.isSafeInteger(position + bytes.length) &&
    segment.base <= position &&
    segment.epoch > 0 &&
    segment.epoch <= epoch;
  const ends = fits ? wholeLines(bytes, header.count) : undefined;
  return ends && { position, bytes, ends, segment };
}
