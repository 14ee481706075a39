/** Clients of a bench: bare TCP sockets that upgrade and then count the frames that come, without reading them. */
import { connect } from 'node:net';
import type { ClientTask, FromClients, ToClients } from '../../lib/bench/publish-message.ts';
import { FrameCounter } from '../../lib/bench/frame-counter.ts';

const say = (what: FromClients): unknown => process.send?.(what);

process.once('message', ({ task }: ToClients) => run(task));

function run({ port, path, clients }: ClientTask): void {
  let open = 0;
  let ended = 0;
  const counters: FrameCounter[] = [];
  for (let i = 0; i < clients; i++) {
    const counter = new FrameCounter();
    counters.push(counter);
    const socket = connect(port, '127.0.0.1', () =>
      socket.write(
        `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
          'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n',
      ),
    );
    let upgraded = false;
    socket.on('data', (chunk) => {
      if (upgraded) {
        counter.take(chunk, 0);
        if (counter.closed) socket.end();
        return;
      }
      // The answer comes in one piece on a loopback.
      upgraded = true;
      counter.take(chunk, chunk.indexOf('\r\n\r\n') + 4);
      if (++open === clients) say({ open });
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      if (++ended < clients) return;
      const sum = (of: (one: FrameCounter) => number): number =>
        counters.reduce((total, one) => total + of(one), 0);
      say({ result: { frames: sum((one) => one.frames), bytes: sum((one) => one.bytes) } });
    });
  }
}
process.once('disconnect', () => process.exit());
