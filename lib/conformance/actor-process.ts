/** An actor of the suite: one process that says, listens, writes or reads, and does as its standard input tells it. */
import { createInterface } from 'node:readline';
import type { LogWriter } from '../log/disk-writer.ts';
import type { HeaderFields } from '../mesh/header.ts';
import { kinds } from '../mesh/header.ts';
import { notifiersWith } from '../notifier/all.ts';
import { requireNotifier } from '../notifier/find.ts';
import type { Announcer, Listener, Notifier } from '../notifier/notifier.ts';
import type { FromActor, Stage, ToActor } from './message.ts';

const stage = JSON.parse(process.argv[2]!) as Stage;
const own: Notifier[] = [];
const open: AsyncDisposable[] = [];
const writers = new Map<string, { writer: LogWriter; said: HeaderFields[] }>();
const listeners = new Map<string, Listener>();
let announcer: Announcer | undefined;
let timeUs = 0;

const tell = (message: FromActor): void => {
  process.stdout.write(`${JSON.stringify(message)}\n`);
};

async function announce(logs: readonly string[]): Promise<void> {
  const { LogWriter } = await import('../log/disk-writer.ts');
  const { logName } = await import('../log/name.ts');
  const { realClock } = await import('../world/clock.ts');
  for (const log of logs) {
    const writer = await LogWriter.open({
      data: stage.data,
      log: logName(log),
      node: 'actor',
      clock: realClock,
    });
    open.push(writer);
    writers.set(log, { writer, said: [] });
    timeUs = Math.max(timeUs, writer.lastTimeUs, realClock.wallUs());
  }
  announcer = await requireNotifier(stage.endpoint, notifiersWith(own)).announce({
    endpoint: stage.endpoint,
    among: notifiersWith(own),
    onJoin: (log) => {
      const last = writers.get(log)?.said.at(-1);
      if (last) announcer?.announce(log, { ...last, kind: kinds.HEAD });
    },
  });
  open.push(announcer);
}

function say(log: string): void {
  const { writer, said } = writers.get(log)!;
  writer.stage(++timeUs, timeUs, Buffer.from(`{"i":${said.length}}`));
  const { length, count } = writer.write()!;
  writer.announce();
  const { epoch, lines, position } = writer;
  const fields = { kind: kinds.NOTICE, epoch, lines, position, length, count };
  said.push(fields);
  announcer!.announce(log, fields);
  tell({ is: 'said', log, epoch, position });
}

async function listen(id: string, logs: readonly string[] | 'all'): Promise<void> {
  const { LogReader } = await import('../log/disk-reader.ts');
  const { logName } = await import('../log/name.ts');
  listeners.set(
    id,
    await requireNotifier(stage.endpoint, notifiersWith(own)).listen({
      endpoint: stage.endpoint,
      among: notifiersWith(own),
      logs,
      folder: stage.data,
      onHeard: ({ log, header: { epoch, position } }) =>
        tell({ is: 'heard', id, log, epoch, position }),
      onRing: (log) => {
        if (log === undefined) return;
        using reader = new LogReader(stage.data, logName(log));
        const head = reader.head();
        if (head) tell({ is: 'heard', id, log, epoch: head.epoch, position: head.position });
      },
      onState: (state, why) =>
        tell({ is: 'state', id, state, ...(why ? { why: why.message } : {}) }),
    }),
  );
}

async function close(): Promise<void> {
  for (const listener of listeners.values()) await listener[Symbol.asyncDispose]();
  for (const one of open.reverse()) await one[Symbol.asyncDispose]();
  tell({ is: 'closed' });
  input.close();
}

async function act(message: ToActor): Promise<void> {
  switch (message.do) {
    case 'announce':
      await announce(message.logs);
      return tell({ is: 'open' });
    case 'say':
      return say(message.log);
    case 'repeat':
      return announcer!.announce(message.log, writers.get(message.log)!.said[message.said]!);
    case 'listen':
      await listen(message.id, message.logs);
      return tell({ is: 'open' });
    case 'leave':
      await listeners.get(message.id)?.[Symbol.asyncDispose]();
      listeners.delete(message.id);
      return tell({ is: 'closed' });
    case 'write': {
      const { write } = await import('./load-timer.ts');
      open.push(await write(stage, own, message, tell));
      return;
    }
    case 'read': {
      const { read } = await import('./check.ts');
      open.push(read(stage, own, message, tell));
      return;
    }
    case 'close':
      return close();
  }
}

if (stage.module !== undefined) {
  const { notifier } = (await import(stage.module)) as { notifier: Notifier };
  own.push(notifier);
}
const input = createInterface({ input: process.stdin });
let turn = Promise.resolve();
input.on('line', (line) => {
  turn = turn
    .then(() => act(JSON.parse(line) as ToActor))
    .catch((error: Error & { code?: string }) =>
      tell({ is: 'error', code: error.code, message: error.message }),
    );
});
// Without its suite an actor has no business here.
process.stdin.on('end', () => process.exit());
