/** Catch-up and replicas: a copy that shares nothing with its source but sockets, and equals it byte for byte. */
import { fork } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { once } from 'node:events';
import { crc32 } from 'node:zlib';
import test from 'ava';
import fc from './support/property.ts';
import { Pull, Push } from 'zeromq';
import { Ahead } from '../lib/catchup/ahead.ts';
import { answer } from '../lib/catchup/answer.ts';
import { Budget } from '../lib/catchup/budget.ts';
import {
  decodeReply,
  decodeRequest,
  encodeReply,
  encodeRequest,
  type Reply,
  type Request,
} from '../lib/catchup/frames.ts';
import { CatchupServer } from '../lib/catchup/zeromq-server.ts';
import { openFeed } from '../lib/feed/feed.ts';
import { realFiles } from '../lib/log/disk-files.ts';
import { LogReader } from '../lib/log/disk-reader.ts';
import type { Files } from '../lib/log/files.ts';
import { writeLine } from '../lib/log/line.ts';
import type { LogName } from '../lib/log/name.ts';
import { segmentName } from '../lib/log/segment.ts';
import { encodeHeader, kinds } from '../lib/mesh/header.ts';
import { Agreement } from '../lib/replica/agreement.ts';
import { Completeness } from '../lib/replica/completeness.ts';
import { ReplicaLog } from '../lib/replica/disk-replica-log.ts';
import { discoverLogs } from '../lib/replica/discover-timer.ts';
import { realClock } from '../lib/world/clock.ts';
import {
  copyBy,
  endpoint,
  feedBy,
  inFolders,
  quotes,
  segmentsOf,
  serving,
  trades,
  until,
  wires,
  type Copying,
  type Fed,
} from './support/copies.ts';
import { ModelLog } from './support/model-log.ts';

/** Sockets, processes and clocks: one after another. */
const serially = test.serial;

const roll = { bytes: 200_000, ageMs: 1e9 };

/** Resolves when `log` has so many lines and the copy has them too. */
async function inStep(
  { fetcher }: Fed,
  { replica }: Copying,
  lines: number,
  log: LogName = trades,
): Promise<void> {
  const writer = fetcher.writers.get(log)!;
  await until(`${lines} lines are written`, () => writer.lines >= lines);
  await until(
    `${lines} lines are copied`,
    () => replica.positions.get(log) === writer.position,
    60_000,
  );
}

const events = ({ reports }: Copying): string[] => reports.map(({ event }) => event);

/** Everything a feed over `data` reads, as one hash, and the order of the records by log and position. */
async function readAll(
  data: string,
  logs: readonly string[],
): Promise<{ sha: string; records: number; order: string; late: number }> {
  const lines = createHash('sha256');
  const order = createHash('sha256');
  const feed = openFeed({ data, logs, from: 'start', until: 'end', notices: 'none' });
  for await (const { records } of feed) {
    for (const record of records) {
      lines.update(record.line);
      order.update(`${record.log} ${record.position}\n`);
    }
  }
  const { records, late } = feed.stats;
  return { sha: lines.digest('hex'), order: order.digest('hex'), records, late };
}

// ---------------------------------------------------------------------------------------------------- copies

serially('a replica equals its source, byte for byte and file by file', async (t) => {
  await inFolders(2, async (here, there) => {
    const by = wires();
    const fed = await feedBy({ data: here!, ...serving(by), roll });
    fed.source.push(trades, 5_000, 100);
    const copying = await copyBy(by, { data: there! });
    await inStep(fed, copying, 5_000);
    // And what is written from now on comes by itself, with the notices.
    const asked = fed.fetcher.server!.stats.requests;
    fed.source.push(trades, 5_000, 100);
    await inStep(fed, copying, 10_000);
    t.true(fed.fetcher.server!.stats.requests - asked < 25);
    t.true(Object.keys(segmentsOf(here!, trades)).length > 5);
    t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
    await copying.replica[Symbol.asyncDispose]();
    await fed.stop();
  });
});

serially(
  'a replica that joins 200,000 records late becomes equal while more are written',
  async (t) => {
    await inFolders(2, async (here, there) => {
      const by = wires();
      const fed = await feedBy({
        data: here!,
        ...serving(by),
        roll: { bytes: 4 << 20, ageMs: 1e9 },
      });
      fed.source.push(trades, 200_000);
      const writer = fed.fetcher.writers.get(trades)!;
      await until('all is written', () => writer.lines === 200_000, 60_000);
      const rssBefore = process.memoryUsage().rss;
      const startMs = performance.now();
      const copying = await copyBy(by, { data: there! });
      fed.source.push(trades, 20_000, 50);
      await inStep(fed, copying, 220_000);
      const seconds = (performance.now() - startMs) / 1_000;
      t.log(
        `${(writer.position / 1e6 / seconds).toFixed(0)} MB/s, ${(220_000 / seconds).toFixed(0)} records/s,`,
        `memory +${((process.memoryUsage().rss - rssBefore) / 1e6).toFixed(0)} MB`,
      );
      t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
      await copying.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially('a replica works over TCP too', async (t) => {
  await inFolders(2, async (here, there) => {
    const [catchup, feed, inbox] = await Promise.all([freeTcp(), freeTcp(), freeTcp()]);
    const by = { catchup: catchup!, feed: feed!, inbox: inbox! };
    const fed = await feedBy({ data: here!, ...serving(by), roll });
    fed.source.push(trades, 10_000);
    const copying = await copyBy(by, { data: there! });
    await inStep(fed, copying, 10_000);
    fed.source.push(trades, 1_000, 10);
    await inStep(fed, copying, 11_000);
    t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
    await copying.replica[Symbol.asyncDispose]();
    await fed.stop();
  });
});

async function freeTcp(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `tcp://127.0.0.1:${port}`;
}

serially(
  'a replica killed again and again in mid-catch-up resumes where it was, and becomes equal',
  async (t) => {
    await inFolders(2, async (here, there) => {
      const by = wires();
      const fed = await feedBy({
        data: here!,
        ...serving(by),
        roll: { bytes: 2 << 20, ageMs: 1e9 },
      });
      fed.source.push(trades, 60_000);
      const writer = fed.fetcher.writers.get(trades)!;
      await until('all is written', () => writer.lines === 60_000);
      const script = new URL('support/replica-process.js', import.meta.url);
      let reached = 0;
      for (let kill = 0; kill < 3; kill++) {
        const child = fork(script, [there!, by.feed, by.catchup, by.inbox], { silent: true });
        const from = reached;
        await new Promise<void>((resolve) => {
          child.stdout!.on('data', (text: Buffer) => {
            const position = Number(text.toString().trim().split('\n').at(-1));
            // It goes on from where it was killed, not from the start.
            if (position < from) t.fail(`fell back from ${from} to ${position}`);
            if (position > from + 200_000) {
              reached = position;
              resolve();
            }
          });
        });
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      t.true(reached > 600_000 && reached < writer.position, `${reached} of ${writer.position}`);
      const copying = await copyBy(by, { data: there! });
      await inStep(fed, copying, 60_000);
      t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
      await copying.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially(
  'a replica follows its source through restarts, whether it was there or not',
  async (t) => {
    await inFolders(2, async (here, there) => {
      const by = wires();
      let lines = 0;
      const run = async (): Promise<Fed> => {
        const fed = await feedBy({ data: here!, ...serving(by), roll });
        fed.source.push(trades, 1_000, 10);
        lines += 1_000;
        return fed;
      };
      let fed = await run();
      let copying = await copyBy(by, { data: there! });
      await inStep(fed, copying, lines);
      // There: the replica lives on.
      await fed.stop();
      fed = await run();
      lines++;
      await inStep(fed, copying, lines);
      t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
      // Not there: two restarts without it.
      await copying.replica[Symbol.asyncDispose]();
      for (let i = 0; i < 2; i++) {
        await fed.stop();
        fed = await run();
        lines++;
        await until('it is written', () => fed.fetcher.writers.get(trades)!.lines === lines);
      }
      copying = await copyBy(by, { data: there! });
      await inStep(fed, copying, lines);
      t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
      using reader = new LogReader(there!, trades);
      t.like(reader.head(), { epoch: 4, lines, marks: 3 });
      t.deepEqual(
        reader.epochs(4).map(({ epoch, node }) => `${epoch} ${node}`),
        ['1 replica', '2 replica', '2 replica', '4 replica'],
      );
      t.false(events(copying).includes('rewound'));
      await copying.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially(
  'with a third of the notices lost on the way a replica still gets everything',
  async (t) => {
    await inFolders(2, async (here, there) => {
      const by = wires();
      const fed = await feedBy({ data: here!, ...serving(by), roll });
      let random = 7;
      let dropped = 0;
      const copying = await copyBy(by, {
        data: there!,
        hear: () => {
          random = (random * 48_271) % 0x7fffffff;
          if (random % 3 === 0) dropped++;
          return random % 3 !== 0;
        },
      });
      for (let i = 1; i <= 20; i++) {
        fed.source.push(trades, 200, 5);
        await inStep(fed, copying, i * 200);
      }
      t.true(dropped > 100, `${dropped} dropped`);
      t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
      await copying.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially('without any notice a replica asks by itself', async (t) => {
  await inFolders(2, async (here, there) => {
    const by = wires();
    const fed = await feedBy({ data: here!, ...serving(by), roll });
    const rules = { silenceMs: 300, pollMs: 100, auditMs: 200, maxBytes: 8_192 };
    const copying = await copyBy(by, { data: there!, hear: () => false, rules });
    fed.source.push(trades, 500);
    await inStep(fed, copying, 500);
    await until('it knows', () => events(copying).includes('degraded'));
    // Many answers long: it goes on asking until there is no more.
    fed.source.push(trades, 5_000);
    await inStep(fed, copying, 5_500);
    t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
    await copying.replica[Symbol.asyncDispose]();
    await fed.stop();
  });
});

serially("a replica's torn tail is cut and copied again", async (t) => {
  await inFolders(2, async (here, there) => {
    const by = wires();
    const fed = await feedBy({ data: here!, ...serving(by) });
    fed.source.push(trades, 2_000);
    let copying = await copyBy(by, { data: there! });
    await inStep(fed, copying, 2_000);
    await copying.replica[Symbol.asyncDispose]();
    const file = join(there!, trades, segmentName({ base: 0, epoch: 1 }));
    const { size } = statSync(file);
    for (const hurt of [
      () => truncateSync(file, size - 5_017),
      () => appendFileSync(file, '{"t":1723161255'),
      () => appendFileSync(file, Buffer.alloc(4_096)),
    ]) {
      hurt();
      copying = await copyBy(by, { data: there! });
      await inStep(fed, copying, 2_000);
      t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
      await copying.replica[Symbol.asyncDispose]();
    }
    t.is(copying.reports.find(({ event }) => event === 'recovered')?.event, 'recovered');
    await fed.stop();
  });
});

serially(
  'what the source lost in a host crash is cut from the replica, told, and never read again',
  async (t) => {
    await inFolders(2, async (here, there) => {
      const by = wires();
      let fed = await feedBy({ data: here!, ...serving(by), roll: { bytes: 20_000, ageMs: 1e9 } });
      fed.source.push(trades, 1_000, 20);
      const copying = await copyBy(by, { data: there! });
      await inStep(fed, copying, 1_000);
      const before = await readAll(there!, [trades]);
      const full = copying.replica.positions.get(trades)!;
      // A reader on the replica's disk that has read all, and has the last segment open.
      const stop = new AbortController();
      const feed = openFeed({ data: there!, logs: [trades], from: 'start', signal: stop.signal });
      const held: string[] = [];
      let rewound = 0;
      const reading = (async () => {
        for await (const { records, events: told } of feed) {
          for (const event of told)
            if (event.state === 'rewound') {
              rewound += event.lines;
              held.length -= event.lines;
            }
          for (const record of records) held.push(record.line.toString('latin1'));
        }
      })();
      await until('the reader has all', () => held.length === 1_000);
      await fed.stop();
      // The host crashed: three whole segments and a part of one were never on the platter.
      const folder = join(here!, trades);
      const names = readdirSync(folder)
        .filter((name) => /^\d.*jsonl$/.test(name))
        .sort();
      for (const name of names.slice(-3)) rmSync(join(folder, name));
      truncateSync(join(folder, names.at(-4)!), 7_777);
      fed = await feedBy({ data: here!, ...serving(by), roll: { bytes: 20_000, ageMs: 1e9 } });
      const { recovered } = fed.fetcher.writers.get(trades)!;
      t.true(recovered.position < full - 50_000);
      fed.source.push(trades, 3_000, 20);
      await inStep(fed, copying, recovered.lines + 3_001);
      t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
      const told = copying.reports.find((what) => what.event === 'rewound');
      t.like(told, { from: recovered.position, to: full, lines: 1_000 - recovered.lines });
      // The reader on the replica's disk was told the same, and holds what the source holds.
      const now = await readAll(here!, [trades]);
      await until('the reader has all', () => held.length === now.records);
      t.is(rewound, 1_000 - recovered.lines);
      t.is(createHash('sha256').update(held.join(''), 'latin1').digest('hex'), now.sha);
      t.not(now.sha, before.sha);
      stop.abort();
      await reading;
      await copying.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially(
  'a replica of a replica equals the source, live and after both have restarted',
  async (t) => {
    await inFolders(3, async (here, there, beyond) => {
      const first = wires();
      const second = wires();
      const fed = await feedBy({ data: here!, ...serving(first), roll });
      fed.source.push(trades, 3_000);
      const open = async (): Promise<[Copying, Copying]> => [
        await copyBy(first, { data: there!, ...serving(second, 'mirror') }),
        await copyBy(second, { data: beyond!, node: 'mirror' }),
      ];
      let [middle, last] = await open();
      await inStep(fed, last, 3_000);
      fed.source.push(trades, 500, 5);
      await inStep(fed, last, 3_500);
      t.deepEqual(segmentsOf(beyond!, trades), segmentsOf(here!, trades));
      await middle.replica[Symbol.asyncDispose]();
      await last.replica[Symbol.asyncDispose]();
      fed.source.push(trades, 3_000);
      [middle, last] = await open();
      await inStep(fed, last, 6_500);
      t.deepEqual(segmentsOf(beyond!, trades), segmentsOf(here!, trades));
      t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
      await middle.replica[Symbol.asyncDispose]();
      await last.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially(
  "a feed over a replica's folder reads the same records in the same order as one over the source's",
  async (t) => {
    await inFolders(2, async (here, there) => {
      const by = wires();
      const logs = [trades, quotes];
      const fed = await feedBy({ data: here!, ...serving(by), roll }, logs);
      const copying = await copyBy(by, { data: there!, logs, feed: endpoint('feed') });
      await until('both are followed', () => copying.reports.length >= 4);
      // Follows live, by the replica's notices, both logs merged.
      const stop = new AbortController();
      const live = openFeed({ data: there!, logs, from: 'start', signal: stop.signal });
      const order = createHash('sha256');
      let read = 0;
      const reading = (async () => {
        for await (const { records } of live) {
          for (const record of records) order.update(`${record.log} ${record.position}\n`);
          read += records.length;
        }
      })();
      for (let i = 1; i <= 20; i++) {
        fed.source.push(trades, i, 1);
        fed.source.push(quotes, 50, 7);
        await inStep(fed, copying, i * 50, quotes);
        await inStep(fed, copying, (i * (i + 1)) / 2);
      }
      const source = await readAll(here!, logs);
      t.is(source.records, 210 + 1_000);
      t.deepEqual(await readAll(there!, logs), source);
      await until('the live feed has all', () => read === source.records);
      t.is(live.stats.late, 0);
      t.is(order.digest('hex'), source.order);
      t.true(live.stats.notices > 0);
      stop.abort();
      await reading;
      await copying.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially('a quiet log does not hold back the others of a replica', async (t) => {
  await inFolders(2, async (here, there) => {
    const by = wires();
    const logs = [trades, quotes];
    const fed = await feedBy({ data: here!, ...serving(by) }, logs);
    const copying = await copyBy(by, { data: there!, logs, feed: endpoint('feed') });
    fed.source.push(quotes, 1);
    await inStep(fed, copying, 1, quotes);
    const feed = openFeed({ data: there!, logs, from: 'end' });
    const batches = feed[Symbol.asyncIterator]();
    while (!feed.caughtUp) await batches.next();
    const waits: number[] = [];
    for (let i = 1; i <= 20; i++) {
      fed.source.push(trades, 1);
      const startMs = performance.now();
      for (let got = 0; got === 0;) got = (await batches.next()).value?.records.length ?? 1;
      waits.push(performance.now() - startMs);
    }
    waits.sort((a, b) => a - b);
    t.log(`median ${waits[10]!.toFixed(0)} ms, longest ${waits[19]!.toFixed(0)} ms`);
    // By heartbeats alone it would be up to a second, every time.
    t.true(waits[10]! < 200);
    await batches.return?.();
    await copying.replica[Symbol.asyncDispose]();
    await fed.stop();
  });
});

serially('a source that has trimmed its log is copied from the oldest line it keeps', async (t) => {
  await inFolders(2, async (here, there) => {
    const by = wires();
    let fed = await feedBy({ data: here!, ...serving(by), roll: { bytes: 20_000, ageMs: 1e9 } });
    fed.source.push(trades, 1_000, 20);
    await until('it is written', () => fed.fetcher.writers.get(trades)!.lines === 1_000);
    await fed.stop();
    const folder = join(here!, trades);
    const names = readdirSync(folder)
      .filter((name) => /^\d.*jsonl$/.test(name))
      .sort();
    for (const name of names.slice(0, 3)) rmSync(join(folder, name));
    fed = await feedBy({ data: here!, ...serving(by) });
    const writer = fed.fetcher.writers.get(trades)!;
    const { lines } = writer.recovered;
    fed.source.push(trades, 10);
    const copying = await copyBy(by, { data: there! });
    await inStep(fed, copying, lines + 11);
    t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
    t.is((await readAll(there!, [trades])).sha, (await readAll(here!, [trades])).sha);
    // How many lines there were before, the source tells once its end is reached.
    using reader = new LogReader(there!, trades);
    await until('the lines are counted', () => reader.head()?.lines === writer.lines);
    t.is(reader.head()!.oldest, writer.oldest);
    t.true(writer.oldest > 0);
    await copying.replica[Symbol.asyncDispose]();
    await fed.stop();
  });
});

serially(
  'a source begun anew is not mixed into an old copy: the replica stops and says so',
  async (t) => {
    await inFolders(3, async (here, there, aside) => {
      const by = wires();
      let fed = await feedBy({ data: here!, ...serving(by) });
      fed.source.push(trades, 1_000);
      const first = await copyBy(by, { data: there! });
      await inStep(fed, first, 1_000);
      await first.replica[Symbol.asyncDispose]();
      await fed.stop();
      const copied = segmentsOf(there!, trades);
      renameSync(join(here!, 'binance'), join(aside!, 'binance'));
      // Long enough that the old copy's end lies inside it.
      for (let epoch = 1; epoch <= 3; epoch++) {
        fed = await feedBy({ data: here!, ...serving(by) });
        fed.source.push(trades, 3_001, 3_001);
        await until('it is written', () => fed.fetcher.writers.get(trades)!.lines > epoch * 3_000);
        if (epoch < 3) await fed.stop();
      }
      const copying = await copyBy(by, { data: there! });
      await until('it is told', () => copying.reports.some((what) => 'error' in what));
      const told = copying.reports.find((what) => 'error' in what);
      t.is(told?.event, 'blocked');
      t.is(told && 'error' in told ? told.error.code : '', 'LOG_CORRUPT');
      t.regex(told && 'error' in told ? told.error.remedy! : '', /move this folder away/);
      t.deepEqual(segmentsOf(there!, trades), copied);
      await copying.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially('one replica a folder: the second is refused by name', async (t) => {
  await inFolders(1, async (there) => {
    const first = await copyBy(wires(), { data: there! });
    const error = await t.throwsAsync(copyBy(wires(), { data: there!, node: 'second' }));
    t.like(error, { code: 'LOG_LOCKED' });
    t.regex(error!.message, /node "replica"/);
    await first.replica[Symbol.asyncDispose]();
    const second = await copyBy(wires(), { data: there!, node: 'second' });
    await second.replica[Symbol.asyncDispose]();
  });
});

serially(
  'a log that the source does not have is told and waited for; the others are copied',
  async (t) => {
    await inFolders(2, async (here, there) => {
      const by = wires();
      const logs = [trades, quotes];
      const fed = await feedBy({ data: here!, ...serving(by) }, [trades]);
      fed.source.push(trades, 100);
      const copying = await copyBy(by, { data: there!, logs });
      await inStep(fed, copying, 100);
      await until('it is told', () => copying.reports.some(({ event }) => event === 'denied'));
      t.true(fed.fetcher.server!.stats.denied > 0);
      await until('the other is live', () => copying.replica.modes.get(trades) === 'live');
      // The one that is missing holds nothing back.
      t.is((await readAll(there!, logs)).records, 100);
      await copying.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially("a source's logs are found by listening to it", async (t) => {
  await inFolders(1, async (here) => {
    const by = wires();
    const fed = await feedBy({ data: here!, ...serving(by) }, [trades, quotes]);
    const { signal } = new AbortController();
    const find = (matches: (log: string) => boolean) =>
      discoverLogs({ feed: by.feed, matches, signal });
    const [all, some] = await Promise.all([
      find(() => true),
      find((log) => log.endsWith('/trade')),
    ]);
    t.deepEqual(all, [quotes, trades]);
    t.deepEqual(some, [trades]);
    t.deepEqual(
      await discoverLogs({
        feed: endpoint('nobody'),
        matches: () => true,
        signal: AbortSignal.timeout(50),
      }),
      [],
    );
    await fed.stop();
  });
});

// ---------------------------------------------------------------------------------------------------- bad company

const request = (over: Partial<Request> = {}): Buffer[] =>
  encodeRequest({
    node: 'replica',
    log: trades,
    ask: { lastEpoch: 0, position: 0, maxBytes: 1 << 20 },
    tag: 1,
    ...over,
  });

/** Connects and sends; resolves when all is handed to the socket. */
async function sendAll(to: string, messages: readonly (readonly Buffer[])[]): Promise<Push> {
  const push = new Push({ linger: 1_000, sendTimeout: 5_000 });
  push.connect(to);
  for (const parts of messages) await push.send([...parts]);
  return push;
}

serially('bytes that are no request are counted, and serving goes on', async (t) => {
  await inFolders(2, async (here, there) => {
    const by = wires();
    const fed = await feedBy({ data: here!, ...serving(by), roll });
    fed.source.push(trades, 1_000);
    const good = request();
    const flipped = Buffer.from(good[0]!);
    flipped[20]! ^= 1;
    const bad = [
      [Buffer.from('hello')],
      [Buffer.alloc(0)],
      good.slice(0, 2),
      [...good, Buffer.alloc(0)],
      [...good, Buffer.from('more')],
      [flipped, good[1]!, good[2]!],
      [good[0]!.subarray(0, 63), good[1]!, good[2]!],
      [good[0]!, Buffer.from('../../etc'), good[2]!],
      [good[0]!, good[1]!, Buffer.from('../../etc')],
      [good[0]!, good[1]!, Buffer.from('a/b/../../c')],
      [good[0]!, good[1]!, Buffer.alloc(4_000, 97)],
      [encodeHeader({ kind: kinds.CHUNK }), good[1]!, good[2]!],
      ...Array.from({ length: 200 }, (_, i) => [createHash('sha512').update(`${i}`).digest()]),
    ];
    const { stats } = fed.fetcher.server!;
    const push = await sendAll(by.catchup, bad);
    await until('all are counted', () => stats.invalid === bad.length);
    // Longer than any request: the stranger's connection is closed, ours is not.
    const huge = await sendAll(by.catchup, [[Buffer.alloc(1 << 20), good[1]!, good[2]!]]);
    const copying = await copyBy(by, { data: there! });
    await inStep(fed, copying, 1_000);
    t.is(stats.invalid, bad.length);
    t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
    push.close();
    huge.close();
    await copying.replica[Symbol.asyncDispose]();
    await fed.stop();
  });
});

serially(
  'bytes that are no answer, or that were not asked for, are counted and change nothing',
  async (t) => {
    await inFolders(2, async (here, there) => {
      const by = wires();
      const fed = await feedBy({ data: here!, ...serving(by), roll });
      fed.source.push(trades, 1_000);
      const copying = await copyBy(by, { data: there! });
      await inStep(fed, copying, 1_000);
      const position = copying.replica.positions.get(trades)!;
      const { client } = copying.replica;
      // A perfect answer but for the tag: whoever sent it was never asked.
      const echo = { lastEpoch: 1, asked: position, epoch: 2 };
      const bytes = lineOf(9_000_000_000_000_000, '{"forged":true}');
      const chunk: Reply = {
        log: trades,
        tag: 1,
        clockUs: 0,
        answer: {
          ...echo,
          kind: 'chunk',
          lines: { position, bytes, ends: [bytes.length], segment: { base: position, epoch: 2 } },
        },
      };
      const forged = [
        encodeReply(chunk),
        encodeReply({ ...chunk, answer: { ...echo, kind: 'cut', position: 0, linesBefore: 0 } }),
        encodeReply({ ...chunk, log: quotes }),
      ];
      const [head, name, lines] = encodeReply(chunk) as [Buffer, Buffer, Buffer];
      const bad = [
        [head],
        [head, name],
        [head, name, lines, lines],
        [head, name, Buffer.concat([lines, lines])],
        [head, name, lines.subarray(0, -1)],
        [Buffer.from('no'), name, lines],
        request(),
      ];
      const push = await sendAll(by.inbox, [...forged, ...bad]);
      await until(
        'all are counted',
        () => client!.stats.stray === forged.length && client!.stats.invalid === bad.length,
      );
      const huge = await sendAll(by.inbox, [[head, name, Buffer.alloc(8 << 20)]]);
      fed.source.push(trades, 1_000, 10);
      await inStep(fed, copying, 2_000);
      t.is(client!.stats.invalid, bad.length);
      t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
      push.close();
      huge.close();
      await copying.replica[Symbol.asyncDispose]();
      await fed.stop();
    });
  },
);

serially(
  'a name that was not declared gets nothing, and nobody can make us dial elsewhere',
  async (t) => {
    await inFolders(1, async (here) => {
      const by = wires();
      const fed = await feedBy({ data: here!, ...serving(by) });
      fed.source.push(trades, 100);
      // Where the stranger would like its answers.
      const strange = endpoint('stranger');
      const ear = new Pull();
      await ear.bind(strange);
      const declared = new Pull();
      await declared.bind(by.inbox);
      const push = await sendAll(by.catchup, [
        request({ node: 'stranger' }),
        request({ node: 'constructor' }),
        request({ node: '__proto__' as string }),
        request({ node: 'hasOwnProperty' }),
        [request()[0]!, Buffer.from(strange), request()[2]!],
        request({ log: 'binance/XRP-USDT/trade' }),
        request(),
      ]);
      const { server } = fed.fetcher;
      await until('the declared one is served', () => server!.stats.chunks === 1);
      const kindsHeard: number[] = [];
      for (let i = 0; i < 2; i++) kindsHeard.push((await declared.receive())[0]![3]!);
      t.deepEqual(kindsHeard, [kinds.DENIED, kinds.CHUNK]);
      // "__proto__" begins with "_" and is no name at all, neither is an endpoint.
      t.is(server!.stats.strangers, 3);
      t.is(server!.stats.invalid, 2);
      t.deepEqual(server!.dialled, ['replica']);
      ear.receiveTimeout = 100;
      await t.throwsAsync(ear.receive(), { code: 'EAGAIN' });
      push.close();
      ear.close();
      declared.close();
      await fed.stop();
    });
  },
);

serially(
  'a reader that asks in a circle is told to wait, and is served again afterwards',
  async (t) => {
    await inFolders(1, async (here) => {
      const fed = await feedBy({ data: here! });
      fed.source.push(trades, 10);
      await until('it is written', () => fed.fetcher.writers.get(trades)!.lines === 10);
      const to = endpoint('catchup');
      const inbox = endpoint('inbox');
      let nowMs = 0;
      await using server = await CatchupServer.bind({
        endpoint: to,
        readers: { replica: inbox },
        data: here!,
        logs: [trades],
        clockUs: () => 0,
        nowMs: () => nowMs,
        budget: { perSecond: 10, burst: 5 },
      });
      const declared = new Pull();
      await declared.bind(inbox);
      const push = new Push({ sendTimeout: 5_000 });
      push.connect(to);
      const ask = async () => {
        await push.send(request());
        return decodeReply((await declared.receive()) as Buffer[])!.answer;
      };
      for (let i = 0; i < 5; i++) t.is((await ask()).kind, 'chunk');
      const answer = await ask();
      t.like(answer, { kind: 'busy', retryMs: 100 });
      nowMs += 98;
      t.is((await ask()).kind, 'busy');
      nowMs += 2.1;
      t.is((await ask()).kind, 'chunk');
      t.is(server.stats.chunks, 6);
      push.close();
      declared.close();
      await fed.stop();
    });
  },
);

serially(
  'a reader that takes nothing costs the holder nothing, and gets all once it does',
  async (t) => {
    await inFolders(1, async (here) => {
      const by = wires();
      const fed = await feedBy({ data: here!, ...serving(by) });
      fed.source.push(trades, 50_000);
      await until('all is written', () => fed.fetcher.writers.get(trades)!.lines === 50_000);
      const push = new Push({ sendTimeout: 5_000 });
      push.connect(by.catchup);
      const { stats } = fed.fetcher.server!;
      // Nobody listens at the inbox: the first answer waits, the rest of the requests replace each other.
      for (let i = 0; i < 100; i++) await push.send(request());
      await until('all have come in', () => stats.requests === 100);
      await until('the answer is given up', () => stats.dropped > 0);
      t.true(stats.chunks <= 3, `${stats.chunks} chunks were read`);
      const inbox = new Pull();
      await inbox.bind(by.inbox);
      await push.send(request());
      t.is(decodeReply((await inbox.receive()) as Buffer[])?.answer.kind, 'chunk');
      push.close();
      inbox.close();
      await fed.stop();
    });
  },
);

// ---------------------------------------------------------------------------------------------------- the frames

function lineOf(timeUs: number, payload: string): Buffer {
  const into = Buffer.alloc(payload.length + 52);
  writeLine(into, 0, timeUs, timeUs, Buffer.from(payload, 'latin1'));
  return into;
}

const position = fc.maxSafeNat().map((n) => Math.floor(n / 2));
const epoch = fc.integer({ min: 1, max: 0xffffffff });
const part = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_-]{3,20}$/);
const logs = fc.tuple(part, part, part).map((parts) => parts.join('/'));
const chunk = fc
  .tuple(fc.array(fc.stringMatching(/^[ -~]{1,300}$/), { minLength: 1, maxLength: 20 }), position)
  .map(([payloads, at]) => {
    const lines = payloads.map((text, i) => lineOf(1_723_161_255_030_314 + i, text));
    let end = 0;
    return {
      position: at,
      bytes: Buffer.concat(lines),
      ends: lines.map((line) => (end += line.length)),
    };
  });
const replies: fc.Arbitrary<Reply> = fc
  .tuple(logs, fc.maxSafeNat(), epoch, fc.nat(), position, chunk, fc.nat(60_000), fc.nat(6))
  .map(([log, tag, by, lastEpoch, asked, lines, retryMs, which]) => {
    const echo = { lastEpoch, asked, epoch: by };
    const linesBefore = Math.floor(asked / 100);
    const segment = { base: Math.floor(lines.position / 2), epoch: Math.max(1, by - 1) };
    const common = { log, tag, clockUs: 0 };
    switch (which) {
      case 0:
        return { ...common, answer: { ...echo, kind: 'busy', retryMs } };
      case 1:
        return { ...common, answer: { ...echo, kind: 'denied' } };
      case 2:
        return {
          ...common,
          clockUs: asked,
          answer: { ...echo, kind: 'info', position: asked, linesBefore },
        };
      case 3:
        return {
          ...common,
          answer: { ...echo, asked: asked + 1, kind: 'cut', position: asked, linesBefore },
        };
      case 4:
        return {
          ...common,
          answer: { ...echo, kind: 'trimmed', position: asked + 1, linesBefore },
        };
      default:
        return {
          ...common,
          answer: { ...echo, asked: lines.position, kind: 'chunk', lines: { ...lines, segment } },
        };
    }
  });
const requests: fc.Arbitrary<Request> = fc.record({
  node: part,
  log: logs,
  ask: fc.record({ lastEpoch: fc.nat(), position, maxBytes: fc.nat() }),
  tag: fc.maxSafeNat(),
});

test('requests and answers survive the wire', (t) => {
  fc.assert(
    fc.property(requests, replies, (asked, reply) => {
      t.deepEqual(decodeRequest(encodeRequest(asked)), asked);
      t.deepEqual(decodeReply(encodeReply(reply)), reply);
      // Neither is ever taken for the other.
      t.is(decodeReply(encodeRequest(asked)), undefined);
      t.is(decodeRequest(encodeReply(reply)), undefined);
    }),
    { numRuns: 300 },
  );
});

test('a frame with any bit turned, any part added, cut or missing is no frame', (t) => {
  const hurt = (parts: readonly Buffer[], which: number, at: number): Buffer[] => {
    const copy = parts.map((one) => Buffer.from(one));
    const victim = copy[which % copy.length]!;
    switch (at % 4) {
      case 0:
        return copy.slice(0, -1);
      case 1:
        return [...copy, Buffer.alloc(0)];
      case 2:
        copy[which % copy.length] = victim.subarray(0, -1);
        return copy;
      default:
        victim[at % victim.length]! ^= 1 << (at % 8);
        return copy;
    }
  };
  fc.assert(
    fc.property(replies, fc.nat(), fc.nat(), (reply, which, at) => {
      const parts = encodeReply(reply);
      const decoded = decodeReply(hurt(parts, which, at));
      // The name is the one part without a sum of its own: a changed name is another log's, and nobody's.
      if (decoded) t.not(decoded.log, reply.log);
      else t.pass();
    }),
    { numRuns: 500 },
  );
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (parts) => {
      const buffers = parts.map((one) => Buffer.from(one));
      t.is(decodeReply(buffers), undefined);
      t.is(decodeRequest(buffers), undefined);
    }),
    { numRuns: 500 },
  );
});

test('a chunk whose lines are none is refused even if every sum is right', (t) => {
  const good = lineOf(1_723_161_255_030_314, '{"a":1}');
  const send = (bytes: Buffer, over: object = {}): Reply | undefined =>
    decodeReply([
      encodeHeader(
        {
          kind: kinds.CHUNK,
          epoch: 3,
          position: 100,
          length: bytes.length,
          count: 1,
          recordEpoch: 2,
          aux: 50,
          ...over,
        },
        bytes,
      ),
      Buffer.from(trades),
      bytes,
    ]);
  t.is(send(good)?.answer.kind, 'chunk');
  t.is(send(good, { count: 2 }), undefined);
  t.is(send(good, { count: 0 }), undefined);
  t.is(send(good, { count: 0xffffffff }), undefined);
  t.is(send(good, { aux: 101 }), undefined);
  t.is(send(good, { recordEpoch: 4 }), undefined);
  t.is(send(good, { recordEpoch: 0 }), undefined);
  t.is(send(good, { length: good.length - 1 }), undefined);
  t.is(send(good, { position: Number.MAX_SAFE_INTEGER }), undefined);
  t.is(send(good.subarray(0, -1)), undefined);
  t.is(send(Buffer.concat([good, Buffer.from('\n')]), { count: 2 }), undefined);
  t.is(send(Buffer.from('\n')), undefined);
  t.is(send(Buffer.alloc(0), { count: 0 }), undefined);
  t.is(send(Buffer.alloc(60, 10)), undefined);
});

// ---------------------------------------------------------------------------------------------------- pure parts

test('a budget lets a burst through, then a steady rate, however the clock jumps', (t) => {
  const budget = new Budget({ perSecond: 100, burst: 10 }, 0);
  let served = 0;
  for (let ms = 0; ms < 10_000; ms++) if (budget.take(ms) === 0) served++;
  t.true(Math.abs(served - 1_010) <= 2, `${served}`);
  const wait = budget.take(10_000);
  t.true(wait > 0 && wait <= 10);
  t.is(budget.take(10_000 + wait), 0);
  t.true(budget.take(5_000) > 0, 'a clock that steps back gives nothing');
});

test('what a holder has read ahead is what it would read now, whatever became of the log since', (t) => {
  let served = 0;
  fc.assert(
    fc.property(fc.array(fc.nat(99), { minLength: 10, maxLength: 60 }), (steps) => {
      const log = new ModelLog();
      const ahead = new Ahead();
      let ask = { lastEpoch: 1, position: 0, maxBytes: 64 };
      for (const step of steps) {
        if (step < 30) log.append(1 + (step % 10));
        else if (step < 35) log.restart(step - 30);
        else if (step < 38) log.roll();
        else if (step < 40) log.trim(2);
        else if (step < 60) ahead.read();
        else {
          const head = log.head();
          const now = answer(log, ask, head);
          const told = answer(ahead.over(log, head.epoch), ask, head);
          if (told.kind === 'chunk' && now.kind === 'chunk') {
            const { bytes } = told.lines;
            if (ahead.crcOf(told.lines) === crc32(bytes)) served++;
            t.deepEqual(bytes, now.lines.bytes.subarray(0, bytes.length));
            t.deepEqual(told.lines.segment, now.lines.segment);
          } else t.deepEqual(told, now);
          ahead.answered(log, ask, told);
          const lastEpoch = head.epoch;
          if (told.kind === 'chunk')
            ask = { ...ask, lastEpoch, position: ask.position + told.lines.bytes.length };
          else if ('position' in told) ask = { ...ask, lastEpoch, position: told.position };
        }
      }
    }),
    { numRuns: 2_000 },
  );
  t.true(served > 1_000, `${served} answers were ready`);
});

test('a copy never claims to be complete beyond what it holds', (t) => {
  // A log as pairs: a line at each position, received at a time; words are (position, clock) pairs of its history.
  fc.assert(
    fc.property(
      fc.array(fc.record({ waitUs: fc.nat(50), words: fc.nat(2), read: fc.nat(6) }), {
        minLength: 1,
        maxLength: 60,
      }),
      (steps) => {
        const complete = new Completeness();
        const times: number[] = [];
        let nowUs = 1_000;
        let read = 0;
        for (const step of steps) {
          nowUs += 1 + step.waitUs;
          times.push(nowUs);
          for (let i = 0; i < step.words; i++) complete.said(1, times.length, (nowUs += i));
          read = Math.min(times.length, read + step.read);
          const claimUs = complete.reached(1, read, times[read - 1] ?? 0);
          const nextUs = times[read];
          if (nextUs !== undefined)
            t.true(claimUs < nextUs, `claims ${claimUs}, has not ${nextUs}`);
        }
        // Once it holds all, the last word counts.
        complete.said(1, times.length, ++nowUs);
        complete.reached(1, times.length, times.at(-1)!);
        t.is(complete.reached(1, times.length, times.at(-1)!), nowUs);
      },
    ),
    { numRuns: 300 },
  );
});

test('a copy cut back to any line is as if the rest had never come', async (t) => {
  const lines = Array.from({ length: 30 }, (_, i) =>
    lineOf(1_000_000_000_000_000 + i, i % 7 === 3 ? 'null,"mark":"gap"' : `{"id":${i}}`),
  );
  const starts: number[] = [];
  let end = 0;
  for (const line of lines) {
    starts.push(end);
    end += line.length;
  }
  const segmentOf = (i: number) => ({ base: starts[Math.floor(i / 8) * 8]!, epoch: 1 });
  for (let keep = 0; keep <= 30; keep += 3) {
    await inFolders(2, async (cut, never) => {
      const open = (data: string) =>
        ReplicaLog.open({ data, log: trades, node: 'replica', clock: realClock });
      const fill = (log: ReplicaLog, from: number, to: number): void => {
        for (let i = from; i < to; i++) {
          const bytes = lines[i]!;
          const ends = [bytes.length];
          log.append({ position: starts[i]!, bytes, ends, segment: segmentOf(i) });
        }
      };
      const a = await open(cut!);
      a.enter(1);
      fill(a, 0, 30);
      a.announce();
      a.cut(starts[keep] ?? end);
      a.enter(2);
      a.announce();
      const b = await open(never!);
      b.enter(2);
      fill(b, 0, keep);
      b.announce();
      t.deepEqual(segmentsOf(cut!, trades), segmentsOf(never!, trades));
      const headOf = (data: string) => {
        using reader = new LogReader(data, trades);
        return reader.head();
      };
      t.deepEqual(headOf(cut!), headOf(never!));
      fill(a, keep, 30);
      fill(b, keep, 30);
      t.deepEqual(segmentsOf(cut!, trades), segmentsOf(never!, trades));
      await a.close();
      await b.close();
    });
  }
});

test('where each announcement must be on the platter, a segment is there before its successor begins', async (t) => {
  await inFolders(1, async (data) => {
    const synced: number[] = [];
    const files: Files = {
      ...realFiles,
      sync: (fd) => {
        synced.push(realFiles.size(fd));
        realFiles.sync(fd);
      },
    };
    const options = { data: data!, log: trades, node: 'r', clock: realClock, files };
    const log = await ReplicaLog.open({ ...options, syncSegments: true });
    log.enter(1);
    synced.length = 0;
    const bytes = lineOf(1_000_000_000_000_000, '{}');
    const next = lineOf(1_000_000_000_000_001, '{}');
    const ends = [bytes.length];
    // Both in one turn, at whose end only the second segment is synced.
    log.append({ position: 0, bytes, ends, segment: { base: 0, epoch: 1 } });
    t.deepEqual(synced, []);
    const segment = { base: bytes.length, epoch: 1 };
    log.append({ position: bytes.length, bytes: next, ends, segment });
    t.deepEqual(synced, [bytes.length]);
    await log.close();
  });
});

test('a cut that a full disk refuses leaves the copy as it was, and can be tried again', async (t) => {
  await inFolders(1, async (data) => {
    let full = false;
    const files: Files = {
      ...realFiles,
      write: (fd, bytes, offset, length, at) => {
        if (full) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
        return realFiles.write(fd, bytes, offset, length, at);
      },
    };
    const log = await ReplicaLog.open({
      data: data!,
      log: trades,
      node: 'r',
      clock: realClock,
      files,
    });
    log.enter(1);
    const lines = [0, 1, 2, 3].map((i) => lineOf(1_000_000_000_000_000 + i, '{}'));
    const { length } = lines[0]!;
    // Two segments of two lines each: the cut goes into the first.
    const fill = (from: number): void => {
      for (let i = from; i < 4; i++) {
        const segment = { base: i < 2 ? 0 : 2 * length, epoch: 1 };
        log.append({ position: i * length, bytes: lines[i]!, ends: [length], segment });
      }
    };
    fill(0);
    log.announce();
    const before = segmentsOf(data!, trades);
    full = true;
    t.throws(() => log.cut(length), { code: 'LOG_STALLED' });
    t.is(log.position, 4 * length);
    t.deepEqual(segmentsOf(data!, trades), before);
    full = false;
    log.cut(length);
    t.is(log.position, length);
    t.is(log.lines, 1);
    fill(1);
    t.deepEqual(segmentsOf(data!, trades), before);
    await log.close();
  });
});

test('a copy refuses bytes that do not continue it', async (t) => {
  await inFolders(1, async (data) => {
    const log = await ReplicaLog.open({ data: data!, log: trades, node: 'r', clock: realClock });
    log.enter(1);
    const bytes = lineOf(1_000_000_000_000_000, '{}');
    const ends = [bytes.length];
    log.append({ position: 0, bytes, ends, segment: { base: 0, epoch: 1 } });
    const next = lineOf(1_000_000_000_000_001, '{}');
    const add = (over: object) => () =>
      log.append({
        position: bytes.length,
        bytes: next,
        ends,
        segment: { base: 0, epoch: 1 },
        ...over,
      });
    const refused = { code: 'LOG_CORRUPT' };
    t.throws(add({ position: 0 }), refused);
    t.throws(add({ position: bytes.length + 1 }), refused);
    t.throws(add({ bytes }), refused, 'a time that does not rise');
    t.throws(add({ segment: { base: 1, epoch: 1 } }), refused);
    t.throws(add({ segment: { base: 0, epoch: 2 } }), refused);
    t.notThrows(add({}));
    await log.close();
    const name = segmentName({ base: 0, epoch: 1 });
    t.deepEqual(readFileSync(join(data!, trades, name)), Buffer.concat([bytes, next]));
  });
});

test('a copy that was away while a later writer took its last line back goes on; one of another log does not', (t) => {
  const line = Buffer.from('{"t":1,"a":1}\n');
  const other = Buffer.from('{"t":2,"a":2}\n');
  const agreement = new Agreement(1, { position: 177, line }, 0);
  const verdict = (bytes: Buffer, base: number, epoch: number): unknown =>
    agreement.judge({
      kind: 'chunk',
      lastEpoch: 1,
      asked: 177,
      epoch: 6,
      lines: { position: 177, bytes, ends: [bytes.length], segment: { base, epoch } },
    });
  t.is(verdict(line, 0, 1), 'agreed');
  t.is(verdict(other, 0, 1), 'foreign', 'the same writer, another line');
  t.is(verdict(other, 177, 2), 'agreed', 'taken back: the cut is heard next, and compared');
  t.is(verdict(other, 0, 2), 'foreign', 'nothing would be left to compare');
});
