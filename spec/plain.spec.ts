/**
 * A mesh without keys, which lives on one computer: what another program there sends to its sockets by mistake or malice is
 * cut, counted and told, and the readers go on.
 */
import { connect, type Socket } from 'node:net';
import test from 'ava';
import { Push } from 'zeromq';
import { onEvent } from '../lib/mesh/events-zeromq.ts';
import { doorCounts, endedCounts } from '../nodes/counts.ts';
import { tellEnded, tellIncidents } from '../nodes/incidents-timer.ts';
import {
  copyBy,
  endpoint,
  feedBy,
  inFolders,
  segmentsOf,
  trades,
  until,
} from './support/copies.ts';

const portOf = (where: string): number => Number(where.slice(where.lastIndexOf(':') + 1));

function rawTcp(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.resume();
  return socket;
}

test('silence, garbage and messages beyond the limit are cut, counted and told, also without keys', async (t) => {
  await inFolders(2, async (here, there) => {
    const tcp = 'tcp://127.0.0.1:*';
    const inbox = endpoint('inbox');
    const fed = await feedBy({
      data: here!,
      feed: tcp,
      catchup: { endpoint: tcp, readers: { replica: inbox } },
    });
    const { source, fetcher } = fed;
    const feed = fetcher.announcer!.endpoint;
    const catchup = fetcher.server!.endpoints[0]!;
    const { replica } = await copyBy({ feed, catchup, inbox }, { data: there! });
    source.push(trades, 100);
    const doors = () => [fetcher.announcer?.door, fetcher.server?.door];
    const said: string[] = [];
    const tell = (_facts: unknown, text: string): void => void said.push(text);
    const logger = { warn: tell, info: tell } as unknown as Parameters<typeof tellEnded>[0] &
      Parameters<typeof tellIncidents>[0];
    using _ended = tellEnded(logger, () => endedCounts(...doors()));
    using _incidents = tellIncidents(logger, () => doorCounts(...doors()), undefined, 50);
    const strange = (): number => doorCounts(...doors())['connections that spoke nothing of ours']!;
    const ended = (): number =>
      endedCounts(...doors())['connections that left, or were cut for a message beyond the limit']!;

    // Silent: cut after the two seconds that a handshake may take.
    const silent = [feed, catchup].map((where) => rawTcp(portOf(where)));
    await until('they are cut', () => silent.every((socket) => socket.destroyed), 8_000);
    await until('silent peers are counted', () => strange() === 2, 5_000);
    // Garbage behind the first bytes of a greeting.
    const garbage = [feed, catchup].map((where) => rawTcp(portOf(where)));
    for (const socket of garbage)
      socket.write(Buffer.from(`\xff${'\0'.repeat(8)}\x7f${'Z'.repeat(60)}`, 'latin1'));
    await until('it is cut', () => garbage.every((socket) => socket.destroyed), 8_000);
    await until('garbage is counted', () => strange() === 4, 5_000);
    t.is(ended(), 0);
    // A peer that shakes hands and then sends 32 MiB where 4 KiB are allowed.
    const socket = new Push({ linger: 0, sendTimeout: 2_000 });
    let cut = 0;
    onEvent(socket, (type) => (cut += type === 'disconnect' ? 1 : 0));
    socket.connect(catchup);
    await socket.send(Buffer.alloc(32 << 20));
    await until('it is cut', () => cut > 0, 5_000);
    socket.close();
    await until('it is counted', () => ended() > 0, 5_000);
    const ofEnds = (): boolean => said.some((text) => text.startsWith('ended: '));
    await until('its end is told', ofEnds, 5_000);
    t.true(said.some((text) => /^turned away: \d connections that spoke nothing/.test(text)));
    t.is(fetcher.server!.stats.invalid, 0);

    source.push(trades, 100);
    const writer = fetcher.writers.get(trades)!;
    await until('all is written', () => writer.lines === 200, 10_000);
    const { position } = writer;
    await until('the replica has all', () => replica.positions.get(trades)! >= position, 10_000);
    t.deepEqual(segmentsOf(there!, trades), segmentsOf(here!, trades));
    await replica[Symbol.asyncDispose]();
    await fed.stop();
  });
});
