/** topology.yaml from text to a checked topology, or to problems that say where and what to do. */
import { z } from 'zod';
import { check } from './check.ts';
import { TOPOLOGY_BYTES_MAX, dotted, locate, type Path } from './document.ts';
import { explain, valueOf } from './explain.ts';
import { sortProblems, type Problem } from './problem.ts';
import { topologySchema, type Known, type TopologyFile } from './schema.ts';

/** A complaint of a source about its own settings; `path` starts below `source`. */
export type SourceComplaint = {
  readonly path: Path;
  readonly message: string;
  readonly hints?: readonly string[];
};
export type Registries = Known & {
  /** Asks the source `kind` whether it takes `settings`. */
  readonly checkSource?: (
    kind: string,
    settings: Readonly<Record<string, unknown>>,
  ) => Promise<readonly SourceComplaint[]>;
};

export type Topology = {
  readonly file: TopologyFile;
  /** The same before units became numbers: what settings are layered from. */
  readonly written: Readonly<Record<string, unknown>>;
  /** Variables that the file refers to. */
  readonly variables: ReadonlySet<string>;
};
export type Reading =
  | { readonly ok: true; readonly topology: Topology }
  | { readonly ok: false; readonly problems: readonly Problem[] };

const refuse = (problems: readonly Problem[]): Reading => ({
  ok: false,
  problems: sortProblems(problems),
});

/** Reads the text of a topology. Never throws for what the text says. */
export async function readTopology(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
  registries: Registries,
): Promise<Reading> {
  if (Buffer.byteLength(text) > TOPOLOGY_BYTES_MAX) {
    const message = 'larger than 1 MiB';
    return refuse([
      { line: 1, column: 1, length: 1, path: '', message, hints: ['is this the right file?'] },
    ]);
  }
  const located = locate(text, env);
  if (located.problems.length > 0) return refuse(located.problems);
  const written = withoutExtensions(located.value);
  const schema = topologySchema(registries);
  const parsed = schema.safeParse(written);
  if (!parsed.success) {
    const found = parsed.error.issues.flatMap((issue) => explain(issue, schema, located));
    return refuse(found.filter((problem) => !misspelt(problem, found)));
  }
  const problems = check(parsed.data, located);
  for (const [name, node] of Object.entries(parsed.data.nodes)) {
    if (node.run !== 'fetcher') continue;
    const { kind, ...settings } = node.source;
    for (const complaint of (await registries.checkSource?.(kind, settings)) ?? []) {
      const path = ['nodes', name, 'source', ...complaint.path];
      const known = valueOf(written, path) !== undefined;
      const unknownKey = complaint.message.startsWith('unknown key');
      problems.push({
        ...(known && !unknownKey ? located.valueAt(path) : located.keyAt(path)),
        path: dotted(known && !unknownKey ? path : path.slice(0, -1)),
        message: complaint.message,
        hints: complaint.hints ?? [],
      });
    }
  }
  if (problems.length > 0) return refuse(problems);
  return {
    ok: true,
    topology: {
      file: parsed.data,
      written: written as Record<string, unknown>,
      variables: located.variables,
    },
  };
}

/** True for a missing key that stands there under another spelling: that is one mistake, not two. */
function misspelt(problem: Problem, all: readonly Problem[]): boolean {
  const key = /^("\S+") is missing$/.exec(problem.message)?.[1];
  if (key === undefined) return false;
  const meant = `did you mean ${key}?`;
  return all.some((other) => other.path === problem.path && other.hints.includes(meant));
}

/** The file without its `x-` keys: those are the user's own. */
function withoutExtensions(value: unknown): unknown {
  if (!z.record(z.string(), z.unknown()).safeParse(value).success) return value;
  return Object.fromEntries(
    Object.entries(value as Record<string, unknown>).filter(([key]) => !key.startsWith('x-')),
  );
}
