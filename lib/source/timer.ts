/** How a source waits in the real world. */
import { setImmediate, setTimeout } from 'node:timers/promises';

/** Longest delay a timer takes before it overflows. */
const LONGEST_MS = 0x7fffffff;

/** Lets `ms` pass, or one turn of the event loop where nothing is left to wait for; returns early on abort. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  if (ms <= 0) return setImmediate();
  try {
    await setTimeout(Math.min(ms, LONGEST_MS), undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
