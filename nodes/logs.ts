/**
 * Which logs a publisher serves: those that the topology names outright, there or not yet (a client may subscribe before
 * the first record exists), and those that its patterns match once all its writers have opened theirs. A log that comes
 * later is served anew: clients are sent away (1001) and dial again, as they do with an exchange.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeContext } from '../lib/launch/node-process.ts';
import { clockPath } from '../lib/log/disk-clock.ts';
import { listLogs } from '../lib/log/disk-list.ts';
import { LogReader } from '../lib/log/disk-reader.ts';
import { logName, type LogName } from '../lib/log/name.ts';
import type { PublisherSettings } from '../lib/topology/node.ts';
import { logMatcher } from '../lib/topology/pattern.ts';

/** How often a folder is looked at: while its logs are waited for, and for logs that come later. */
const LOOK_MS = 100;
const LOOK_AGAIN_MS = 2_000;
/** Looks in vain before it says what it waits for. */
const PATIENCE = 20;

/** The logs to begin with; waits until there are some. [] when told to stop before. */
export async function firstLogs(
  settings: PublisherSettings,
  data: string,
  { signal, logger }: NodeContext,
): Promise<readonly LogName[]> {
  const { from, logs: patterns } = settings;
  const allNamed = namedIn(patterns).length === patterns.length;
  for (let looks = 1; !signal.aborted; looks++) {
    // A fetcher makes its clock when all its logs are open: with it, none of them is missed.
    const opened = allNamed || from.every(({ writer }) => existsSync(clockPath(data, writer)));
    const found = opened ? logsOf(settings, data) : [];
    if (found.length > 0) return found;
    if (looks === PATIENCE) logger.warn({ data, patterns }, 'no log to serve yet, waiting');
    await pause(LOOK_MS, signal);
  }
  return [];
}

/** All logs, once there are some that are not among `known`; undefined when told to stop before. */
export async function moreLogs(
  settings: PublisherSettings,
  data: string,
  known: readonly LogName[],
  signal: AbortSignal,
): Promise<readonly LogName[] | undefined> {
  if (namedIn(settings.logs).length === settings.logs.length) return undefined;
  let count = known.length;
  for (;;) {
    await pause(LOOK_AGAIN_MS, signal);
    if (signal.aborted) return undefined;
    const all = [...new Set([...known, ...logsOf(settings, data)])].sort();
    // Whoever makes logs makes several: not before no more came for a while.
    if (all.length > known.length && all.length === count) return all;
    count = all.length;
  }
}

const pause = (ms: number, signal: AbortSignal): Promise<unknown> =>
  sleep(ms, undefined, { signal }).catch(() => undefined);

/** Patterns that are names. */
const namedIn = (patterns: readonly string[]): LogName[] =>
  patterns.filter((pattern) => !pattern.includes('*')).map(logName);

/** Logs that it shall serve: named ones, and those of its writers that match a pattern. */
function logsOf({ from, logs: patterns }: PublisherSettings, data: string): LogName[] {
  const matches = logMatcher(patterns);
  const writers = new Set(from.map(({ writer }) => writer));
  const found = listLogs(data).filter(
    (log) => matches(log) && writers.has(writerOf(data, log) ?? ''),
  );
  return [...new Set([...namedIn(patterns), ...found])].sort();
}

/** Node that wrote a log last. */
function writerOf(data: string, log: LogName): string | undefined {
  using reader = new LogReader(data, log);
  return reader.epochs(reader.head()?.epoch ?? -1).at(-1)?.node;
}
