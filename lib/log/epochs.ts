/**
 * epochs.jsonl: one line for each time the log was opened for writing, durable before that epoch's first byte.
 * It answers the one question a returning reader has: does what I hold still stand?
 *
 *   {"epoch":3,"startPosition":1234,"startLine":10,"node":"fetcher","pid":4711,"openedUs":1723161255030314,"feed":["ipc://@…","watching:"]}
 */
export type Epoch = {
  readonly epoch: number;
  /** Where this epoch begins: everything before it is from earlier ones and stands. */
  readonly startPosition: number;
  readonly startLine: number;
  /** Who writes: the node's name, its process, and since when (Unix microseconds). */
  readonly node: string;
  readonly pid: number;
  readonly openedUs: number;
  /** Where its notices can be heard: one endpoint, or a list of which a reader takes all it can. */
  readonly feed?: string | readonly string[];
};

/** Where the notices of an epoch's writer can be heard. One that says nothing can be watched on its own disk. */
export function feedsOf({ feed }: Pick<Epoch, 'feed'>): readonly string[] {
  const given: readonly unknown[] = Array.isArray(feed) ? feed : [feed ?? 'watching:'];
  return given.filter((endpoint) => typeof endpoint === 'string');
}

/** Parses the file's text; a torn last line is left out, a line of another form ends the table. */
export function parseEpochs(text: string): Epoch[] {
  const epochs: Epoch[] = [];
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  for (const line of whole.split('\n')) {
    if (line === '') continue;
    let entry: Partial<Epoch> | null;
    try {
      entry = JSON.parse(line) as Partial<Epoch> | null;
    } catch {
      break;
    }
    if (!Number.isSafeInteger(entry?.epoch) || !Number.isSafeInteger(entry?.startPosition)) break;
    epochs.push(entry as Epoch);
  }
  return epochs;
}

/**
 * Up to where bytes that agree with the lineage of `lastEpoch` still stand: the lowest start of all later epochs
 * (two restarts may have happened since), or `announced` when there is none. `lastEpoch` 0 holds nothing to doubt.
 */
export function standsUpTo(epochs: readonly Epoch[], lastEpoch: number, announced: number): number {
  let end = announced;
  if (lastEpoch === 0) return end;
  for (const entry of epochs) {
    if (entry.epoch > lastEpoch && entry.startPosition < end) end = entry.startPosition;
  }
  return end;
}

/** Lines before `position` where an epoch starts there; undefined when none does. */
export const linesAtStart = (epochs: readonly Epoch[], position: number): number | undefined =>
  epochs.findLast((entry) => entry.startPosition === position)?.startLine;
