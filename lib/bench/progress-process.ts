/** One line on a terminal that says what is being done; nothing anywhere else. */
import type { WriteStream } from 'node:tty';

export class Progress implements Disposable {
  readonly #out: WriteStream;
  #shown = false;

  constructor(out: WriteStream) {
    this.#out = out;
  }

  show(text: string): void {
    if (!this.#out.isTTY) return;
    this.#out.write(`\r\x1b[2K${text.slice(0, (this.#out.columns || 80) - 1)}`);
    this.#shown = true;
  }

  clear(): void {
    if (this.#shown) this.#out.write('\r\x1b[2K');
    this.#shown = false;
  }

  [Symbol.dispose](): void {
    this.clear();
  }
}
