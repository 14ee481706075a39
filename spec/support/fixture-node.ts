/** A node that does as its settings say: the processes of the launch spec. */
import { runNode } from '../../lib/launch/node-process.ts';
import { TickmeshError, type ErrorCode } from '../../lib/world/error.ts';
import type { LogLevel } from '../../lib/world/logger.ts';

export type FixtureMode =
  | 'serve'
  | 'refuse'
  | 'defect'
  | 'flaky'
  | 'mute'
  | 'stubborn'
  | 'noisy'
  | 'done';
type FixtureSettings = {
  readonly node: string;
  readonly logLevel: LogLevel;
  readonly mode: FixtureMode;
};

const exitCode = await runNode<FixtureSettings>(async ({ mode }, { signal, logger, ready }) => {
  const told = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  // Something that keeps the process alive whatever else happens, as sockets would.
  setInterval(() => undefined, 1000);
  switch (mode) {
    case 'refuse':
      throw new TickmeshError('PORT_TAKEN' satisfies ErrorCode, 'port 7001 is taken', {
        remedy: 'choose another',
      });
    case 'defect':
      return void (undefined as unknown as { field: { of: string } }).field.of;
    case 'mute':
      return told;
    case 'flaky':
      ready();
      setImmediate(() => process.kill(process.pid, 'SIGKILL'));
      return told;
    case 'stubborn':
      ready();
      return new Promise(() => undefined);
    case 'noisy':
      logger.info({ offset: 2n ** 60n }, 'as JSON');
      process.stdout.write('as text \u001b[31mred\n');
      process.stderr.write('on the other stream\n');
      process.stdout.write('unfinished');
      ready({ note: 'said a lot' });
      return told;
    case 'done':
      return ready();
    case 'serve':
      ready({ urls: { WebSocket: 'ws://127.0.0.1:1' } });
      return told;
  }
});
process.exit(exitCode);
