/** The reading process of a latency run. Started by the bench, or by the writer, with its job as the only argument. */
import { runReader } from '../../lib/bench/notify/reader-process.ts';
import { role } from './role.ts';

await role('reader', runReader);
