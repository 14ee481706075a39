/**
 * What a node has turned away, said at most once a second however much it was: an attack must not fill the disk with
 * lines about it. Counts only rise; a line says by how much each has risen.
 */
import type { Logger } from '../lib/world/logger.ts';

export type Counts = Readonly<Record<string, number>>;

const EVERY_MS = 1_000;

/** Starts to look at the counts of `read`. `facts` are told with them. */
export function tellIncidents(
  logger: Pick<Logger, 'warn'>,
  read: () => Counts,
  facts: () => object = () => ({}),
  everyMs = EVERY_MS,
): Disposable {
  let before: Counts = {};
  const look = (): void => {
    const now = read();
    const risen = Object.entries(now)
      .map(([what, count]) => [what, count - (before[what] ?? 0)] as const)
      .filter(([, more]) => more > 0);
    before = now;
    if (risen.length === 0) return;
    const said = risen.map(([what, more]) => `${more} ${what}`).join(', ');
    logger.warn({ ...Object.fromEntries(risen), ...facts() }, `turned away: ${said}`);
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      look();
    },
  };
}
