/** What a publisher's clients and its machine feel: how soon a first message comes, how much memory a long replay takes. Pure. */
import { carries } from '../percentile.ts';
import type { Resident } from '../publish-message.ts';
import { grouped } from '../text.ts';

/** How a client asks: by its URL (from the dial on), or by SUBSCRIBE over a connection that is open. */
export type FirstWay = 'url' | 'subscribe';

export type Serving = {
  /** Milliseconds from asking to the first message, over a log that gets 1,000 records a second. */
  readonly firstMs: Readonly<Record<FirstWay, readonly number[]>>;
  /** Resident memory of the server over a replay; undefined where that failed. */
  readonly resident: (Resident & { readonly records: number }) | undefined;
};

export const firstTitles: Readonly<Record<FirstWay, string>> = {
  url: 'by URL, with the dial and the handshake',
  subscribe: 'by SUBSCRIBE',
};

/** The value that `percentile` percent are not above; undefined where too few samples carry it. */
export function percentileMs(samples: readonly number[], percentile: number): number | undefined {
  if (!carries(samples.length, percentile)) return undefined;
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil((sorted.length * percentile) / 100) - 1)];
}

export const msText = (ms: number | undefined): string =>
  ms === undefined ? '' : `${ms.toFixed(1)} ms`;
export const mbText = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MB`;

export const firstHead = ['way', 'samples', 'p50', 'p90', 'p99', 'max'] as const;
export const firstRows = ({ firstMs }: Serving): string[][] =>
  (['url', 'subscribe'] as const).map((way) => [
    firstTitles[way],
    grouped(firstMs[way].length),
    ...[50, 90, 99].map((percentile) => msText(percentileMs(firstMs[way], percentile))),
    firstMs[way].length > 0 ? msText(Math.max(...firstMs[way])) : '',
  ]);

export const residentHead = ['records', 'start', 'second tenth', 'last tenth', 'max', 'slope'];
export const residentRows = ({ resident }: Serving): string[][] =>
  resident
    ? [
        [
          grouped(resident.records),
          mbText(resident.start),
          mbText(resident.early),
          mbText(resident.late),
          mbText(resident.peak),
          `${mbText(resident.slopePerMillion)} a million`,
        ],
      ]
    : [];
