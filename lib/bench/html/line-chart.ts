/** Curves over a horizontal axis, latency upwards in powers of ten, each curve named at its right end. Pure; SVG text. */
import { escapeHtml } from './escape.ts';
import { lookOf } from './look.ts';
import { apart, decades, linearScale, logScale, timeLabel } from './scale.ts';

export type Curve = {
  /** Decides its look. */
  readonly name: string;
  readonly title: string;
  readonly points: readonly (readonly [x: number, us: number])[];
};

export type LineChart = {
  readonly label: string;
  readonly curves: readonly Curve[];
  /** Marks of the horizontal axis, rising. */
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
  readonly xTitle: string;
};

const WIDTH = 1000;
const LEFT = 64;
const RIGHT = 330;
const TOP = 12;
const BOTTOM = 46;
const LABEL = 13;

export function lineChart({ label, curves, ticks, xTitle }: LineChart): string {
  const drawn = curves.filter(({ points }) => points.length > 0);
  const height = Math.max(340, TOP + BOTTOM + drawn.length * (LABEL + 2));
  const floor = height - BOTTOM;
  const edge = WIDTH - RIGHT;
  const marks = decades(drawn.flatMap(({ points }) => points.map(([, us]) => us)));
  const x = linearScale(ticks[0]?.at ?? 0, ticks.at(-1)?.at ?? 1, LEFT, edge);
  const y = logScale(marks[0]!, marks.at(-1)!, floor, TOP);
  const rows = marks.map(
    (mark) =>
      `<line class="grid" x1="${LEFT}" x2="${edge}" y1="${place(y(mark))}" y2="${place(y(mark))}"/>` +
      `<text class="tick" x="${LEFT - 8}" y="${place(y(mark) + 4)}" text-anchor="end">${timeLabel(mark)}</text>`,
  );
  const columns = ticks.map(
    ({ at, label: text }) =>
      `<line class="grid" x1="${place(x(at))}" x2="${place(x(at))}" y1="${TOP}" y2="${floor}"/>` +
      `<text class="tick" x="${place(x(at))}" y="${floor + 18}" text-anchor="middle">${escapeHtml(text)}</text>`,
  );
  const ends = drawn.map(({ points }) => y(points.at(-1)![1]));
  const labels = apart(ends, LABEL + 1, TOP + 8, floor);
  const lines = drawn.map(({ name, title, points }, at) => {
    const { colour, dash, width } = lookOf(name);
    const path = points.map(([px, us]) => `${place(x(px))},${place(y(us))}`).join(' ');
    const endX = place(x(points.at(-1)![0]));
    const named = place(labels[at]!);
    return (
      `<g class="curve"><title>${escapeHtml(title)}</title>` +
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${dash}" stroke-linejoin="round"/>` +
      `<polyline class="leader" points="${endX},${place(ends[at]!)} ${edge + 6},${named} ${edge + 12},${named}" fill="none"/>` +
      `<line x1="${edge + 14}" x2="${edge + 36}" y1="${named}" y2="${named}" stroke="${colour}" stroke-width="${width}" stroke-dasharray="${dash}"/>` +
      `<text class="name" x="${edge + 42}" y="${place(labels[at]! + 4)}">${escapeHtml(shortly(title))}</text></g>`
    );
  });
  return (
    `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeHtml(label)}">` +
    `${rows.join('')}${columns.join('')}` +
    `<text class="axis" x="${(LEFT + edge) / 2}" y="${height - 6}" text-anchor="middle">${escapeHtml(xTitle)}</text>` +
    `${lines.join('')}</svg>`
  );
}

/** Without what nearly all have in common. */
const shortly = (title: string): string => title.replace(/(?: \+ append)? \+ read$/, '');

const place = (value: number): string => value.toFixed(1);
