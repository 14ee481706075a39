/** Bytes of a process into lines of text. */
import { StringDecoder } from 'node:string_decoder';

/** Characters of a line; the rest of a longer one is cut off, so a process cannot fill our memory. */
const LINE_MAX = 64 * 1024;

export class Lines {
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';

  /** Whole lines that are complete with `bytes`, without their line feeds. */
  push(bytes: Buffer): string[] {
    const parts = (this.#rest + this.#decoder.write(bytes)).split('\n');
    this.#rest = parts.pop()!.slice(0, LINE_MAX);
    return parts.map((line) => line.slice(0, LINE_MAX)).filter((line) => line !== '');
  }

  /** The last line, when the process ended in its middle. */
  end(): string[] {
    const line = this.#rest + this.#decoder.end();
    this.#rest = '';
    return line === '' ? [] : [line];
  }
}
