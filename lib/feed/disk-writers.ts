/** Whose logs are followed: each writer's clock says up to when its logs are complete. */
import { ClockReader } from '../log/disk-clock.ts';

export type Writer = {
  readonly node: string;
  readonly clock: ClockReader;
  /** The clock as last read, Unix microseconds, and when it last moved, monotonic ms. */
  timeUs: number;
  movedMs: number;
};

export class Writers {
  readonly #data: string;
  readonly #all = new Map<string, Writer>();

  constructor(data: string) {
    this.#data = data;
  }

  get(node: string): Writer | undefined {
    return this.#all.get(node);
  }

  /** One that was not known. Its clock counts from the next reading on: what it covers is then looked at after it. */
  meet(node: string, nowMs: number): Writer {
    const clock = new ClockReader(this.#data, node);
    const writer: Writer = { node, clock, timeUs: 0, movedMs: nowMs };
    this.#all.set(node, writer);
    return writer;
  }

  readClocks(nowMs: number): void {
    for (const writer of this.#all.values()) {
      const timeUs = writer.clock.read();
      if (timeUs !== writer.timeUs) {
        writer.timeUs = timeUs;
        writer.movedMs = nowMs;
      }
    }
  }

  /** True when a clock has changed since it was read. */
  stirred(): boolean {
    for (const { clock } of this.#all.values()) if (clock.stirred()) return true;
    return false;
  }

  close(): void {
    for (const { clock } of this.#all.values()) clock.close();
  }
}
