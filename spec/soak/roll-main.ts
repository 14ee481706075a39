/**
 * A writer that begins a new segment with every batch, a keeper beside it that deletes old ones, and readers that lag at
 * random, in processes of their own: a race over names. All lines have one length, so a line's number follows from its
 * position and no gap can hide anything.
 */
import {
  closeSync,
  openSync,
  readFileSync,
  readSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { openFeed } from '../../lib/feed/feed.ts';
import { realFiles } from '../../lib/log/disk-files.ts';
import { LogReader } from '../../lib/log/disk-reader.ts';
import { LogWriter } from '../../lib/log/disk-writer.ts';
import { ENVELOPE } from '../../lib/log/line.ts';
import { logName } from '../../lib/log/name.ts';
import { segmentName } from '../../lib/log/segment.ts';
import { realClock } from '../../lib/world/clock.ts';
import { Journal } from '../guarantees.ts';

const log = logName('test/ROLL-USD/trade');
const LINE = 128;
const DIGITS = LINE - ENVELOPE - '{"n":""}'.length;
const START_US = 1_723_161_255_000_000;

export type RollSettings =
  | {
      readonly role: 'writer';
      readonly data: string;
      readonly rolls: number;
      readonly perSecond: number;
      /** Segments that retention keeps. */
      readonly keep: number;
    }
  | { readonly role: 'readers'; readonly data: string; readonly count: number };

/** What one reader came to. */
export type Rolled = { lines: number; gaps: number; skipped: number; position: number };

const settings = JSON.parse(process.argv[2]!) as RollSettings;
const doneFile = join(settings.data, 'done');
const keptFile = join(settings.data, 'kept');

async function write({ data, rolls, perSecond, keep }: RollSettings & { role: 'writer' }) {
  const writer = await LogWriter.open({
    data,
    log,
    node: 'roll',
    roll: { bytes: 4_096, ageMs: 1e9 },
    sync: 'never',
    clock: realClock,
    // Whether it is on the platter is not the question here, and 100,000 syncs would be.
    files: { ...realFiles, syncAndClose: closeSync },
  });
  const reader = new LogReader(data, log);
  const kept = openSync(keptFile, 'w');
  const word = Buffer.alloc(8);
  const beginMs = performance.now();
  let number = 0;
  let segments = 1;
  for (let base = writer.segmentBase; segments < rolls;) {
    const count = 17 + Math.floor(Math.random() * 15);
    for (let i = 0; i < count; i++, number++) {
      const payload = `{"n":"${String(number).padStart(DIGITS, '0')}"}`;
      writer.stage(START_US + number, START_US + number, Buffer.from(payload));
    }
    writer.write();
    writer.announce();
    if (writer.segmentBase !== base) segments++;
    base = writer.segmentBase;
    if (segments % 8 === 0) {
      reader.oldest();
      const old = reader.segments.slice(0, -keep);
      for (const [i, segment] of old.entries()) {
        // Said before it is done: a reader that misses bytes can look whether they are really gone.
        word.writeDoubleLE(reader.segments[i + 1]!.base);
        writeSync(kept, word, 0, 8, 0);
        unlinkSync(join(data, log, segmentName(segment)));
      }
      const aheadMs = (segments / perSecond) * 1_000 - (performance.now() - beginMs);
      await (aheadMs > 1 ? sleep(aheadMs) : nextTurn());
    }
  }
  writeFileSync(doneFile, String(writer.position));
  await writer.close();
}

/** Up to where the keeper has deleted, or is about to. */
function deletedUpTo(): number {
  const fd = openSync(keptFile, 'r');
  try {
    const word = Buffer.alloc(8);
    return readSync(fd, word, 0, 8, 0) === 8 ? word.readDoubleLE() : 0;
  } finally {
    closeSync(fd);
  }
}

function finalPosition(): number {
  try {
    return Number(readFileSync(doneFile, 'utf8')) || Infinity;
  } catch {
    return Infinity;
  }
}

async function read(data: string, who: string): Promise<Rolled> {
  const journal = new Journal(who);
  const rolled: Rolled = { lines: 0, gaps: 0, skipped: 0, position: 0 };
  const rules = { auditMs: 1, pollMs: 1, silenceMs: 1e9 };
  const stop = new AbortController();
  const feed = openFeed({
    data,
    logs: [log],
    // Not 'start', which is the oldest there is: every byte from the first on is read or told of.
    from: { cursors: [{ log, epoch: 0, position: 0, lines: 0 }] },
    notices: 'none',
    rules,
    signal: stop.signal,
  });
  const watch = setInterval(() => {
    if (journal.held.position >= finalPosition()) stop.abort();
  }, 20);
  for await (const { records, events } of feed) {
    for (const event of events) {
      if (event.state !== 'gap') continue;
      journal.take({ is: 'gap', from: event.from, to: event.to });
      if (event.to > deletedUpTo())
        throw new Error(`${who}: told of a gap to ${event.to}, which is kept`);
      if (event.to % LINE !== 0) throw new Error(`${who}: a gap that ends inside a line`);
      rolled.gaps++;
      rolled.skipped += (event.to - event.from) / LINE;
    }
    for (const { position, line, timeUs, payload } of records) {
      const number = Number(payload.toString('latin1', 6, 6 + DIGITS));
      const right = line.length === LINE && number === position / LINE;
      const end = position + line.length;
      journal.take({ is: 'line', position, end, timeUs, number: right ? number : NaN });
      rolled.lines++;
    }
    const chance = Math.random();
    if (chance < 0.002) await sleep(Math.random() * 400);
    else if (chance < 0.05) await sleep(Math.random() * 10);
  }
  clearInterval(watch);
  rolled.position = journal.held.position;
  return rolled;
}

if (settings.role === 'writer') await write(settings);
else {
  const { data, count } = settings;
  const reads = Array.from({ length: count }, (_, i) => read(data, `reader ${process.pid}.${i}`));
  process.stdout.write(`${JSON.stringify(await Promise.all(reads))}\n`);
}
