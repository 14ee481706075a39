/**
 * A mesh under load for as long as wanted, hurt by a random fault every few seconds, its guarantees asked after every
 * record, its memory and descriptors watched. Ends with one summary; rejects with what was broken.
 */
import { execFile } from 'node:child_process';
import { appendFileSync, mkdirSync, mkdtempSync, rmSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { LogReader } from '../../lib/log/disk-reader.ts';
import { segmentName } from '../../lib/log/segment.ts';
import { Random } from '../sim/random.ts';
import { Flapper } from './flapper.ts';
import type { Node } from './node.ts';
import { Vitals, type Memory, type Vital } from './vitals.ts';
import { MeshWorld } from './world.ts';

const run = promisify(execFile);

export type SoakOptions = {
  readonly seconds: number;
  readonly logs: number;
  /** Records a second of each log. */
  readonly perSecond: number;
  readonly faultEveryMs: number;
  readonly seed: number;
  /** Told of every fault. */
  readonly tell?: (what: string) => void;
  /** Told what each process holds, MiB, four times a second. */
  readonly sample?: (node: string, held: Memory) => void;
};

export type SoakSummary = {
  readonly seconds: number;
  readonly seed: number;
  readonly logs: number;
  readonly perSecond: number;
  /** Lines of all logs, each checked at two readers. */
  readonly lines: number;
  readonly linesPerSecond: number;
  readonly faults: Record<string, number>;
  readonly epochs: number;
  readonly segmentsDeleted: number;
  readonly vitals: Record<string, Vital>;
};

const ROLL_BYTES = 2 << 20;
/** Segments of a log that are kept: a minute at full rate. */
const KEEP = 8;
const WORST = /no space|ENOSPC/i;

export async function soak(options: SoakOptions): Promise<SoakSummary> {
  const { seconds, logs, perSecond, faultEveryMs, seed, tell = () => undefined } = options;
  const random = new Random(seed);
  const beginMs = performance.now();
  await using disk = await smallDisk(logs);
  await using flapper = await Flapper.open();
  await using world = new MeshWorld({
    logs,
    perSecond,
    rollBytes: ROLL_BYTES,
    keep: false,
    feed: flapper.endpoints,
    ...(disk && { data: disk.data }),
  });
  const vitals = new Vitals(world, options.sample);
  await world.start();
  const faults: Record<string, number> = {};
  const kinds = faultsOf(world, flapper, random, disk);
  let deleted = 0;
  const keeper = setInterval(() => {
    deleted += trim(world, world.data) + trim(world, world.copy);
  }, 1_000);
  try {
    const untilMs = performance.now() + seconds * 1_000;
    while (performance.now() < untilMs) {
      await sleep(Math.min(faultEveryMs, Math.max(0, untilMs - performance.now())));
      for (const { failure } of world.nodes) if (failure !== undefined) throw new Error(failure);
      if (performance.now() >= untilMs) break;
      const name = random.pick(Object.keys(kinds));
      tell(name);
      faults[name] = (faults[name] ?? 0) + 1;
      await kinds[name]!();
    }
    const lines = await world.settle(120_000);
    const tookSeconds = Math.round((performance.now() - beginMs) / 100) / 10;
    return {
      seconds: tookSeconds,
      seed,
      logs,
      perSecond,
      lines,
      linesPerSecond: Math.round(lines / tookSeconds),
      faults,
      epochs: world.epochs(world.logs[0]!).at(-1)!.epoch,
      segmentsDeleted: deleted,
      vitals: vitals.summary(),
    };
  } catch (cause) {
    throw new Error(
      `seed ${seed}, after ${Math.round((performance.now() - beginMs) / 1000)} s and ${JSON.stringify(faults)}: ${(cause as Error).message}`,
      { cause },
    );
  } finally {
    clearInterval(keeper);
  }
}

/** Deletes all but the newest segments, oldest first; how many. */
function trim(world: MeshWorld, data: string): number {
  let count = 0;
  for (const log of world.logs) {
    using reader = new LogReader(data, log);
    for (const segment of reader.segments.slice(0, -KEEP)) {
      unlinkSync(join(data, log, segmentName(segment)));
      count++;
    }
  }
  return count;
}

type Disk = { readonly data: string; fill(): void; free(): void } & AsyncDisposable;

/** A disk of its own for the writer, small enough to be filled; undefined where none can be mounted. */
async function smallDisk(logs: number): Promise<Disk | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'tickmesh-soak-'));
  const sizeMiB = 32 + logs * ((KEEP + 4) * (ROLL_BYTES >> 20));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeMiB}m`, 'tmpfs', folder]);
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const data = join(folder, 'data');
  const ballast = join(folder, 'ballast');
  mkdirSync(data);
  return {
    data,
    fill() {
      const piece = Buffer.alloc(4 << 20);
      try {
        for (;;) appendFileSync(ballast, piece);
      } catch (error) {
        if (!WORST.test((error as Error).message)) throw error;
      }
    },
    free: () => rmSync(ballast, { force: true }),
    async [Symbol.asyncDispose]() {
      await run('umount', ['-l', folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Each does its harm and undoes it; what it has hurt need not have recovered yet. */
function faultsOf(
  world: MeshWorld,
  flapper: Flapper,
  random: Random,
  disk: Disk | undefined,
): Record<string, () => Promise<void>> {
  const kill = async (node: Node, says: string): Promise<void> => {
    await node.kill();
    node.start();
    await node.until(says);
  };
  const stop = async (node: Node): Promise<void> => {
    node.signal('SIGSTOP');
    await sleep(2_000);
    node.signal('SIGCONT');
  };
  const { writer, reader, replica } = world;
  return {
    killWriter: () => kill(writer, 'ready'),
    killReader: () => kill(reader, 'ready'),
    killReplica: () => kill(replica, 'ready'),
    stopWriter: () => stop(writer),
    stopReader: () => stop(reader),
    stopReplica: () => stop(replica),
    dropNotices: async () => {
      reader.tell({ do: 'drop', ms: random.between(1_000, 5_000) });
      return Promise.resolve();
    },
    portFlaps: async () => {
      for (let i = random.between(1, 5); i > 0; i--) {
        await flapper.down();
        await sleep(random.between(10, 800));
        await flapper.up();
        await sleep(random.between(10, 200));
      }
    },
    ...(disk && {
      diskFull: async () => {
        disk.fill();
        try {
          await sleep(random.between(200, 1_500));
        } finally {
          disk.free();
        }
      },
    }),
  };
}
