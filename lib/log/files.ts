/**
 * What a log needs of a file system: a dozen synchronous calls. `realFiles` (disk-files.ts) is the real one; a simulated
 * disk with torn writes, lost tails and a full platter is another, and the code above cannot tell.
 */
export type Files = {
  /** Flags as in node:fs constants. Throws errors with a `code`, as node:fs does, and so do all of these. */
  open(path: string, flags: number): number;
  close(fd: number): void;
  /** Reads at `at` into `into[offset, offset + length)`; how many bytes it got, 0 at the end. */
  read(fd: number, into: Buffer, offset: number, length: number, at: number): number;
  /** May write less than asked, without an error: so does a disk that fills up. */
  write(fd: number, bytes: Buffer, offset: number, length: number, at: number): number;
  size(fd: number): number;
  truncate(fd: number, size: number): void;
  /** The file's bytes and size are on the platter. */
  sync(fd: number): void;
  /** The folder's entries (new, removed files) are on the platter. */
  syncFolder(folder: string): void;
  makeFolder(folder: string): void;
  list(folder: string): readonly string[];
  remove(path: string): void;
  rename(from: string, to: string): void;
  /** Syncs without waiting, then closes: for a segment that is complete. */
  syncAndClose(fd: number): void;
};

/** The flags that logs open files with (Linux and macOS values come from node:fs; see disk-files.ts). */
export type OpenFlags = {
  readonly read: number;
  readonly readWrite: number;
  readonly create: number;
  readonly createNew: number;
};
