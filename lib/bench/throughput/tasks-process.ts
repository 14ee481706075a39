/** Both ends of a flow as tasks. */
import { setTimeout as sleep } from 'node:timers/promises';
import { benchClock } from '../clock-process.ts';
import type { Task } from '../task/task.ts';
import { measureUsage, type Usage } from '../usage-process.ts';
import { flows } from './flows.ts';

export type FlowOptions = {
  readonly flow: string;
  readonly folder: string;
  readonly size: number;
  readonly count: number;
  readonly baseNs: string;
};

export type FlowEnd = {
  /** When the first record was begun, or the last one taken; nanoseconds on the bench's clock. */
  readonly atNs: number;
  readonly records: number;
  readonly usage: Usage;
};

const flowNamed = (name: string) => flows.find((flow) => flow.name === name)!;

export const flowWrite: Task<FlowOptions, FlowEnd> = async (options, context) => {
  const now = benchClock(options.baseNs);
  const write = await flowNamed(options.flow).write({ ...options, now });
  await context.ready();
  const stop = measureUsage();
  const atNs = now();
  await write();
  const usage = stop();
  // What is on its way must still leave; the runner says when nobody waits for it any more.
  void context.stopped.then(() => process.exit(0));
  return { atNs, records: options.count, usage };
};

export const flowRead: Task<FlowOptions, FlowEnd> = async (options, context) => {
  const now = benchClock(options.baseNs);
  const read = await flowNamed(options.flow).read({ ...options, now });
  await context.ready();
  const stop = measureUsage();
  const records = await Promise.race([read(), sleep(60_000, 0)]);
  return { atNs: now(), records, usage: stop() };
};
