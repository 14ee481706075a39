/** Every flow that the bench measures. */
import type { Flow } from './flow.ts';
import { tickmeshFlow } from './tickmesh.ts';
import { naiveFlow, zeromqFlow } from './zeromq.ts';

export const flows: readonly Flow[] = [zeromqFlow, naiveFlow, tickmeshFlow];
