/** What the machine did meanwhile, from /proc; zeros where there is no /proc. */
import { readFileSync } from 'node:fs';

type Ticks = { readonly total: number; readonly idle: number; readonly steal: number };

function ticks(): Ticks {
  try {
    const fields = readFileSync('/proc/stat', 'latin1').split('\n', 1)[0]!.split(/\s+/).slice(1, 9);
    const values = fields.map(Number);
    return {
      total: values.reduce((sum, value) => sum + value, 0),
      idle: values[3]! + values[4]!,
      steal: values[7]!,
    };
  } catch {
    return { total: 0, idle: 0, steal: 0 };
  }
}

/** Shares of all cores, 0..1, between the call and the call of what it returns. */
export function watchMachine(): () => { busy: number; steal: number } {
  const before = ticks();
  return () => {
    const after = ticks();
    const total = after.total - before.total;
    if (total <= 0) return { busy: 0, steal: 0 };
    return {
      busy: 1 - (after.idle - before.idle) / total,
      steal: (after.steal - before.steal) / total,
    };
  };
}

const TICK_MS = 10;

/** Processor time that a process has used so far, ms; undefined when it is gone. */
export function processCpuMs(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return undefined;
  }
}
