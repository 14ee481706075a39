/**
 * What is wrong with a topology file and where: position, path, message, the line with a caret under the word, a hint.
 *
 *   topology.yaml:10:5  nodes.binance: unknown key "lisen"
 *      9 |     exchange: binance
 *   > 10 |     lisen: { port: 7001 }
 *        |     ^^^^^
 *      did you mean "listen"?
 */
export type Problem = {
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** Characters to underline. */
  readonly length: number;
  /** Dotted path of the value, "" for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hints: readonly string[];
};

const WIDTH = 100;
/** More would scroll the first ones, the causes, off the screen. */
const SHOWN_MAX = 20;

/** Text from a file is shown, never obeyed: control characters would steer the terminal. */
const printable = (text: string): string =>
  // eslint-disable-next-line no-control-regex
  text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, '\ufffd');

/** The problem's line with a caret under the word, and the line before it for orientation. */
function codeFrame(problem: Problem, lines: readonly string[]): string[] {
  const number = problem.line;
  const source = lines[number - 1] ?? '';
  // Long lines are cropped around the caret.
  const from = problem.column > WIDTH - 20 ? problem.column - 41 : 0;
  const crop = (line: string): string =>
    printable(line.replace(/\r$/, '').replaceAll('\t', ' ')).slice(from, from + WIDTH);
  const gutter = String(number).length;
  const shown = crop(source);
  const at = problem.column - 1 - from;
  const carets = Math.max(1, Math.min(problem.length, Math.max(1, shown.length - at)));
  const frame: string[] = [];
  const previous = lines[number - 2];
  if (previous !== undefined && previous.trim() !== '') {
    frame.push(`  ${String(number - 1).padStart(gutter)} | ${crop(previous)}`);
  }
  frame.push(`> ${number} | ${shown}`);
  frame.push(`  ${' '.repeat(gutter)} | ${' '.repeat(at)}${'^'.repeat(carets)}`);
  return frame;
}

/** All problems of a file as text for a terminal, in the order of the file. `text` is the file's own. */
export function formatProblems(file: string, text: string, problems: readonly Problem[]): string {
  const lines = text.split('\n');
  const out: string[] = [];
  for (const problem of problems.slice(0, SHOWN_MAX)) {
    const path = problem.path === '' ? '' : `${printable(problem.path)}: `;
    out.push(`${file}:${problem.line}:${problem.column}  ${path}${printable(problem.message)}`);
    out.push(...codeFrame(problem, lines));
    for (const hint of problem.hints) out.push(`   ${printable(hint)}`);
    out.push('');
  }
  const more = problems.length - SHOWN_MAX;
  if (more > 0) out.push(`… and ${more} more`, '');
  return out.join('\n');
}

/** By place in the file, and each said once. */
export function sortProblems(problems: readonly Problem[]): Problem[] {
  const seen = new Set<string>();
  return [...problems]
    .sort((a, b) => a.line - b.line || a.column - b.column)
    .filter((problem) => {
      const key = `${problem.line}:${problem.column}:${problem.message}`;
      return seen.has(key) ? false : Boolean(seen.add(key));
    });
}
