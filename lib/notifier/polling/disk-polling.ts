/** One timer looks at the head files of all logs, and rings for those that moved. */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { SlotReader } from '../../log/disk-head.ts';
import { readSlot } from '../../log/head.ts';
import { namedLogs } from '../logs.ts';
import type { Listener, ListenerOptions } from '../notifier.ts';

/** True when the log has moved since the last look. */
type Look = { moved(): boolean; close(): void };

class PositionLook implements Look {
  readonly #head: SlotReader;
  #epoch = -1;
  #position = -1;
  constructor(path: string) {
    this.#head = new SlotReader(path);
  }
  moved(): boolean {
    const bytes = this.#head.read();
    const slot = bytes && readSlot(bytes);
    if (!slot || (slot.epoch === this.#epoch && slot.position === this.#position)) return false;
    this.#epoch = slot.epoch;
    this.#position = slot.position;
    return true;
  }
  close(): void {
    this.#head.close();
  }
}

/** Two writes within one tick of the file system's clock look like one. */
const TICK_MS = 20;

class MtimeLook implements Look {
  readonly #path: string;
  #lastMs = -1;
  #again = false;
  constructor(path: string) {
    this.#path = path;
  }
  moved(): boolean {
    const mtimeMs = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? -1;
    const moved = this.#again || mtimeMs > this.#lastMs;
    // So fresh that another write may hide behind it: rung once more with the next look.
    this.#again = mtimeMs > 0 && Date.now() - mtimeMs < TICK_MS;
    this.#lastMs = mtimeMs;
    return moved;
  }
  close(): void {}
}

export class PollingListener implements Listener {
  readonly invalid = 0;
  readonly #looks: ReadonlyMap<string, Look>;
  readonly #timer: NodeJS.Timeout;

  constructor(options: ListenerOptions, by: 'position' | 'mtime', intervalMs: number) {
    const { folder, logs } = namedLogs(options);
    const Chosen = by === 'mtime' ? MtimeLook : PositionLook;
    this.#looks = new Map(logs.map((log) => [log, new Chosen(join(folder, log, 'head'))]));
    this.#timer = setInterval(() => {
      for (const [log, look] of this.#looks) if (look.moved()) options.onRing?.(log);
      // Who waits for a clock only can look at it as often as we look at the heads.
      if (this.#looks.size > 1) options.onRing?.();
    }, intervalMs);
    options.onState?.('on');
    for (const log of logs) if (this.#looks.get(log)!.moved()) options.onRing?.(log);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    for (const look of this.#looks.values()) look.close();
  }
}
