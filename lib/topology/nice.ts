/**
 * How far writers stand back for those they tell. On a kernel that lets whoever wakes another run on (Linux's does, unless
 * the one that is woken has had less of the processor), a reader woken on its writer's core waits until the writer
 * sleeps, which takes longer than reading the record; and a virtual machine's idle core is asleep: it is not asked.
 * At niceness 5 the writer's time counts threefold, so that mostly the reader goes first. What it costs: beside other
 * busy programs of the same session, a quarter of a core instead of half of one.
 */
const WRITER_NICE = 5;

/** What is added to the niceness of a fetcher or replica by default. Elsewhere niceness means other things. */
export const writerNice = (platform: NodeJS.Platform): number =>
  platform === 'linux' ? WRITER_NICE : 0;

/** Of the setting, as editors show it. */
export const niceWords =
  'Added to its niceness: how far it stands back for other processes. Below 0 it needs the right to. ' +
  `Default on Linux: ${WRITER_NICE} for fetchers and replicas, so that readers they wake go first; else 0`;
