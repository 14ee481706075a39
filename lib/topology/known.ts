/** What this installation can do: exchanges and sources, asked of their registries. */
import { exchanges } from '../exchange/registry.ts';
import { sources } from '../source/registry.ts';
import type { Known } from './schema.ts';

/** Loads every source's settings. Takes a while: only for reading a topology, never in a node. */
export async function loadKnown(): Promise<Known> {
  const loaded = await Promise.all(
    Object.entries(sources).map(async ([name, load]) => {
      const { source } = await load();
      return [name, source.settings] as const;
    }),
  );
  return { exchanges: Object.keys(exchanges), sources: Object.fromEntries(loaded) };
}
