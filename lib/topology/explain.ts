/** What zod found, as problems with a place in the file and a hint that a user can act on. */
import type { z } from 'zod';
import { dotted, type Located, type Path } from './document.ts';
import { nearest } from './nearest.ts';
import type { Problem } from './problem.ts';
import { show, type TopologySchema } from './schema.ts';
import { keysAt, kindsWith } from './shape.ts';
import { durationForm, sizeForm } from './units.ts';

type Issue = z.core.$ZodIssue;

/** Value at `path`, undefined where there is none. */
export function valueOf(root: unknown, path: Path): unknown {
  let at = root;
  for (const part of path) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, part)) return undefined;
    at = (at as Record<string | number, unknown>)[part];
  }
  return at;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Why a key stands where it is not allowed: a slip, wrong indentation, another kind of node. */
function unknownKeyHints(schema: TopologySchema, root: unknown, path: Path, key: string): string[] {
  const allowed = keysAt(schema, root, path);
  const value = valueOf(root, [...path, key]);
  if (path.length === 0 && isMap(value) && 'run' in value) {
    return [`is "${key}" indented under "nodes:"? It looks like a node`];
  }
  const meant = nearest(key, allowed);
  if (meant !== undefined) return [`did you mean "${meant}"?`];
  const hints: string[] = [];
  for (const outer of allowed) {
    if (keysAt(schema, root, [...path, outer]).includes(key)) {
      hints.push(`is "${key}" indented under "${outer}:"?`);
    }
  }
  for (let length = path.length - 1; length >= 0 && hints.length === 0; length--) {
    const outer = path.slice(0, length);
    if (!keysAt(schema, root, outer).includes(key)) continue;
    const where = length === 0 ? 'at the top of the file' : `directly under "${dotted(outer)}:"`;
    hints.push(`"${key}" belongs ${where}: is it indented too deep?`);
  }
  if (hints.length === 0 && path[0] === 'nodes' && path.length === 2) {
    const kinds = kindsWith(schema, key);
    if (kinds.length > 0)
      hints.push(`"${key}" is a setting of "run: ${kinds.join('" and "run: ')}"`);
  }
  if (path.length === 0) hints.push('keys of your own start with "x-"');
  return [...hints, `allowed: ${allowed.join(', ')}`];
}

/** The word that was meant, the unit that is missing. */
function valueHints(issue: Issue, value: unknown): string[] {
  const words = /^want one of ([^"]*), got/.exec(issue.message)?.[1]?.split(', ');
  if (words !== undefined && typeof value === 'string') {
    const meant = nearest(value, words);
    return meant === undefined ? [] : [`did you mean "${meant}"?`];
  }
  const bare = typeof value === 'number' ? String(value) : '';
  if (bare !== '' && issue.message.includes('duration')) {
    if (durationForm.test(`${bare}ms`)) return [`did you mean "${bare}ms" or "${bare}s"?`];
  } else if (bare !== '' && issue.message.includes('size')) {
    if (sizeForm.test(`${bare}MB`)) return [`did you mean "${bare}MB"?`];
  } else if (issue.message.includes('whole number') && typeof value === 'string') {
    if (/^\d+$/.test(value)) return ['a number is written without quotes'];
  } else if (typeof value === 'string' && issue.message.includes('lower-case')) {
    const small = value.toLowerCase().replace(/[^a-z0-9]+/g, '-');
    const fixed = small.replace(/^[^a-z]+|-+$/g, '').slice(0, 31);
    if (fixed !== '' && fixed !== value) return [`e.g. "${fixed}"`];
  } else if (typeof value === 'string' && issue.message.startsWith('want a log')) {
    return ['write <exchange>/<instrument>/<channel>'];
  }
  return [];
}

/** Problems of one issue: as many as it has unknown keys, else one. */
export function explain(issue: Issue, schema: TopologySchema, located: Located): Problem[] {
  const root = located.value;
  const path = issue.path as (string | number)[];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      ...located.keyAt([...path, key]),
      path: dotted(path),
      message: `unknown key "${key}"`,
      hints: unknownKeyHints(schema, root, path, key),
    }));
  }
  const value = valueOf(root, path);
  const parent = path.slice(0, -1);
  const last = path.at(-1);
  if (issue.code === 'invalid_key') {
    const inner = issue.issues[0]!;
    return [
      {
        ...located.keyAt(path),
        path: dotted(parent),
        message: inner.message,
        hints: valueHints(inner, String(last)),
      },
    ];
  }
  if (value === undefined && typeof last === 'string') {
    const among = /^want (one of .*), got/.exec(issue.message)?.[1];
    const kinds = issue.code === 'invalid_union' ? (issue as { options?: unknown[] }).options : [];
    const hint = kinds?.length ? `one of ${kinds.join(', ')}` : among;
    return [
      {
        ...located.keyAt(parent),
        path: dotted(parent),
        message: `"${last}" is missing`,
        hints: hint === undefined ? [] : [`${last}: ${hint}`],
      },
    ];
  }
  const at = value === null ? located.keyAt(path) : located.valueAt(path);
  if (value === null) {
    const hint =
      path.length === 0
        ? 'see "tickmesh check --help"'
        : `is what follows indented under "${last}:"?`;
    const message = path.length === 0 ? 'the file is empty' : 'has no value';
    return [{ ...at, path: dotted(path), message, hints: [hint] }];
  }
  let message = issue.message;
  let hints = valueHints(issue, value);
  if (issue.code === 'invalid_union' && 'options' in issue) {
    const words = (issue as { options: unknown[] }).options.map(String);
    const meant = typeof value === 'string' ? nearest(value, words) : undefined;
    message = `want one of ${words.join(', ')}, got ${show(value)}`;
    hints = meant === undefined ? [] : [`did you mean "${meant}"?`];
  } else if (message.startsWith('Invalid input: expected object')) {
    message = `want a map of "key: value" lines, got ${show(value)}`;
  } else if (message.startsWith('Invalid input: expected record')) {
    message = `want a map of names, got ${show(value)}`;
  }
  const written = located.writtenAt(path);
  if (written !== undefined) hints = [...hints, `the value comes from ${written}`];
  return [{ ...at, path: dotted(path), message, hints }];
}
