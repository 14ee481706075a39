/** A writer that is the parent of its reader: it says its notices through a relay of its own, as an embedding program does. */
import { Relay } from '../../notifier/ipc/relay-process.ts';
import type { ProcessPort } from '../../notifier/notifier.ts';
import type { WriteContext } from './transport.ts';

/** The parent's end; the reader is at the other from now on. */
export function portToReader({ reader }: WriteContext): ProcessPort {
  if (!reader) throw new TypeError('this writer is not the parent of its reader');
  const relay = new Relay();
  relay.attach(reader);
  return relay.port();
}
