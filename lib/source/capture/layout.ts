/**
 * How recorded files are laid out. A layout turns bytes into records; which one a file has is told by its first bytes
 * and its name. Adding one: a file here, a line in the registry below, its name in `settings.ts`.
 */
import { binanceCsv } from './binance-csv.ts';
import { cbcap } from './cbcap.ts';
import { cryptofeed } from './cryptofeed.ts';
import { hft } from './hft.ts';
import { krakenCsv } from './kraken-csv.ts';
import { ownLog } from './own-log.ts';
import type { Layout } from './decoder.ts';
import type { LayoutName } from './settings.ts';
import { type FileFacts, invalid } from './sink.ts';

export const layouts: Readonly<Record<LayoutName, Layout>> = {
  hft,
  cryptofeed,
  cbcap,
  log: ownLog,
  'binance-csv': binanceCsv,
  'kraken-csv': krakenCsv,
};

/** The layout of a file. Throws SOURCE_INVALID where none fits. */
export function layoutOf(facts: FileFacts, head: string): Layout {
  for (const layout of Object.values(layouts)) if (layout.matches(head, facts.name)) return layout;
  throw invalid(
    facts.path,
    1,
    head === '' ? 'an empty file' : 'a layout that is not known',
    `give a recorded file of one of these layouts, or name it: layout: ${Object.keys(layouts).join(' | ')}`,
  );
}
