/** Placeholder. */
import { z } from 'zod';
import type { SourceFactory } from '../source.ts';
export const source: SourceFactory = {
  settings: z.strictObject({}),
  make: () => ({ logs: [], open: async function* () {} }),
};
