/** How far this process stands back for others, as the command `nice` does it. */
import { getPriority, setPriority } from 'node:os';
import { TickmeshError } from '../world/error.ts';

const NICEST = 19;

/**
 * Adds to the niceness of this thread: those that were made before (sockets' own) keep theirs, so that what they carry
 * is not held up. Throws CONFIG_INVALID where the system refuses.
 */
export function standBack(nice: number): void {
  if (!nice) return;
  try {
    setPriority(Math.min(getPriority() + nice, NICEST));
  } catch (cause) {
    throw new TickmeshError('CONFIG_INVALID', `the system refuses nice: ${nice}`, {
      cause,
      facts: { nice },
      remedy: 'below 0 it needs the right to (root, or CAP_SYS_NICE); 0 to 19 needs none',
    });
  }
}
