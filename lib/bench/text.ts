/** Figures and tables for people. Pure. */

/** Microseconds with about three digits: "61.2", "554", "50,392". */
export function usText(us: number | undefined): string {
  if (us === undefined || Number.isNaN(us)) return '';
  if (us < 100) return us.toFixed(1);
  return grouped(Math.round(us));
}

export const grouped = (value: number): string =>
  String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');

/** "2.3 M", "87 k", "420". */
export function rateText(perSecond: number): string {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)} M`;
  if (perSecond >= 1e4) return `${Math.round(perSecond / 1e3)} k`;
  return grouped(perSecond);
}

export const ratioText = (ratio: number): string =>
  ratio >= 100
    ? `${grouped(ratio)}x`
    : ratio >= 10
      ? `${ratio.toFixed(1)}x`
      : `${ratio.toFixed(2)}x`;

/** "0.53x [0.47 - 0.60]". */
export const spreadText = (
  spread: { median: number; min: number; max: number } | undefined,
  text: (value: number) => string = ratioText,
): string =>
  spread === undefined || Number.isNaN(spread.median)
    ? ''
    : `${text(spread.median)} [${text(spread.min)} - ${text(spread.max)}]`;

/** Rows with their columns under each other; the first column to the left, the others to the right. */
export function textTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, at) => Math.max(...all.map((row) => row[at]?.length ?? 0)));
  const format = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)))
      .join('  ')
      .trimEnd();
  return [format(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(format)]
    .map((row) => `${row}\n`)
    .join('');
}

/** The same as Markdown. */
export const markdownTable = (
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string =>
  [head, head.map((_, at) => (at === 0 ? '---' : '---:')), ...rows]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`)
    .join('');
