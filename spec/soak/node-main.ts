/**
 * One process of a world under test: a writer, a reader or a replica, made of the shipped parts. Its settings are its
 * argument; it is told what to do in lines of JSON on its standard input and says what happens in lines of JSON on its
 * standard output. Ends when its standard input does.
 */
import { readdirSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openFeed } from '../../lib/feed/feed.ts';
import { Fetcher } from '../../lib/fetcher/fetcher.ts';
import type { FollowerRules } from '../../lib/follower/state.ts';
import type { LogName } from '../../lib/log/name.ts';
import { Replica } from '../../lib/replica/replica.ts';
import { realClock } from '../../lib/world/clock.ts';
import { Journal, type Held } from '../guarantees.ts';
import { NumberedSource, numberOf } from './numbered.ts';
import { Sink } from './sink.ts';
import type { Memory } from './vitals.ts';

export type WriterSettings = {
  readonly role: 'writer';
  readonly data: string;
  readonly logs: readonly string[];
  readonly perSecond: number;
  readonly feed: string;
  readonly catchup: { readonly endpoint: string; readonly readers: Record<string, string> };
  readonly rollBytes: number;
};
export type ReaderSettings = {
  readonly role: 'reader';
  readonly data: string;
  readonly logs: readonly string[];
  /** The application's own folder; whether it keeps the lines. */
  readonly app: string;
  readonly keep: boolean;
  readonly notices?: 'auto' | 'none' | readonly string[];
  readonly rules?: Partial<FollowerRules>;
};
export type ReplicaSettings = {
  readonly role: 'replica';
  readonly data: string;
  readonly logs: readonly string[];
  readonly from: { readonly feed: string; readonly catchup: string };
  readonly inbox: string;
  readonly feed: string;
  readonly rules?: Partial<FollowerRules>;
};
export type NodeSettings = WriterSettings | ReaderSettings | ReplicaSettings;

export type End = { readonly position: number; readonly lines: number };
export type Ends = Readonly<Record<string, End>>;
export type Command =
  /** Writer: stop bringing records, say where the logs end. */
  | { readonly do: 'pause' }
  | { readonly do: 'resume' }
  /** Reader: hear no notices for so long; let the event loop stand still for so long. */
  | { readonly do: 'drop'; readonly ms: number }
  | { readonly do: 'block'; readonly ms: number }
  /** Reader: say "complete" once all of this was handed out. */
  | { readonly do: 'end'; readonly ends: Ends };

export type Said = { readonly event: string } & Record<string, unknown>;

const say = (event: string, more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};

const settings = JSON.parse(process.argv[2]!) as NodeSettings;
const stop = new AbortController();
let command: (what: Command) => void = () => undefined;
createInterface({ input: process.stdin })
  .on('line', (line) => command(JSON.parse(line) as Command))
  .on('close', () => stop.abort());

/** Collects all garbage: what is left is held. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const COLLECT_EVERY = 8;

/** Every now and then: how it goes, and what it costs. */
function report(more: () => object): void {
  let count = 0;
  setInterval(() => {
    const { rss, heapUsed, heapTotal, external, arrayBuffers } = process.memoryUsage();
    const memory: Memory = { rss, heapUsed, heapTotal, external, arrayBuffers };
    if (++count % COLLECT_EVERY === 0) {
      collect();
      const after = process.memoryUsage();
      memory.held = after.heapUsed + after.external;
    }
    say('at', { memory, fds: readdirSync('/proc/self/fd').length, ...more() });
  }, 250).unref();
}

async function writer({ logs, perSecond, rollBytes, ...rest }: WriterSettings): Promise<void> {
  const source = new NumberedSource(logs as LogName[], perSecond);
  await using fetcher = await Fetcher.open({
    node: 'writer',
    ...rest,
    source,
    roll: { bytes: rollBytes, ageMs: 1e9 },
    eventTimeUs: () => undefined,
    clock: realClock,
    report: (what) => {
      if (what.event !== 'recovered') say(what.event);
    },
  });
  const writers = [...fetcher.writers.values()];
  const ends = (): Ends =>
    Object.fromEntries(writers.map(({ log, position, lines }) => [log, { position, lines }]));
  command = (what) => {
    source.paused = what.do === 'pause';
    if (!source.paused) return;
    void (async () => {
      // What had been brought is written first.
      await sleep(20);
      while (writers.some(({ stagedBytes }) => stagedBytes > 0)) await sleep(5);
      say('paused', { ends: ends() });
    })();
  };
  say('ready');
  report(() => ({ records: fetcher.stats.records, serves: fetcher.server?.stats }));
  await fetcher.run(stop.signal);
}

async function reader(settings: ReaderSettings): Promise<void> {
  const { data, logs, app, keep, notices, rules } = settings;
  const sink = new Sink(app, logs, keep);
  const { before } = sink;
  const journals = new Map<string, Journal>();
  const held: Record<string, Held> = {};
  const who = app.split('/').at(-1)!;
  for (const log of logs) {
    const journal = new Journal(`${who} of ${log}`, before?.held[log]);
    journals.set(log, journal);
    const cursor = before?.cursors.find((one) => one.log === log);
    if (cursor) journal.take({ is: 'resumed', ...cursor });
  }
  let deafUntilMs = 0;
  const feed = openFeed({
    data,
    logs,
    from: before ? { cursors: before.cursors } : 'start',
    signal: stop.signal,
    hear: () => performance.now() >= deafUntilMs,
    ...(notices ? { notices } : {}),
    ...(rules ? { rules } : {}),
  });
  let ends: Ends | undefined;
  const complete = (): void => {
    if (!ends) return;
    for (const [log, journal] of journals) if (journal.held.position < ends[log]!.position) return;
    for (const [log, journal] of journals) journal.take({ is: 'end', ...ends[log]! });
    ends = undefined;
    say('complete', { records: feed.stats.records });
  };
  command = (what) => {
    if (what.do === 'drop') deafUntilMs = performance.now() + what.ms;
    else if (what.do === 'end') {
      ({ ends } = what);
      complete();
    } else if (what.do === 'block') {
      const untilMs = performance.now() + what.ms;
      while (performance.now() < untilMs);
      say('blocked');
    }
  };
  say('ready', { resumed: before !== undefined });
  report(() => ({ ...feed.stats }));
  let first = true;
  for await (const batch of feed) {
    for (const { log, position, line, timeUs, mark, payload } of batch.records) {
      const number = mark === undefined ? numberOf(log, payload) : undefined;
      const end = position + line.length;
      journals.get(log)!.take({ is: 'line', position, end, timeUs, number });
      sink.put(log, line);
    }
    for (const event of batch.events) {
      if (event.state === 'gap' || event.state === 'rewound') {
        const { log, state, ...facts } = event;
        say('told', event);
        if (state === 'gap') journals.get(log)!.take({ is: 'gap', from: facts.from, to: facts.to });
        else throw new Error(`${log} was taken back: ${JSON.stringify(facts)}`);
      } else if (event.state === 'degraded' || event.state === 'live')
        say(event.state, { log: event.log, atMs: realClock.monoMs() });
    }
    const cursors = batch.cursors();
    for (const cursor of cursors) {
      const journal = journals.get(cursor.log)!;
      journal.take({ is: 'bookmark', ...cursor });
      held[cursor.log] = { ...journal.held };
    }
    sink.commit(cursors, held);
    if (first && batch.records.length > 0) {
      first = false;
      say('going');
    }
    complete();
  }
}

async function replica({ logs, ...rest }: ReplicaSettings): Promise<void> {
  let before = Infinity;
  await using copying = await Replica.open({
    node: 'replica',
    logs,
    ...rest,
    clock: realClock,
    report: ({ event, ...facts }) => {
      if (event === 'gap' || event === 'rewound' || event === 'blocked')
        throw new Error(`${event}: ${JSON.stringify(facts)}`);
      if (event !== 'recovered') say(event, facts);
    },
  });
  const sum = (): number => [...copying.positions.values()].reduce((a, b) => a + b, 0);
  before = sum();
  say('ready');
  report(() => ({ position: sum(), ...copying.stats, asks: copying.client?.stats }));
  while (!stop.signal.aborted) {
    await sleep(5);
    if (sum() > before) {
      before = Infinity;
      say('going');
    }
  }
}

const broken = (error: unknown): never => {
  const { message, stack } = error as Error;
  say('broken', { message, stack });
  process.exit(1);
};
process.on('uncaughtException', broken);
try {
  if (settings.role === 'writer') await writer(settings);
  else if (settings.role === 'reader') await reader(settings);
  else await replica(settings);
} catch (error) {
  broken(error);
}
process.exit(0);
