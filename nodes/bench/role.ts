/** A process of the bench: runs its part, tells when it fails, and never outlives whoever started it. */
import type { Job } from '../../lib/bench/notify/message.ts';

export async function role(
  by: 'reader' | 'writer',
  run: (job: Job) => Promise<void>,
): Promise<void> {
  process.on('disconnect', () => process.exit(0));
  // Ctrl-C reaches the whole group: the runner ends its processes itself.
  process.on('SIGINT', () => undefined);
  try {
    await run(JSON.parse(process.argv[2]!) as Job);
  } catch (error) {
    process.send?.({ bench: 'failed', by, why: (error as Error).stack ?? String(error) });
  }
}
