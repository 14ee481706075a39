/** Records that carry a number and nothing that does not follow from it: each can be checked wherever it turns up. */
import { setTimeout as sleep } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import type { LogName } from '../../lib/log/name.ts';
import {
  BATCH_RECORDS,
  type Source,
  type SourceContext,
  type SourceRecord,
} from '../../lib/source/source.ts';

const FORM = /^\{"n":(\d+),/;
const fill = 'abcdefghijklmnopqrstuvwxyz'.repeat(4);
const seeds = new Map<string, number>();

/** The payload of record `number` of `log`: 30 to 110 bytes. */
export function payloadOf(log: string, number: number): string {
  let seed = seeds.get(log);
  if (seed === undefined) seeds.set(log, (seed = crc32(log)));
  const mixed = (Math.imul(number + seed, 2_654_435_761) >>> 0) % 1_000_000_007;
  return `{"n":${number},"m":${mixed},"x":"${fill.slice(0, mixed % 80)}"}`;
}

/** The number of a payload of `log`; NaN when one byte of it is not what was written. */
export function numberOf(log: string, payload: Buffer): number {
  const text = payload.toString('latin1');
  const number = Number(FORM.exec(text)?.[1] ?? NaN);
  return text === payloadOf(log, number) ? number : NaN;
}

/**
 * So many records a second of each log, from where the log ends. It can be paused and let go. What it has fallen behind
 * (it was stopped) it makes up for a second's worth at the most.
 */
export class NumberedSource implements Source {
  readonly logs: readonly LogName[];
  readonly #perSecond: number;
  paused = false;

  constructor(logs: readonly LogName[], perSecond: number) {
    this.logs = logs;
    this.#perSecond = perSecond;
  }

  async *open(context: SourceContext): AsyncGenerator<readonly SourceRecord[]> {
    const { signal, clock } = context;
    const next = this.logs.map((log) => firstNumber(log, context));
    let dueMs = clock.monoMs();
    let batch: SourceRecord[] = [];
    while (!signal.aborted) {
      const nowMs = clock.monoMs();
      const count = Math.floor(((nowMs - dueMs) * this.#perSecond) / 1_000);
      dueMs = count > this.#perSecond ? nowMs : dueMs + (count * 1_000) / this.#perSecond;
      for (let i = 0; i < Math.min(count, this.#perSecond) && !this.paused; i++) {
        for (const [at, log] of this.logs.entries()) {
          batch.push({ log, payload: Buffer.from(payloadOf(log, next[at]!++), 'latin1') });
        }
        if (batch.length + this.logs.length > BATCH_RECORDS) {
          yield batch;
          batch = [];
        }
      }
      if (batch.length > 0) yield batch;
      batch = [];
      await sleep(4, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Goes on behind what the log holds; throws when that is not what was written. */
function firstNumber(log: LogName, context: SourceContext): number {
  const found = context.tail(log);
  if (!found || found.lines === found.marks) return 0;
  const [last] = found.backward();
  const number = found.lines - found.marks;
  if (!last || numberOf(log, last) !== number - 1)
    throw new Error(`${log} counts ${number} records and ends with ${last?.toString('latin1')}`);
  return number;
}
