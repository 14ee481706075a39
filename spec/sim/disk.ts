/**
 * A disk that fails as disks do. Every file has what is written and what is durable. A process crash keeps all that was
 * written, and may hit in the middle of a write; a host crash keeps the durable part and a random rest of it: shorter,
 * zeroed, or (of a two-slot file) only one slot new. It may be full: short writes, then ENOSPC.
 */
import { basename, dirname } from 'node:path';
import { flags } from '../../lib/log/disk-files.ts';
import type { Files } from '../../lib/log/files.ts';
import type { Random } from './random.ts';

/** Thrown out of a file operation: the process is gone. */
export class Crash extends Error {}

type SimFile = {
  bytes: Buffer;
  size: number;
  durable: Buffer;
  /** `durable` is what is written: nothing has changed since. */
  clean: boolean;
  entryDurable: boolean;
};
/** `listed`: its names as last asked for; `fresh`: files whose entries may not be durable yet. */
type SimFolder = { names: Set<string>; listed: readonly string[] | undefined; fresh: SimFile[] };

const nothing = Buffer.alloc(0);

/** What is written is on the platter. */
function makeDurable(file: SimFile): void {
  if (!file.clean) file.durable = Buffer.from(file.bytes.subarray(0, file.size));
  file.clean = true;
}

const failure = (code: string): Error => Object.assign(new Error(code), { code });

export class SimDisk implements Files {
  readonly #random: Random;
  readonly #files = new Map<string, SimFile>();
  readonly #folders = new Map<string, SimFolder>();
  readonly #open = new Map<number, SimFile>();
  #nextFd = 3;
  /** Operations until the running process is killed; Infinity: never. */
  killAfter = Infinity;
  /** It was killed: whatever it still tries fails, until the next one begins. */
  dead = false;
  /** New entries reach the platter in the order of their making, as in a journal; else each for itself. */
  entriesInOrder = false;
  full = false;
  /** Truncation is forgotten: the seeded bug "no repair". */
  forgetCuts = false;

  constructor(random: Random) {
    this.#random = random;
  }

  #count(): void {
    if (this.dead || --this.killAfter < 0) {
      this.killAfter = Infinity;
      this.dead = true;
      throw new Crash('killed');
    }
  }

  #add(path: string, file: SimFile): void {
    this.#files.set(path, file);
    const folder = this.#folders.get(dirname(path))!;
    folder.names.add(basename(path));
    folder.listed = undefined;
    if (!file.entryDurable) folder.fresh.push(file);
  }
  #drop(path: string): void {
    this.#files.delete(path);
    const folder = this.#folders.get(dirname(path))!;
    folder.names.delete(basename(path));
    folder.listed = undefined;
  }

  #of(fd: number): SimFile {
    const file = this.#open.get(fd);
    if (!file) throw failure('EBADF');
    return file;
  }

  open(path: string, how: number): number {
    let file = this.#files.get(path);
    const creates = how === flags.create || how === flags.createNew;
    if (file && how === flags.createNew) throw failure('EEXIST');
    if (!file) {
      if (!creates) throw failure('ENOENT');
      if (this.full && how === flags.createNew) throw failure('ENOSPC');
      this.#count();
      file = {
        // A file that grows is copied: this one comes from the pool.
        bytes: Buffer.allocUnsafe(256).fill(0),
        size: 0,
        durable: nothing,
        clean: true,
        entryDurable: false,
      };
      this.#add(path, file);
    }
    const fd = this.#nextFd++;
    this.#open.set(fd, file);
    return fd;
  }

  close(fd: number): void {
    this.#open.delete(fd);
  }

  read(fd: number, into: Buffer, offset: number, length: number, at: number): number {
    const file = this.#of(fd);
    const end = Math.min(file.size, at + length);
    if (end <= at) return 0;
    return file.bytes.copy(into, offset, at, end);
  }

  write(fd: number, bytes: Buffer, offset: number, length: number, at: number): number {
    const file = this.#of(fd);
    if (this.dead) this.#count();
    let count = length;
    if (this.full && at + length > file.size) {
      count = this.#random.between(0, length - 1);
      if (count === 0) throw failure('ENOSPC');
    }
    if (this.killAfter <= 0) count = this.#random.between(0, count);
    if (at + count > file.bytes.length) {
      const grown = Buffer.alloc(Math.max(file.bytes.length * 2, at + count));
      file.bytes.copy(grown, 0, 0, file.size);
      file.bytes = grown;
    }
    bytes.copy(file.bytes, at, offset, offset + count);
    file.clean = false;
    if (at + count > file.size) file.size = at + count;
    this.#count();
    return count;
  }

  size(fd: number): number {
    return this.#of(fd).size;
  }

  truncate(fd: number, size: number): void {
    this.#count();
    if (this.forgetCuts) return;
    const file = this.#of(fd);
    file.size = Math.min(file.size, size);
    file.clean = false;
    if (file.durable.length > size) file.durable = file.durable.subarray(0, size);
  }

  sync(fd: number): void {
    this.#count();
    makeDurable(this.#of(fd));
    // A journal takes all entries along that were made before.
    if (this.entriesInOrder)
      for (const { fresh } of this.#folders.values())
        for (const file of fresh.splice(0)) file.entryDurable = true;
  }

  syncFolder(folder: string): void {
    this.#count();
    const found = this.#folders.get(folder);
    for (const file of found?.fresh.splice(0) ?? []) file.entryDurable = true;
  }

  makeFolder(folder: string): void {
    if (!this.#folders.has(folder))
      this.#folders.set(folder, { names: new Set(), listed: undefined, fresh: [] });
  }

  list(folder: string): readonly string[] {
    const found = this.#folders.get(folder);
    if (!found) throw failure('ENOENT');
    return (found.listed ??= [...found.names]);
  }

  /** What goes to the platter in the background: the one before is there by now. */
  #later: SimFile | undefined;
  syncAndClose(fd: number): void {
    if (this.dead) this.#count();
    const file = this.#of(fd);
    if (this.#later) makeDurable(this.#later);
    this.#later = file;
    this.close(fd);
  }

  rename(from: string, to: string): void {
    this.#count();
    const file = this.#files.get(from);
    if (!file) throw failure('ENOENT');
    this.#drop(from);
    this.#add(to, file);
  }

  remove(path: string): void {
    this.#count();
    if (!this.#files.has(path)) throw failure('ENOENT');
    this.#drop(path);
  }

  /** A file's bytes as written. */
  bytesOf(path: string): Buffer {
    const file = this.#files.get(path);
    return file ? file.bytes.subarray(0, file.size) : nothing;
  }

  /** Every process on this host is gone; its descriptors too. */
  forgetDescriptors(): void {
    this.#open.clear();
  }

  /** Power failure: what was not durable may be gone, in whole or in part. */
  hostCrash(): void {
    this.forgetDescriptors();
    this.dead = false;
    const random = this.#random;
    let lostEntry = false;
    for (const [path, file] of this.#files) {
      const mayLose = !file.entryDurable && file.durable.length === 0;
      if (mayLose && (lostEntry || random.chance(0.5))) {
        lostEntry = this.entriesInOrder;
        this.#drop(path);
        continue;
      }
      if (this.entriesInOrder) file.entryDurable = true;
      const slots = file.size === 128 && file.durable.length <= 128;
      if (slots) {
        const now = Buffer.from(file.bytes.subarray(0, 128));
        const old = Buffer.alloc(128);
        file.durable.copy(old);
        for (const at of [0, 64]) if (random.chance(0.5)) old.copy(now, at, at, at + 64);
        now.copy(file.bytes);
        file.clean = false;
        continue;
      }
      const kept = random.between(Math.min(file.durable.length, file.size), file.size);
      const zeroed = random.chance(0.3);
      if (kept < file.size) {
        if (zeroed) file.bytes.fill(0, kept, file.size);
        else file.size = kept;
        file.clean = false;
      }
      makeDurable(file);
    }
  }
}
