/** A log as a list, for checking followers against: what was announced, what was taken back, what was trimmed. */
import { lineEnds } from '../../lib/log/disk-reader.ts';
import type { Lines, LogView } from '../../lib/catchup/answer.ts';
import type { Epoch } from '../../lib/log/epochs.ts';
import type { Slot } from '../../lib/log/head.ts';
import type { Segment } from '../../lib/log/segment.ts';

type ModelLine = { readonly id: number; readonly position: number; readonly text: string };

export class ModelLog implements LogView {
  lines: ModelLine[] = [];
  segments: Segment[] = [];
  keptFrom = 0;
  epoch = 0;
  /** Ends below which a later epoch may not cut: nothing limits it here, hosts crash as they like. */
  #epochs: Epoch[] = [];
  #nextId = 1;

  constructor() {
    this.restart(0);
  }

  get end(): number {
    const last = this.lines.at(-1);
    return last ? last.position + last.text.length : 0;
  }

  append(count: number): void {
    for (let i = 0; i < count; i++) {
      const id = this.#nextId++;
      this.lines.push({ id, position: this.end, text: `{"id":${id}${'.'.repeat(id % 5)}}\n` });
    }
  }

  /** A new writer; the host's crash took back the last `lost` lines. */
  restart(lost: number): void {
    this.lines.length = Math.max(0, this.lines.length - lost);
    this.keptFrom = Math.min(this.keptFrom, this.end);
    const base = this.end;
    this.epoch++;
    this.segments = this.segments.filter((segment) => segment.base < base);
    this.segments.push({ base, epoch: this.epoch });
    this.#epochs.push({
      epoch: this.epoch,
      startPosition: base,
      startLine: this.lines.length,
      node: 'model',
      pid: 1,
      openedUs: 1,
    });
  }

  roll(): void {
    if (this.segments.at(-1)!.base < this.end)
      this.segments.push({ base: this.end, epoch: this.epoch });
  }

  /** Retention: the first `count` of the kept lines go. */
  trim(count: number): void {
    const first = this.lines.findIndex((line) => line.position >= this.keptFrom);
    const kept = this.lines[first + count];
    if (first >= 0 && kept) this.keptFrom = kept.position;
  }

  head(): Slot {
    return {
      epoch: this.epoch,
      position: this.end,
      lines: this.lines.length,
      marks: 0,
      lastTimeUs: 0,
      oldest: this.keptFrom,
    };
  }
  epochs(): readonly Epoch[] {
    return this.#epochs;
  }
  oldest(): number {
    return this.keptFrom;
  }
  read(position: number, limit: number, maxBytes: number): Lines | undefined {
    const index = this.segments.findLastIndex((segment) => segment.base <= position);
    const end = Math.min(limit, this.segments[index + 1]?.base ?? Infinity);
    const from = this.lines.findIndex((line) => line.position === position);
    if (from < 0) return undefined;
    let text = '';
    for (let i = from; i < this.lines.length; i++) {
      const line = this.lines[i]!;
      const behind = line.position + line.text.length;
      if (behind > end || (text !== '' && behind - position > maxBytes)) break;
      text += line.text;
    }
    const bytes = Buffer.from(text);
    return { position, bytes, ends: lineEnds(bytes), segment: this.segments[index]! };
  }
  /** The last `count` lines, as a batch that is sent along with its notice. */
  tail(count: number): Lines {
    return this.read(this.lines.at(-count)!.position, this.end, Infinity)!;
  }
}
