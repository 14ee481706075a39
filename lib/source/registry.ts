/** One line a source, loaded when it is first asked for. */
import type { SourceFactory } from './source.ts';

type Load = () => Promise<{ readonly source: SourceFactory }>;

export const sources = {
  synthetic: () => import('./synthetic/synthetic.ts'),
  capture: () => import('./capture/capture.ts'),
} satisfies Record<string, Load>;

export type SourceName = keyof typeof sources;
