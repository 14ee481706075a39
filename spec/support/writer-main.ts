/** What runs in the process of `writer-process.ts`. Ends when its standard input does. */
import { once } from 'node:events';
import { LogWriter } from '../../lib/log/disk-writer.ts';
import { TickmeshError } from '../../lib/world/error.ts';
import { realClock } from '../../lib/world/clock.ts';
import { START_US, payloadOf, trades } from './logs.ts';

type Settings = { readonly mode: 'hold' | 'limit'; readonly data: string; readonly node?: string };

const settings = JSON.parse(process.argv[2]!) as Settings;
const say = (event: string, more: object = {}): void => {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
};
const ended = once(process.stdin.resume(), 'end');

const open = (): Promise<LogWriter> =>
  LogWriter.open({
    data: settings.data,
    log: trades,
    node: settings.node ?? 'writer',
    clock: realClock,
  });

async function hold(): Promise<void> {
  await using writer = await open();
  say('open', { epoch: writer.epoch });
  await ended;
}

async function limit(): Promise<void> {
  await using writer = await open();
  try {
    for (let i = 0; ; i++) {
      writer.stage(START_US + i, START_US, Buffer.from(payloadOf(i)));
      if (i % 50 !== 49) continue;
      writer.write();
      writer.announce();
    }
  } catch (error) {
    if (!(error instanceof TickmeshError)) throw error;
    say('stalled', { code: error.code, errno: error.facts['errno'], position: writer.position });
  }
  await ended;
}

await { hold, limit }[settings.mode]();
