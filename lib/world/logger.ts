/**
 * Logs as bunyan JSON lines: state changes, never a line a message (a line costs 7 us and more, counters cost nothing).
 * Offsets and nanosecond stamps may be BigInt and errors have causes and remedies; bunyan knows neither by itself,
 * so records are serialised here. Each station takes one child: `logger.child({ station: 'log' }, true)`.
 */
import bunyan from 'bunyan';
import { TickmeshError } from './error.ts';

export type Logger = bunyan;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

const CAUSES_MAX = 5;

/** An error as plain fields, its causes nested. An error of ours is expected and comes without its stack. */
function errorFields(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error)) return error;
  const { code, errno, syscall } = error as NodeJS.ErrnoException;
  const ours = error instanceof TickmeshError;
  const fields: Record<string, unknown> = { name: error.name, message: error.message };
  if (code !== undefined) fields['code'] = code;
  if (errno !== undefined) fields['errno'] = errno;
  if (syscall !== undefined) fields['syscall'] = syscall;
  if (ours && error.remedy !== undefined) fields['remedy'] = error.remedy;
  if (ours && Object.keys(error.facts).length > 0) fields['facts'] = error.facts;
  if (!ours) fields['stack'] = error.stack;
  if (error.cause !== undefined && depth < CAUSES_MAX) {
    fields['cause'] = errorFields(error.cause, depth + 1);
  }
  return fields;
}

/** One record as one line of JSON with its line feed; BigInt becomes its digits, a circle becomes "[Circular]". */
function logLine(record: object): string {
  const plain = (_key: string, value: unknown): unknown =>
    typeof value === 'bigint' ? value.toString() : value;
  try {
    return `${JSON.stringify(record, plain)}\n`;
  } catch {
    const above: unknown[] = [];
    return `${JSON.stringify(record, function (this: unknown, key, value: unknown) {
      // `this` holds the value: whatever lies behind it on the path down is no longer above us.
      const at = above.indexOf(this);
      above.length = at + 1;
      if (typeof value === 'object' && value !== null) {
        if (above.includes(value)) return '[Circular]';
        above.push(value);
      }
      return plain(key, value);
    })}\n`;
  }
}

/** A logger named after its node. `write` gets whole lines. */
export function openLogger(options: {
  readonly node: string;
  readonly level?: LogLevel;
  readonly write: (line: string) => void;
}): Logger {
  const { node, level = 'info', write } = options;
  return bunyan.createLogger({
    name: node,
    serializers: { err: errorFields },
    streams: [
      { type: 'raw', level, stream: { write: (record: object) => write(logLine(record)) } },
    ],
  } as bunyan.LoggerOptions);
}

/** A logger that says nothing, for embedding and for specs. */
export const silentLogger: Logger = bunyan.createLogger({ name: 'silent', streams: [] });
