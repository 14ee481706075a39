/** A two-slot file on disk (a log's `head`, a fetcher's clock): written in turn, read in one go. */
import { HEADER_BYTES, writeHeader, type HeaderFields, type Kind } from '../mesh/header.ts';
import { errnoOf, flags, readUpTo, realFiles, writeAll } from './disk-files.ts';
import type { Files } from './files.ts';
import { HEAD_BYTES, staleSlot } from './head.ts';

export class SlotWriter {
  #fd: number;
  readonly #bytes = Buffer.alloc(HEADER_BYTES);
  readonly #files: Files;
  #next: number;

  /** `kind`: of the file's slots. */
  constructor(path: string, kind: Kind, files: Files = realFiles) {
    this.#files = files;
    this.#fd = files.open(path, flags.create);
    const now = Buffer.alloc(HEAD_BYTES);
    readUpTo(files, this.#fd, now, HEAD_BYTES, 0);
    this.#next = staleSlot(now, kind);
  }

  /** Writes the next slot; `fields` are of this file's kind. Throws what the disk throws; the other slot stays whole. */
  write(fields: HeaderFields): void {
    writeHeader(this.#bytes, 0, fields);
    writeAll(this.#files, this.#fd, this.#bytes, HEADER_BYTES, this.#next * HEADER_BYTES);
    this.#next ^= 1;
  }

  close(): void {
    if (this.#fd >= 0) this.#files.close(this.#fd);
    this.#fd = -1;
  }
}

/** Reads a two-slot file again and again without allocating; its file may appear later. */
export class SlotReader {
  readonly #path: string;
  readonly #files: Files;
  #bytes = Buffer.alloc(HEAD_BYTES);
  #fresh = Buffer.alloc(HEAD_BYTES);
  /** True when `#bytes` were read by `stirred`, and nobody has been given them. */
  #stirred = false;
  #fd = -1;

  constructor(path: string, files: Files = realFiles) {
    this.#path = path;
    this.#files = files;
  }

  /**
   * The file's bytes now (reused by the next call); undefined while there is no file. `seen`: those that `stirred` has
   * just read will do.
   */
  read(seen = false): Buffer | undefined {
    const fresh = this.#stirred;
    this.#stirred = false;
    if (seen && fresh) return this.#bytes;
    if (this.#fd < 0) {
      try {
        this.#fd = this.#files.open(this.#path, flags.read);
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw error;
      }
    }
    const got = readUpTo(this.#files, this.#fd, this.#bytes, HEAD_BYTES, 0);
    if (got < HEAD_BYTES) this.#bytes.fill(0, got);
    return this.#bytes;
  }

  /** True when the file's bytes are not what `read` last returned: cheap enough to ask again and again. */
  stirred(): boolean {
    if (this.#fd < 0) return false;
    const got = this.#files.read(this.#fd, this.#fresh, 0, HEAD_BYTES, 0);
    if (got !== HEAD_BYTES || this.#fresh.equals(this.#bytes)) return this.#stirred;
    const before = this.#bytes;
    this.#bytes = this.#fresh;
    this.#fresh = before;
    this.#stirred = true;
    return true;
  }

  close(): void {
    if (this.#fd >= 0) this.#files.close(this.#fd);
    this.#fd = -1;
  }
}
