/**
 * What a node has turned away, said at most once a second however much it was: an attack must not fill the disk with
 * lines about it. Counts only rise; a line says by how much each has risen.
 */
import type { Logger } from '../lib/world/logger.ts';

export type Counts = Readonly<Record<string, number>>;

const EVERY_MS = 1_000;

/** Tells what has ended, as news: nobody was turned away. Not what ends with the node itself. */
export const tellEnded = (logger: Pick<Logger, 'info'>, read: () => Counts): Disposable =>
  tell(read, (risen, said) => logger.info(risen, `ended: ${said}`), EVERY_MS, false);

/** Starts to look at the counts of `read`, and tells what was turned away. `facts` are told with it. */
export function tellIncidents(
  logger: Pick<Logger, 'warn'>,
  read: () => Counts,
  facts: () => object = () => ({}),
  everyMs = EVERY_MS,
): Disposable {
  const look = (risen: Counts, said: string): void =>
    logger.warn({ ...risen, ...facts() }, `turned away: ${said}`);
  return tell(read, look, everyMs, true);
}

function tell(
  read: () => Counts,
  say: (risen: Counts, said: string) => void,
  everyMs: number,
  atLast: boolean,
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
    say(Object.fromEntries(risen), said);
  };
  const timer = setInterval(look, everyMs);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      if (atLast) look();
    },
  };
}
