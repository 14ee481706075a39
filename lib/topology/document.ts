/**
 * YAML text as plain values, with the place of every key and value remembered. What makes YAML hard to trust is refused
 * here: aliases and merge keys, tags, several documents, keys that are not text, duplicate keys, more than 1 MiB.
 */
import {
  LineCounter,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  parseAllDocuments,
  type Document,
  type ParsedNode,
  type YAMLError,
} from 'yaml';
import { interpolate } from './interpolate.ts';
import type { Problem } from './problem.ts';

export type Path = readonly (string | number)[];
/** Tells a problem at a key or a value. */
export type Say = (at: 'key' | 'value', path: Path, message: string, ...hints: string[]) => void;
type Place = { readonly line: number; readonly column: number; readonly length: number };

/** Values of a file and where they stand. */
export type Located = {
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Variables that the file refers to. */
  readonly variables: ReadonlySet<string>;
  /** Place of the value at `path`, or of the nearest value around it. */
  valueAt(path: Path): Place;
  /** Place of the last key of `path`, or of the nearest key around it. */
  keyAt(path: Path): Place;
  /** The value as written, where it came from a variable: `${TICKMESH_BINANCE_PORT}`. */
  writtenAt(path: Path): string | undefined;
};

export const TOPOLOGY_BYTES_MAX = 1 << 20;
const DEPTH_MAX = 32;
/** Characters in a line. */
const LINE_MAX = 4000;
const TOO_DEEP = 'nested too deep';

const keyOf = (path: Path): string => path.map((part) => `${typeof part}:${part}`).join('\u0000');
export const dotted = (path: Path): string => path.join('.');

class Reader {
  readonly problems: Problem[] = [];
  readonly variables = new Set<string>();
  readonly values = new Map<string, Place>();
  readonly keys = new Map<string, Place>();
  readonly written = new Map<string, string>();
  readonly #counter: LineCounter;
  readonly #env: Readonly<Record<string, string | undefined>>;

  constructor(counter: LineCounter, env: Readonly<Record<string, string | undefined>>) {
    this.#counter = counter;
    this.#env = env;
  }

  place(from: number, to: number): Place {
    const { line, col } = this.#counter.linePos(from);
    return { line: Math.max(1, line), column: Math.max(1, col), length: Math.max(1, to - from) };
  }

  refuse(at: Place, path: Path, message: string, ...hints: string[]): void {
    this.problems.push({ ...at, path: dotted(path), message, hints });
  }

  /** Turns a YAML node into a plain value; `undefined` after a refusal. */
  read(node: ParsedNode | null, path: Path): unknown {
    if (node === null) return null;
    const at = this.place(node.range[0], node.range[1]);
    this.values.set(keyOf(path), at);
    if (path.length > DEPTH_MAX) return this.refuse(at, path, TOO_DEEP);
    if (isAlias(node)) {
      return this.refuse(
        at,
        path,
        'aliases are not allowed',
        'write the value out where it is used',
      );
    }
    if (node.anchor !== undefined) {
      const key = this.keys.get(keyOf(path)) ?? at;
      this.refuse(key, path, 'anchors are not allowed', 'write the value out where it is used');
    }
    if (node.tag !== undefined && !node.tag.startsWith('tag:yaml.org,2002:')) {
      this.refuse(at, path, `tags are not allowed: ${node.tag}`, 'remove the tag');
    }
    if (isMap<ParsedNode, ParsedNode | null>(node)) return this.#map(node.items, path);
    if (isSeq<ParsedNode>(node)) return node.items.map((item, i) => this.read(item, [...path, i]));
    return isScalar(node) ? this.#scalar(node.value, at, path) : undefined;
  }

  #map(
    items: readonly { key: ParsedNode; value: ParsedNode | null }[],
    path: Path,
  ): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (const { key, value } of items) {
      const at = this.place(key.range[0], key.range[1]);
      const name = isScalar(key) ? key.value : undefined;
      if (name === '<<') {
        this.refuse(at, path, 'merge keys are not allowed', 'write the values out');
      } else if (typeof name !== 'string' || name === '__proto__') {
        const hint = typeof name === 'number' ? `quote it: "${name}"` : 'a key is one word';
        this.refuse(at, path, 'a key must be text', hint);
      } else {
        const inner = [...path, name];
        this.keys.set(keyOf(inner), at);
        this.values.set(keyOf(inner), at);
        map[name] = this.read(value, inner);
      }
    }
    return map;
  }

  #scalar(value: unknown, at: Place, path: Path): unknown {
    if (typeof value !== 'string') return value;
    const result = interpolate(value, this.#env);
    if (result === undefined) return value;
    for (const name of result.names) this.variables.add(name);
    if ('refused' in result) {
      this.refuse(at, path, result.refused, result.hint);
      return undefined;
    }
    if (result.names.length > 0) this.written.set(keyOf(path), value);
    return result.whole ? typed(result.text) : result.text;
  }
}

/** Text of a variable as YAML would read it unquoted: whole numbers and booleans, else text. */
function typed(text: string): unknown {
  if (/^-?(?:0|[1-9]\d{0,14})$/.test(text)) return Number(text);
  return text === 'true' ? true : text === 'false' ? false : text;
}

/** What the YAML parser says, in one line and without its own code frame. */
function yamlProblem(error: YAMLError, reader: Reader): Problem {
  const [from, to] = error.pos;
  const message = error.message.split(' at line ')[0]!.split('\n')[0]!.replace(/:$/, '');
  const hints: Record<string, string> = {
    DUPLICATE_KEY: 'remove one of the two, or rename it',
    BAD_INDENT: 'indent with two spaces a level; keys of one map stand in one column',
    TAB_AS_INDENT: 'indent with spaces, YAML allows no tabs',
    MISSING_CHAR: 'a bracket or quote is not closed, or a ":" or a space behind it is missing',
    BLOCK_AS_IMPLICIT_KEY: 'is the line indented too deep, or a quote missing?',
    MULTILINE_IMPLICIT_KEY: 'a key needs ": " behind it on its own line',
  };
  const open = /must be sufficiently indented and end with a (.)/.exec(message)?.[1];
  const hint = open === undefined ? hints[error.code] : `close it with "${open}"`;
  const said =
    error.code === 'DUPLICATE_KEY'
      ? 'the same key stands twice in one map'
      : message.startsWith('Maximum call stack')
        ? TOO_DEEP
        : open === undefined
          ? message
          : `a bracket is still open here, or the line is not indented under its key`;
  return {
    ...reader.place(from, to),
    path: '',
    message: said,
    hints: hint === undefined ? [] : [hint],
  };
}

/**
 * Place where brackets nest beyond any sense, or a line grows so. The parser recurses on both, down to the end of the
 * process where they are hostile: they are refused before it sees them.
 */
function senseless(text: string): (Place & { why: string }) | undefined {
  let depth = 0;
  let line = 1;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 10) {
      line++;
      start = i + 1;
    } else if (code === 91 || code === 123) depth++;
    else if (code === 93 || code === 125) depth = Math.max(0, depth - 1);
    const why = depth > DEPTH_MAX ? TOO_DEEP : i - start > LINE_MAX ? 'this line is too long' : '';
    if (why !== '') return { line, column: i - start + 1, length: 1, why };
  }
  return undefined;
}

/** Reads YAML `text`. Never throws for what the text says: problems are in the result, with their places. */
export function locate(text: string, env: Readonly<Record<string, string | undefined>>): Located {
  const counter = new LineCounter();
  const reader = new Reader(counter, env);
  const start: Place = { line: 1, column: 1, length: 1 };
  let value: unknown;
  const early = senseless(text);
  if (early !== undefined) reader.refuse(early, [], early.why);
  try {
    const parsed = parseAllDocuments(early === undefined ? text : '', {
      lineCounter: counter,
      uniqueKeys: true,
    });
    const documents = 'empty' in parsed ? [] : (parsed as Document.Parsed[]);
    const [first, second] = documents;
    // One slip makes the parser complain many times: the first complaint of a line is the useful one.
    const errors = first ? [...first.errors, ...first.warnings] : [];
    const deep = errors.find((error) => error.message.startsWith('Maximum call stack'));
    for (const error of deep ? [deep] : errors) {
      const problem = yamlProblem(error, reader);
      if (reader.problems.at(-1)?.line !== problem.line) reader.problems.push(problem);
    }
    if (second !== undefined) {
      const at = reader.place(second.range[0], second.range[0] + 3);
      reader.refuse(at, [], 'a topology is one YAML document', 'remove the "---" line');
    }
    // After a syntax error the tree is guesswork: its other complaints would mislead.
    if (reader.problems.length === 0) value = reader.read(first?.contents ?? null, []);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    reader.refuse(start, [], TOO_DEEP);
  }
  const around =
    (places: Map<string, Place>) =>
    (path: Path): Place => {
      for (let length = path.length; length >= 0; length--) {
        const found = places.get(keyOf(path.slice(0, length)));
        if (found) return found;
      }
      return start;
    };
  return {
    value,
    problems: reader.problems,
    variables: reader.variables,
    valueAt: around(reader.values),
    keyAt: around(reader.keys),
    writtenAt: (path) => reader.written.get(keyOf(path)),
  };
}
