/** Bars to the right, one a row, of one or more parts; with a length for its value, or in powers of ten. Pure; SVG text. */
import { escapeHtml } from './escape.ts';
import { decades, linearScale, logScale } from './scale.ts';

export type BarRow = {
  readonly title: string;
  readonly ours: boolean;
  /** Parts end to end; a single one in a chart in powers of ten. */
  readonly parts: readonly { readonly value: number; readonly title: string }[];
  /** Behind the bar. */
  readonly text: string;
};

export type BarChart = {
  readonly label: string;
  readonly rows: readonly BarRow[];
  readonly log?: boolean;
};

const WIDTH = 1000;
const LEFT = 390;
const RIGHT = 150;
const ROW = 26;
const BAR = 16;

export function barChart({ label, rows, log = false }: BarChart): string {
  const sums = rows.map(({ parts }) => parts.reduce((sum, { value }) => sum + value, 0));
  const edge = WIDTH - RIGHT;
  const marks = decades(sums);
  const x = log
    ? logScale(marks[0]!, marks.at(-1)!, LEFT, edge)
    : linearScale(0, Math.max(1e-9, ...sums), LEFT, edge);
  const height = rows.length * ROW + 8;
  const drawn = rows.map(({ title, ours, parts, text }, at) => {
    const top = at * ROW + 6;
    let from = 0;
    const pieces = parts.map(({ value, title: what }, part) => {
      const left = from === 0 ? LEFT : x(from);
      from += value;
      const width = Math.max(0, x(from) - left);
      return `<rect class="${ours ? 'bar ours' : 'bar'} part${part}" x="${left.toFixed(1)}" y="${top}" width="${width.toFixed(1)}" height="${BAR}" rx="2"><title>${escapeHtml(what)}</title></rect>`;
    });
    const end = (from > 0 ? x(from) : LEFT) + 8;
    return (
      `<text class="name${ours ? ' strong' : ''}" x="${LEFT - 10}" y="${top + 12}" text-anchor="end">${escapeHtml(title)}</text>` +
      `${pieces.join('')}<text class="tick" x="${end.toFixed(1)}" y="${top + 12}">${escapeHtml(text)}</text>`
    );
  });
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}">${drawn.join('')}</svg>`;
}
