/** The reading process of a latency run: stamps what arrives, and leaves the stamps when it is over. */
import { Arrivals } from '../arrivals.ts';
import { benchClock } from '../clock-process.ts';
import { writeColumn } from '../stamps-disk.ts';
import { transportNamed } from '../transport/registry.ts';
import type { ServerName } from '../transport/transport.ts';
import { measureUsage, type Usage } from '../usage-process.ts';
import { SETTLE_MS, isOrder, type Faults, type Job, type Told } from './message.ts';
import { standStill } from './stand-still-process.ts';

const tell = (told: Omit<Told, 'by'>): void => void process.send?.({ ...told, by: 'reader' });

/** Runs until the runner says that it is over. */
export async function runReader(job: Job): Promise<void> {
  const now = benchClock(job.baseNs);
  let heard = false;
  let stop: (() => Usage) | undefined;
  let usage: Usage | undefined;
  const arrivals = new WatchedArrivals(
    job.count,
    now,
    () => {
      if (!heard) tell({ bench: 'heard' });
      heard = true;
    },
    () => {
      usage = stop?.();
      tell({ bench: 'all' });
    },
    job.faults,
    (number) => {
      if (stop === undefined && number >= job.warm) stop = measureUsage();
    },
  );
  const finished = new Promise<void>((resolve) => {
    process.on('message', (message) => {
      if (!isOrder(message)) return;
      if (message.bench === 'finish') resolve();
      else if (message.bench === 'rest') setTimeout(() => (stop = measureUsage()), SETTLE_MS);
    });
  });
  const reading = await transportNamed(job.transport).read({
    folder: job.folder,
    size: job.size,
    servers: job.servers as Partial<Record<ServerName, string>>,
    now,
    arrivals,
    onParent: (take) => {
      process.on('message', (message) => {
        if (!isOrder(message)) take(message);
      });
    },
  });
  tell({ bench: 'ready' });
  await finished;
  usage ??= stop?.();
  await reading[Symbol.asyncDispose]();
  writeColumn(job.folder, 'noticed', arrivals.noticedNs);
  writeColumn(job.folder, 'read', arrivals.readNs);
  tell({ bench: 'done', account: arrivals.account(), ...(usage ? { usage } : {}) });
}

/** Arrivals with mishaps on purpose, and an eye on where the warm-up ends. */
class WatchedArrivals extends Arrivals {
  readonly #faults: Faults;
  readonly #onTake: (number: number) => void;

  constructor(
    count: number,
    now: () => number,
    onProbe: () => void,
    onAll: () => void,
    faults: Faults,
    onTake: (number: number) => void,
  ) {
    super(count, now, onProbe, onAll);
    this.#faults = faults;
    this.#onTake = onTake;
  }

  override take(number: number): void {
    const { stall, drop } = this.#faults;
    if (number === drop) return;
    super.take(number);
    if (number < this.readNs.length) this.#onTake(number);
    if (stall && number === stall.number) standStill(stall.ms);
  }
}
