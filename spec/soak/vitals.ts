/** Memory and descriptors of processes that are killed now and then: is either growing with time? */
import type { Said } from './node-main.ts';

export type Vital = {
  readonly starts: number;
  readonly rssMaxMiB: number;
  /** Growth within a life, from all lives together (the first seconds of each left out). */
  readonly rssSlopeMiBPerHour: number;
  /** Mean of each fifth of the longest life: is it growing, or has it found its size? */
  readonly rssFifthsMiB: readonly number[];
  /**
   * The least that was held in each fifth, all garbage collected: a leak shows here, whatever is on its way just then and
   * however the allocator keeps its pages. [] for lives so short that a fifth is a look or two: a reader that is just
   * then catching up holds a chunk of every log.
   */
  readonly heldFifthsMiB: readonly number[];
  readonly fdsMax: number;
  readonly fdsSlopePerHour: number;
};

/** Where a process's memory is: `process.memoryUsage()`. */
export type Memory = {
  readonly rss: number;
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  readonly arrayBuffers: number;
  /** Of the heap and beside it, all garbage just collected: now and then only. */
  held?: number;
};
type Sample = Memory & { readonly life: number; readonly hours: number; readonly fds: number };

/** A life's first seconds: code is compiled, buffers find their size. */
const WARM_MS = 10_000;
/** Looks that a fifth must have for the least of them to say what is held. */
const HELD_LOOKS = 4;
/** What a process may hold more at the end of its life than at its beginning. */
const LEAK_MIB = 8;
const RSS_MAX_MIB = 384;
const FDS_MAX = 400;

/** What is wrong with it, if anything. Coarse on purpose: minutes show no slope of megabytes an hour, but they show a flood. */
export function complaint({ rssMaxMiB, fdsMax, heldFifthsMiB }: Vital): string | undefined {
  if (rssMaxMiB > RSS_MAX_MIB || fdsMax > FDS_MAX)
    return `held ${rssMaxMiB} MiB and ${fdsMax} descriptors`;
  const [first, , , , last] = heldFifthsMiB;
  return first !== undefined && last !== undefined && last - first > LEAK_MIB
    ? `holds more and more: ${heldFifthsMiB.join(', ')} MiB`
    : undefined;
}

/** A process that is started again and again, and says how it does. */
export type Watched = { readonly starts: number; onSaid: (said: Said) => void };

export class Vitals {
  readonly #samples = new Map<string, Sample[]>();
  readonly #nodes: Readonly<Record<string, Watched>>;
  readonly #nowMs: () => number;

  /** Listens to what the nodes say of themselves; `tell` gets every sample, MiB. */
  constructor(
    nodes: Readonly<Record<'writer' | 'reader' | 'replica' | 'far', Watched>>,
    tell: (node: string, held: Memory) => void = () => undefined,
    nowMs = () => performance.now(),
  ) {
    this.#nowMs = nowMs;
    const { writer, reader, replica, far } = nodes;
    this.#nodes = { writer, reader, replica, far };
    for (const [name, node] of Object.entries(this.#nodes)) {
      const samples: Sample[] = [];
      this.#samples.set(name, samples);
      let beganMs = 0;
      node.onSaid = (said) => {
        const atMs = this.#nowMs();
        if (said.event === 'ready') beganMs = atMs;
        if (said.event !== 'at' || atMs - beganMs < WARM_MS) return;
        const { memory, fds } = said as unknown as { memory: Memory; fds: number };
        const inMiB = Object.entries(memory).map(([what, bytes]) => [what, bytes / 2 ** 20]);
        const held = Object.fromEntries(inMiB) as Memory;
        samples.push({ life: node.starts, hours: atMs / 3_600_000, ...held, fds });
        tell(name, held);
      };
    }
  }

  summary(): Record<string, Vital> {
    const vitals: Record<string, Vital> = {};
    for (const [name, samples] of this.#samples) {
      const collected = samples.filter(({ held }) => held !== undefined);
      vitals[name] = {
        starts: this.#nodes[name]!.starts,
        rssMaxMiB: Math.round(Math.max(0, ...samples.map(({ rss }) => rss))),
        rssSlopeMiBPerHour: slope(samples, ({ rss }) => rss),
        rssFifthsMiB: fifths(samples, (part) => mean(part, ({ rss }) => rss)),
        heldFifthsMiB: fifths(
          collected,
          (part) => Math.min(...part.map(({ held }) => held ?? Infinity)),
          HELD_LOOKS,
        ),
        fdsMax: Math.max(0, ...samples.map(({ fds }) => fds)),
        fdsSlopePerHour: slope(samples, ({ fds }) => fds),
      };
    }
    return vitals;
  }
}

const mean = (samples: readonly Sample[], of: (sample: Sample) => number): number =>
  samples.reduce((sum, sample) => sum + of(sample), 0) / samples.length;

/** A figure for each fifth of the longest life; [] when one would have less than `least` samples. */
function fifths(
  samples: readonly Sample[],
  of: (part: readonly Sample[]) => number,
  least = 1,
): number[] {
  const lives = livesOf(samples);
  const [longest = []] = [...lives.values()].sort((a, b) => b.length - a.length);
  const size = Math.floor(longest.length / 5);
  if (size < least) return [];
  return [0, 1, 2, 3, 4].map((fifth) => {
    const part = longest.slice(fifth * size, (fifth + 1) * size);
    return Math.round(of(part) * 10) / 10;
  });
}

/** Least squares with one slope for all lives and a level for each. */
function slope(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const lives = livesOf(samples);
  let above = 0;
  let below = 0;
  for (const life of lives.values()) {
    const [hours, value] = [mean(life, (sample) => sample.hours), mean(life, of)];
    for (const sample of life) {
      above += (sample.hours - hours) * (of(sample) - value);
      below += (sample.hours - hours) ** 2;
    }
  }
  return below === 0 ? 0 : Math.round((above / below) * 10) / 10;
}

function livesOf(samples: readonly Sample[]): Map<number, Sample[]> {
  const lives = new Map<number, Sample[]>();
  for (const sample of samples) {
    const life = lives.get(sample.life);
    if (life) life.push(sample);
    else lives.set(sample.life, [sample]);
  }
  return lives;
}
