/**
 * What a careful application does: it stores its cursors with its output, so that it is handed every record exactly once
 * whatever kills it. Output first, then the commit that counts it, into two files in turn: a torn commit leaves the older
 * one. Here the output is the lines themselves (where they are kept), and what the journals need to go on.
 */
import {
  closeSync,
  ftruncateSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Cursor } from '../../lib/feed/record.ts';
import { Broken, type Held } from '../guarantees.ts';

export type Commit = {
  readonly number: number;
  readonly cursors: readonly Cursor[];
  readonly held: Readonly<Record<string, Held>>;
};

/** The newest whole commit of an application's folder; undefined before the first. */
export function lastCommit(folder: string): Commit | undefined {
  const commits = [0, 1].map((slot) => readSlot(join(folder, `commit.${slot}`)));
  return commits.sort((a, b) => (b?.number ?? -1) - (a?.number ?? -1))[0];
}

function readSlot(path: string): Commit | undefined {
  try {
    const text = readFileSync(path, 'utf8').split('\n')[0]!;
    const json = text.slice(9);
    return text.slice(0, 8) === sumOf(json) ? (JSON.parse(json) as Commit) : undefined;
  } catch {
    return undefined;
  }
}

const sumOf = (text: string): string => crc32(text).toString(16).padStart(8, '0');

/** Where a log's kept lines are. */
export const outputOf = (folder: string, log: string): string =>
  join(folder, `${log.replaceAll('/', '+')}.out`);

export class Sink {
  readonly before: Commit | undefined;
  readonly #slots: number[];
  readonly #outputs = new Map<string, { fd: number; size: number }>();
  #number: number;

  /** `keep`: the lines themselves are the output. What a crash left behind the last commit is taken back. */
  constructor(folder: string, logs: readonly string[], keep: boolean) {
    mkdirSync(folder, { recursive: true });
    this.before = lastCommit(folder);
    this.#number = this.before?.number ?? 0;
    this.#slots = [0, 1].map((slot) => openSync(join(folder, `commit.${slot}`), 'a+'));
    for (const fd of this.#slots) closeSync(fd);
    this.#slots = [0, 1].map((slot) => openSync(join(folder, `commit.${slot}`), 'r+'));
    for (const log of keep ? logs : []) {
      closeSync(openSync(outputOf(folder, log), 'a'));
      const fd = openSync(outputOf(folder, log), 'r+');
      const size = this.before?.held[log]?.position ?? 0;
      if (fstatSync(fd).size < size)
        throw new Broken(log, 'resumable', `${size} bytes were committed, fewer are there`);
      ftruncateSync(fd, size);
      this.#outputs.set(log, { fd, size });
    }
  }

  /** Appends a line to the output of its log. */
  put(log: string, lines: Buffer): void {
    const output = this.#outputs.get(log);
    if (!output) return;
    writeSync(output.fd, lines, 0, lines.length, output.size);
    output.size += lines.length;
  }

  commit(cursors: readonly Cursor[], held: Readonly<Record<string, Held>>): void {
    const json = JSON.stringify({ number: ++this.#number, cursors, held } satisfies Commit);
    writeSync(this.#slots[this.#number % 2]!, `${sumOf(json)} ${json}\n`, 0);
  }
}
