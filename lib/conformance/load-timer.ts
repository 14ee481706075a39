/** A fetcher under load: numbers each log's records and goes on from the last one, whatever became of its predecessor. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Fetcher } from '../fetcher/fetcher.ts';
import { logName, type LogName } from '../log/name.ts';
import type { HeaderFields } from '../mesh/header.ts';
import type { Announcer, Notifier } from '../notifier/notifier.ts';
import type { Source, SourceContext, SourceRecord } from '../source/source.ts';
import { realClock } from '../world/clock.ts';
import type { FromActor, Stage, ToActor } from './message.ts';

type Load = Extract<ToActor, { do: 'write' }>;

/** Loses, repeats and delays a part of what is announced. */
function garble(announcer: Announcer, part: number): Announcer {
  let late: { log: string; fields: HeaderFields } | undefined;
  const announce = (log: string, fields: HeaderFields): void => {
    const chance = Math.random() / part;
    if (chance < 1 / 3) return;
    if (chance < 2 / 3) announcer.announce(log, fields);
    else if (chance < 1) {
      // The one before comes after this one.
      const before = late;
      late = { log, fields };
      if (before) announcer.announce(before.log, before.fields);
      return;
    }
    announcer.announce(log, fields);
  };
  return {
    endpoint: announcer.endpoint,
    announce,
    wantsData: (log) => announcer.wantsData(log),
    sendData: (log, fields, lines) => announcer.sendData(log, fields, lines),
    [Symbol.asyncDispose]: () => announcer[Symbol.asyncDispose](),
  };
}

class Numbers implements Source {
  readonly logs: readonly LogName[];
  readonly last: Record<string, number> = {};
  readonly #load: Load;
  readonly #tell: (message: FromActor) => void;

  constructor(load: Load, tell: (message: FromActor) => void) {
    this.#load = load;
    this.#tell = tell;
    this.logs = load.logs.map(logName);
  }

  async *open(context: SourceContext): AsyncGenerator<readonly SourceRecord[]> {
    const { signal } = context;
    const { perSecond, until } = this.#load;
    for (const log of this.logs) {
      const { value } = context.tail(log)?.backward().next() ?? {};
      this.last[log] = value === undefined ? -1 : (JSON.parse(String(value)) as { i: number }).i;
    }
    const startMs = performance.now();
    for (let sent = 0; !signal.aborted;) {
      const due = Math.floor(((performance.now() - startMs) / 1_000) * perSecond);
      const batch: SourceRecord[] = [];
      for (; sent < due; sent++) {
        const log = this.logs[sent % this.logs.length]!;
        if (this.last[log]! >= until) continue;
        batch.push({ log, payload: Buffer.from(`{"i":${++this.last[log]!}}`) });
      }
      if (batch.length > 0) yield batch;
      if (this.logs.every((log) => this.last[log]! >= until)) break;
      await sleep(1);
    }
    this.#tell({ is: 'written', last: this.last });
  }
}

export async function write(
  { endpoint, data }: Stage,
  notifiers: readonly Notifier[],
  load: Load,
  tell: (message: FromActor) => void,
): Promise<AsyncDisposable> {
  const source = new Numbers(load, tell);
  const fetcher = await Fetcher.open({
    node: 'load',
    data,
    source,
    feed: [endpoint],
    notifiers,
    through: (announcer) => garble(announcer, load.garbled),
    eventTimeUs: () => undefined,
    clock: realClock,
  });
  const stop = new AbortController();
  const running = fetcher.run(stop.signal);
  tell({ is: 'open' });
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await fetcher[Symbol.asyncDispose]();
    },
  };
}
