/** What a process costs between two moments: processor time, waits, memory. */
export type Usage = {
  readonly cpuMs: number;
  readonly elapsedMs: number;
  /** Times that the process went to sleep by itself. */
  readonly waits: number;
  readonly rssBytes: number;
};

/** Starts measuring; the returned function stops and tells. */
export function measureUsage(): () => Usage {
  const cpu = process.cpuUsage();
  const waits = process.resourceUsage().voluntaryContextSwitches;
  const sinceMs = performance.now();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return {
      cpuMs: (user + system) / 1_000,
      elapsedMs: performance.now() - sinceMs,
      waits: process.resourceUsage().voluntaryContextSwitches - waits,
      rssBytes: process.memoryUsage.rss(),
    };
  };
}

/** Processor time as a share of one core, in percent. */
export const cpuPercent = ({ cpuMs, elapsedMs }: Usage): number =>
  elapsedMs > 0 ? (cpuMs / elapsedMs) * 100 : 0;
