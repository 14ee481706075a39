/** The writing process of a latency run. Started by the bench, with its job as the only argument. */
import { runWriter } from '../../lib/bench/notify/writer-process.ts';
import { role } from './role.ts';

await role('writer', runWriter);
