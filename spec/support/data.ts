/** Real recorded data, which lives beside the checkout and is never part of it. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Folder of the recorded files. */
export const dataFolder = process.env['TICKMESH_DATA'] ?? resolve('../shared/data');

/** Path of a recorded file; undefined, with the reason logged, where it is absent. */
export function recorded(t: { log(...values: unknown[]): void }, name: string): string | undefined {
  const path = resolve(dataFolder, name);
  if (existsSync(path)) return path;
  t.log(`skipped: ${path} is absent (set TICKMESH_DATA to the folder of recorded data)`);
  return undefined;
}
