/**
 * What libzmq turns away by itself where a socket binds: without a word to whoever receives from it, so it is counted here.
 * A message beyond the limit ends a connection just as a peer that leaves does; libzmq does not tell the two apart, and so
 * neither do we: both have `ended`.
 */
import type { Pull, XPublisher } from 'zeromq';
import { onEvent } from './events-zeromq.ts';

export type DoorStats = {
  /** Connections that never became a peer: garbage, silence, another protocol, another key. */
  readonly strange: number;
  /** Peers that left, or were cut for a message beyond the limit. */
  readonly ended: number;
};

export class Door implements DoorStats {
  strange = 0;
  ended = 0;

  /** Counts from now on what happens at `socket`, to be called before it binds. */
  watch(socket: XPublisher | Pull): void {
    // The end of a connection that failed is told right behind its failure.
    let failed = 0;
    onEvent(socket, (type) => {
      if (type.startsWith('handshake:error')) {
        this.strange++;
        failed++;
      } else if (type === 'disconnect') {
        if (failed > 0) failed--;
        else this.ended++;
      }
    });
  }
}

/** The doors of a node as one. */
export const doorsOf = (doors: readonly (DoorStats | undefined)[]): DoorStats => ({
  strange: doors.reduce((sum, door) => sum + (door?.strange ?? 0), 0),
  ended: doors.reduce((sum, door) => sum + (door?.ended ?? 0), 0),
});
