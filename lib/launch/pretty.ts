/**
 * A node's log line for people: time, node in its own colour, level, message, then the other fields.
 *
 *   19:22:01.123 binance-fetcher | WARN  cut a torn tail  log=binance/BTC-USDT/trade bytes=12
 */
import pc from 'picocolors';

type Colors = ReturnType<typeof pc.createColors>;
type Paint = (text: string) => string;

/** Colours that can be told apart on light and dark; red and yellow are left to errors and warnings. */
const palette = [
  'cyan',
  'green',
  'magenta',
  'blue',
  'cyanBright',
  'greenBright',
  'magentaBright',
] as const;
const levels: Record<number, string> = {
  10: 'TRACE',
  20: 'DEBUG',
  30: 'INFO ',
  40: 'WARN ',
  50: 'ERROR',
  60: 'FATAL',
};
/** Shown elsewhere in the line, or the same on every line. */
const shownElsewhere = new Set([
  'name',
  'hostname',
  'pid',
  'level',
  'msg',
  'time',
  'v',
  'err',
  'final',
  'node',
  'nodePid',
]);

export type LogRecord = {
  readonly level: number;
  readonly msg: string;
  readonly time: string;
  readonly [field: string]: unknown;
};

/** A line that a node wrote as a log record; whatever is none becomes the message of one. */
export function toRecord(line: string, node: string, isError: boolean, nowMs: number): LogRecord {
  if (line.startsWith('{')) {
    try {
      const parsed = JSON.parse(line) as Partial<LogRecord>;
      if (
        typeof parsed.level === 'number' &&
        typeof parsed.msg === 'string' &&
        typeof parsed.time === 'string'
      ) {
        return parsed as LogRecord;
      }
    } catch {
      // Not JSON: a line of text like any other.
    }
  }
  const time = new Date(nowMs).toISOString();
  return { name: node, level: isError ? 50 : 30, msg: line, time, v: 0 };
}

const text = (value: unknown): string =>
  typeof value === 'string'
    ? /^[^\s"=]+$/.test(value)
      ? value
      : JSON.stringify(value)
    : JSON.stringify(value);

type ShownError = {
  message?: string;
  code?: string;
  remedy?: string;
  stack?: string;
  cause?: ShownError;
};

/** An error's message unless said already, what to do, causes, and the stack of a defect. */
function errorLines(error: ShownError, message: string): string[] {
  const lines: string[] = [];
  if (error.message !== undefined && error.message !== message) lines.push(error.message);
  if (error.remedy !== undefined) lines.push(`-> ${error.remedy}`);
  if (error.stack !== undefined)
    lines.push(
      ...error.stack
        .split('\n')
        .slice(1)
        .map((at) => at.trim()),
    );
  for (let cause = error.cause; cause !== undefined; cause = cause.cause) {
    lines.push(`because: ${cause.message ?? text(cause)}`);
  }
  return lines;
}

/** Prints records of several nodes, names padded to one width. */
export class Pretty {
  readonly #colors: Colors;
  readonly #paints = new Map<string, Paint>();
  readonly #width: number;

  constructor(nodes: readonly string[], options: { readonly color: boolean }) {
    this.#colors = pc.createColors(options.color);
    this.#width = Math.max(0, ...nodes.map((node) => node.length));
    // By name and not by place in the file: a node keeps its colour when others come and go.
    const used = new Set<number>();
    for (const node of [...nodes].sort()) {
      let at =
        Buffer.from(node).reduce((sum, letter) => (sum * 31 + letter) % 997, 7) % palette.length;
      while (used.has(at) && used.size < palette.length) at = (at + 1) % palette.length;
      used.add(at);
      this.#paints.set(node, this.#colors[palette[at]!]);
    }
  }

  /** The node's name in its colour, padded. */
  prefix(node: string): string {
    const paint = this.#paints.get(node) ?? this.#colors.bold;
    return paint(node.padEnd(this.#width));
  }

  /** One record as one or more lines of text, without the last line feed. */
  format(node: string, record: LogRecord): string {
    const { dim, red, yellow } = this.#colors;
    const at = new Date(record.time);
    const time = Number.isNaN(at.getTime())
      ? ''
      : at.toTimeString().slice(0, 8) + at.toISOString().slice(19, 23);
    const word = levels[record.level] ?? String(record.level);
    const level = record.level >= 50 ? red(word) : record.level === 40 ? yellow(word) : dim(word);
    const fields = Object.entries(record)
      .filter(([key]) => !shownElsewhere.has(key))
      .map(([key, value]) => dim(`${key}=${text(value)}`));
    const head = `${dim(time)} ${this.prefix(node)} ${dim('|')} ${level} `;
    const first = `${head}${clean(record.msg)}${fields.length > 0 ? `  ${fields.join(' ')}` : ''}`;
    const error = record['err'] as ShownError | undefined;
    const more = typeof error === 'object' && error !== null ? errorLines(error, record.msg) : [];
    return [first, ...more.map((line) => `${head}  ${dim(clean(line))}`)].join('\n');
  }
}

/** Text of a node steers no terminal. */
const clean = (line: string): string =>
  // eslint-disable-next-line no-control-regex
  line.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g, '\ufffd').replace(/\n/g, ' ');
