/**
 * One watch a log, on its head file; and one on the folder of the clocks where several logs are merged, since there a
 * record may wait for a clock. The kernel folds equal events that nobody has read yet into one.
 *
 * Whether events come at all is judged by the files: a head that was modified, and whose watch said nothing of it even a
 * moment later, has been missed. While any log is missed the notifier is off; the next event that comes as it should
 * brings it back.
 */
import { statSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { TickmeshError } from '../../world/error.ts';
import { namedLogs } from '../logs.ts';
import type { Listener, ListenerOptions } from '../notifier.ts';

type Watched = {
  readonly log: string | undefined;
  readonly path: string;
  watcher?: FSWatcher;
  /** The file as last judged. */
  inode: number;
  mtimeMs: number;
  /** An event came since then. */
  stirred: boolean;
  /** It was modified without an event: it gets until the next look. */
  suspect: boolean;
  missed: boolean;
};

export type WatchingTimes = {
  /** How often it is judged, how long an event may take, and how often a missing file is looked for. */
  readonly judgeMs: number;
  readonly graceMs: number;
  readonly retryMs: number;
  /** How long it rests when the kernel has no watches left. */
  readonly restMs: number;
};
const defaultTimes: WatchingTimes = { judgeMs: 1_000, graceMs: 200, retryMs: 100, restMs: 30_000 };

/** What makes an event: `fs.watch`, unless a spec brings a file system without events. */
export type Watch = (path: string, onEvent: () => void) => FSWatcher;
const realWatch: Watch = (path, onEvent) => watch(path, { persistent: true }, onEvent);

export class WatchingListener implements Listener {
  readonly invalid = 0;
  readonly #options: ListenerOptions;
  readonly #times: WatchingTimes;
  readonly #watch: Watch;
  readonly #all: readonly Watched[];
  #timer: NodeJS.Timeout | undefined;
  #failed = false;
  #closed = false;

  constructor(options: ListenerOptions, times: Partial<WatchingTimes> = {}, watchFile = realWatch) {
    this.#options = options;
    this.#times = { ...defaultTimes, ...times };
    this.#watch = watchFile;
    const { folder, logs } = namedLogs(options);
    const watched = (log: string | undefined, path: string): Watched => ({
      log,
      path: join(folder, path),
      inode: -1,
      mtimeMs: -1,
      stirred: false,
      suspect: false,
      missed: false,
    });
    this.#all = logs.map((log) => watched(log, join(log, 'head')));
    if (logs.length > 1) this.#all = [...this.#all, watched(undefined, '.clocks')];
    this.#look();
  }

  /** Starts what is not watched, judges the rest, and says when to look again. */
  #look(): void {
    if (this.#closed) return;
    let dueMs = this.#times.judgeMs;
    try {
      for (const one of this.#all) {
        this.#judge(one);
        if (!one.watcher && !this.#start(one)) dueMs = Math.min(dueMs, this.#times.retryMs);
        if (one.suspect) dueMs = Math.min(dueMs, this.#times.graceMs);
      }
      this.#failed = false;
      this.#tell();
    } catch (error) {
      this.#stop();
      this.#failed = true;
      dueMs = this.#times.restMs;
      this.#options.onState?.('failed', explain(error));
    }
    this.#timer = setTimeout(() => this.#look(), dueMs);
  }

  /** False while there is no such file. Throws what the kernel refuses. */
  #start(one: Watched): boolean {
    const before = statSync(one.path, { throwIfNoEntry: false });
    if (!before) return false;
    try {
      one.watcher = this.#watch(one.path, () => this.#stir(one));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    one.watcher.on('error', () => this.#unwatch(one));
    const { ino, mtimeMs } = statSync(one.path, { throwIfNoEntry: false }) ?? before;
    one.inode = ino;
    one.mtimeMs = mtimeMs;
    one.stirred = one.suspect = false;
    // It may have been written before it was watched.
    this.#options.onRing?.(one.log);
    return true;
  }

  #stir(one: Watched): void {
    one.stirred = true;
    this.#options.onRing?.(one.log);
  }

  #judge(one: Watched): void {
    if (!one.watcher) return;
    const now = statSync(one.path, { throwIfNoEntry: false });
    if (!now || now.ino !== one.inode) {
      // Another file stands there: the old one's watch is worth nothing.
      this.#unwatch(one);
      return;
    }
    // A folder's own time says nothing of what is written in it.
    if (one.log === undefined || now.mtimeMs === one.mtimeMs) return;
    if (one.stirred || one.suspect) {
      one.missed = !one.stirred;
      one.suspect = false;
      one.stirred = false;
      one.mtimeMs = now.mtimeMs;
      if (one.missed) this.#options.onRing?.(one.log);
    } else one.suspect = true;
  }

  #unwatch(one: Watched): void {
    one.watcher?.close();
    delete one.watcher;
  }

  #tell(): void {
    if (this.#failed) return;
    const missed = this.#all.find((one) => one.missed);
    if (missed) this.#options.onState?.('off', new Error(`no events came for ${missed.path}`));
    else this.#options.onState?.('on');
  }

  #stop(): void {
    for (const one of this.#all) this.#unwatch(one);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#stop();
  }
}

/** The kernel's two limits have names that say nothing. */
function explain(error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  const limit =
    code === 'ENOSPC' ? 'max_user_watches' : code === 'EMFILE' ? 'max_user_instances' : undefined;
  if (limit === undefined) return error as Error;
  return new TickmeshError('BIND_FAILED', `no more files can be watched: ${message}`, {
    cause: error,
    remedy: `raise it: sysctl fs.inotify.${limit}; until then the files are polled`,
  });
}
