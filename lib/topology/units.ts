/**
 * Durations and sizes as people write them, unit always present: `500ms`, `15m`, `64MB`. A bare number is refused, since
 * nobody can say later whether 500 meant milliseconds or seconds.
 *
 *   duration = number ( "us" / "ms" / "s" / "m" / "h" / "d" )
 *   size     = number ( "B" / "KB" / "MB" / "GB" / "TB" / "KiB" / "MiB" / "GiB" / "TiB" )
 *   number   = 1*9DIGIT [ "." 1*6DIGIT ]
 */
const msOf: Record<string, number> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const bytesOf: Record<string, number> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
  TiB: 1024 ** 4,
};

export const durationForm = /^(\d{1,9}(?:\.\d{1,6})?)(us|ms|s|m|h|d)$/;
export const sizeForm = /^(\d{1,9}(?:\.\d{1,6})?)(B|KB|MB|GB|TB|KiB|MiB|GiB|TiB)$/;

/** "15m" in milliseconds, with a fraction below one; undefined for any other form. */
export function parseDuration(text: string): number | undefined {
  const found = durationForm.exec(text);
  return found ? Number(found[1]) * msOf[found[2]!]! : undefined;
}

/** "64MB" in whole bytes; undefined for any other form. */
export function parseSize(text: string): number | undefined {
  const found = sizeForm.exec(text);
  if (!found) return undefined;
  const bytes = Math.round(Number(found[1]) * bytesOf[found[2]!]!);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** Milliseconds as one would write them: 500 is "500ms", 90000 is "90s", 900000 is "15m". */
export function formatDuration(ms: number): string {
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const size = msOf[unit]!;
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`;
  }
  return ms === 0 ? '0s' : `${Math.round(ms * 1000)}us`;
}

/** Bytes as one would write them: 64000000 is "64MB". */
export function formatSize(bytes: number): string {
  for (const unit of ['TB', 'GB', 'MB', 'KB'] as const) {
    const size = bytesOf[unit]!;
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return `${bytes}B`;
}
