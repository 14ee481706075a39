/** The inside of a task process. */
import type { Task, TaskContext, TaskMessage, TaskOrder, TaskStart } from './task.ts';

/** Runs the task that the command line names; ends when the runner says so or is gone. */
export async function serveTask(
  argument: string,
  tasks: Readonly<Record<string, Task<never, unknown>>>,
): Promise<void> {
  const { name, options } = JSON.parse(argument) as TaskStart;
  const tell = (message: TaskMessage): void => void process.send?.(message);
  const ordered = new Map<TaskOrder['task'], () => void>();
  const go = new Promise<void>((resolve) => ordered.set('go', resolve));
  const stopped = new Promise<void>((resolve) => ordered.set('stop', resolve));
  process.on('message', (order: TaskOrder) => ordered.get(order.task)?.());
  process.on('disconnect', () => ordered.get('stop')?.());
  const context: TaskContext = {
    ready(facts) {
      tell({ task: 'ready', facts });
      return go;
    },
    stopped,
  };
  try {
    const task = tasks[name];
    if (!task) throw new TypeError(`no task ${name}`);
    tell({ task: 'done', result: await task(options as never, context) });
  } catch (error) {
    tell({ task: 'failed', why: (error as Error).stack ?? String(error) });
  }
  await stopped;
}
