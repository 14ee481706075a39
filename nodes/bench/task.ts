/** A process of the bench that does one piece of work. Started by the bench, with the task as the only argument. */
import { copyLog, pullFile, pushFile, serveLog } from '../../lib/bench/catchup/tasks-process.ts';
import { replayTasks } from '../../lib/bench/replay/tasks-disk.ts';
import { serveTask } from '../../lib/bench/task/task-process.ts';
import { flowRead, flowWrite } from '../../lib/bench/throughput/tasks-process.ts';

// Ctrl-C reaches the whole group: the runner ends its processes itself.
process.on('SIGINT', () => undefined);
await serveTask(process.argv[2]!, {
  'flow-write': flowWrite,
  'flow-read': flowRead,
  'serve-log': serveLog,
  'copy-log': copyLog,
  'push-file': pushFile,
  'pull-file': pullFile,
  ...replayTasks,
});
// Sockets of a library may still be open: the work is done.
process.exit(0);
