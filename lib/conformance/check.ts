/** A feed over one notifier that checks what it gets: every number of every log, once, in order, and times that rise. */
import { openFeed } from '../feed/feed.ts';
import type { FeedBatch } from '../feed/record.ts';
import type { Notifier } from '../notifier/notifier.ts';
import type { FromActor, Stage, ToActor } from './message.ts';

/** How often it says how far it is, in records: more often than anybody wants to know, but no record twice. */
const REPORT_MS = 50;

export function read(
  { endpoint, data }: Stage,
  notifiers: readonly Notifier[],
  { logs, lost }: Extract<ToActor, { do: 'read' }>,
  tell: (message: FromActor) => void,
): AsyncDisposable {
  const stop = new AbortController();
  const feed = openFeed({
    data,
    logs,
    from: 'start',
    notices: [endpoint],
    notifiers,
    signal: stop.signal,
    hear: () => Math.random() >= lost,
  });
  const last: Record<string, number> = Object.fromEntries(logs.map((log) => [log, -1]));
  const lastOf: Record<string, number> = {};
  let lastUs = 0;
  // A writer that is killed between the heads of two logs leaves lines that nobody could know of. If its successor takes
  // longer than a feed waits for a silent writer, they come late: before the mark of the restart, and never else.
  const late = new Set<string>();
  let numbers = 0;
  let reportMs = 0;
  const take = ({ records, events }: FeedBatch): void => {
    for (const record of records) {
      const { log, timeUs, mark } = record;
      if (timeUs <= (lastOf[log] ?? 0)) tell({ is: 'wrong', what: `time fell within ${log}` });
      lastOf[log] = timeUs;
      if (timeUs <= lastUs) late.add(log);
      lastUs = Math.max(lastUs, timeUs);
      if (mark === 'restart') late.delete(log);
      if (mark !== undefined) continue;
      const { i } = record.json() as { i: number };
      const wanted = last[record.log]! + 1;
      if (i !== wanted) tell({ is: 'wrong', what: `${record.log}: ${i} instead of ${wanted}` });
      last[record.log] = i;
      numbers++;
    }
    for (const { state, log } of events)
      if (state === 'gap' || state === 'rewound' || state === 'damaged')
        tell({ is: 'wrong', what: `${state} in ${log}` });
    const nowMs = performance.now();
    if (nowMs - reportMs < REPORT_MS) return;
    reportMs = nowMs;
    report();
  };
  const report = (): void => {
    const told = Object.values(feed.stats.notifiers).reduce((sum, { heard }) => sum + heard, 0);
    tell({ is: 'read', last, records: numbers, told, late: [...late] });
  };
  const running = (async () => {
    for await (const batch of feed) take(batch);
  })().catch((error: Error) => tell({ is: 'wrong', what: error.message }));
  // Also what came since the last report, when nothing more comes.
  const timer = setInterval(report, 4 * REPORT_MS);
  tell({ is: 'open' });
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stop.abort();
      await running;
      await feed[Symbol.asyncDispose]();
    },
  };
}
