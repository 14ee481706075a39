/** A two-slot file on disk (a log's `head`, a fetcher's clock): written in turn, read in one go. */
import { closeSync, constants, openSync } from 'node:fs';
import { HEADER_BYTES, writeHeader, type HeaderFields, type Kind } from '../mesh/header.ts';
import { errnoOf, readUpTo, writeAll } from './disk-files.ts';
import { HEAD_BYTES, staleSlot } from './head.ts';

// Read and write, created when missing, never truncated: "r+" does not create and "a+" ignores positions.
const openFlags = constants.O_RDWR | constants.O_CREAT;

export class SlotWriter {
  readonly #fd: number;
  readonly #bytes = Buffer.alloc(HEADER_BYTES);
  readonly #kind: Kind;
  #next: number;

  constructor(path: string, kind: Kind) {
    this.#kind = kind;
    this.#fd = openSync(path, openFlags);
    const now = Buffer.alloc(HEAD_BYTES);
    readUpTo(this.#fd, now, HEAD_BYTES, 0);
    this.#next = staleSlot(now, kind);
  }

  /** Writes the next slot. Throws what the disk throws; the other slot stays whole. */
  write(fields: Omit<HeaderFields, 'kind'>): void {
    writeHeader(this.#bytes, 0, { ...fields, kind: this.#kind });
    writeAll(this.#fd, this.#bytes, HEADER_BYTES, this.#next * HEADER_BYTES);
    this.#next ^= 1;
  }

  close(): void {
    closeSync(this.#fd);
  }
}

/** Reads a two-slot file again and again without allocating; its file may appear later. */
export class SlotReader {
  readonly #path: string;
  readonly #bytes = Buffer.alloc(HEAD_BYTES);
  #fd = -1;

  constructor(path: string) {
    this.#path = path;
  }

  /** The file's bytes now (reused by the next call); undefined while there is no file. */
  read(): Buffer | undefined {
    if (this.#fd < 0) {
      try {
        this.#fd = openSync(this.#path, 'r');
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    }
    const got = readUpTo(this.#fd, this.#bytes, HEAD_BYTES, 0);
    if (got < HEAD_BYTES) this.#bytes.fill(0, got);
    return this.#bytes;
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}
