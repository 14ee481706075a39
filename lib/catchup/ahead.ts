/**
 * One chunk read before it is asked for. Who catches up asks next for where the last chunk ended: while that is on its way,
 * is checked and written over there, the holder reads on. One chunk a lane at most, dropped when another log is asked for.
 * What an epoch has announced never changes within it: bytes read under the same epoch are what would be read now. Pure.
 */
import { crc32 } from 'node:zlib';
import type { Answer, Ask, Lines, LogView } from './answer.ts';

type Next = {
  readonly view: LogView;
  readonly epoch: number;
  readonly maxBytes: number;
  readonly lines: Lines;
  readonly crc: number;
};

export class Ahead {
  #next: Next | undefined;
  #due:
    | { readonly view: LogView; readonly position: number; readonly maxBytes: number }
    | undefined;

  /** The log as `answer` wants it, `epoch` being the one that its head shows: what was read ahead is handed out once. */
  over(view: LogView, epoch: number): LogView {
    const next = this.#next;
    if (next?.view !== view || next.epoch !== epoch) return view;
    return {
      head: () => view.head(),
      epochs: (of) => view.epochs(of),
      oldest: () => view.oldest(),
      read(position, limit, maxBytes) {
        const { lines } = next;
        const fits =
          lines.position === position &&
          next.maxBytes === maxBytes &&
          position + lines.bytes.length <= limit;
        return fits ? lines : view.read(position, limit, maxBytes);
      },
    };
  }

  /** `view` has answered: a chunk as large as was asked for is likely followed by the next. */
  answered(view: LogView, { maxBytes }: Ask, answer: Answer): void {
    this.#due = undefined;
    if (answer.kind !== 'chunk') this.#next = undefined;
    if (answer.kind !== 'chunk' || answer.lines.bytes.length < maxBytes / 2) return;
    this.#due = { view, position: answer.asked + answer.lines.bytes.length, maxBytes };
  }

  /** CRC-32 of lines that were read ahead. */
  crcOf(lines: Lines): number | undefined {
    return this.#next?.lines === lines ? this.#next.crc : undefined;
  }

  /** Reads on, now that there is time. Throws what reading throws. */
  read(): void {
    const due = this.#due;
    this.#next = this.#due = undefined;
    if (!due) return;
    const { view, position, maxBytes } = due;
    const head = view.head();
    if (!head || position >= head.position) return;
    const lines = view.read(position, head.position, maxBytes);
    if (lines) this.#next = { view, epoch: head.epoch, maxBytes, lines, crc: crc32(lines.bytes) };
  }
}
