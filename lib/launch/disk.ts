/** Log files of the nodes: JSON lines, one file a node, rotated by size. A full disk costs log lines, never a node. */
import { closeSync, fstatSync, mkdirSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { TickmeshError } from '../world/error.ts';

export type LogFilesOptions = {
  readonly dir: string;
  readonly maxBytes: number;
  /** Rotated files kept a node: `name.log.1` is the youngest. */
  readonly keep: number;
};
type Open = { fd: number; size: number };

export class LogFiles implements Disposable {
  readonly #options: LogFilesOptions;
  readonly #open = new Map<string, Open>();
  /** Lines that the disk did not take. */
  lost = 0;

  /** Makes the folder. Throws LOG_UNWRITABLE. */
  constructor(options: LogFilesOptions) {
    this.#options = options;
    try {
      mkdirSync(options.dir, { recursive: true });
    } catch (cause) {
      throw new TickmeshError(
        'LOG_UNWRITABLE',
        `cannot make the folder of log files ${options.dir}`,
        {
          cause,
          remedy: 'check its permissions, or choose another: --log-dir',
          facts: { dir: options.dir },
        },
      );
    }
  }

  write(node: string, line: string): void {
    const bytes = Buffer.from(`${line}\n`);
    try {
      let file = this.#open.get(node) ?? this.#start(node);
      if (file.size > 0 && file.size + bytes.length > this.#options.maxBytes)
        file = this.#rotate(node, file);
      file.size += writeSync(file.fd, bytes);
    } catch {
      this.lost++;
    }
  }

  #path(node: string, age: number): string {
    return join(this.#options.dir, age === 0 ? `${node}.log` : `${node}.log.${age}`);
  }

  #start(node: string): Open {
    const fd = openSync(this.#path(node, 0), 'a', 0o644);
    const file = { fd, size: fstatSync(fd).size };
    this.#open.set(node, file);
    return file;
  }

  #rotate(node: string, file: Open): Open {
    closeSync(file.fd);
    this.#open.delete(node);
    for (let age = this.#options.keep - 1; age >= 0; age--) {
      try {
        renameSync(this.#path(node, age), this.#path(node, age + 1));
      } catch {
        // Not that many yet.
      }
    }
    return this.#start(node);
  }

  [Symbol.dispose](): void {
    for (const { fd } of this.#open.values()) closeSync(fd);
    this.#open.clear();
  }
}
