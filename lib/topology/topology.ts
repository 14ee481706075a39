/** topology.yaml from text to a checked topology, or to problems that say where and what to do. */
import { z } from 'zod';
import { check } from './check.ts';
import { TOPOLOGY_BYTES_MAX, locate } from './document.ts';
import { explain, valueOf } from './explain.ts';
import { sortProblems, type Problem } from './problem.ts';
import { topologySchema, type Known, type TopologyFile } from './schema.ts';

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
  known: Known,
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
  const schema = topologySchema(known);
  const parsed = schema.safeParse(written);
  if (!parsed.success) {
    const found = parsed.error.issues.flatMap((issue) => explain(issue, schema, located));
    return refuse(found.filter((problem) => !misspelt(problem, found)));
  }
  const problems = check(parsed.data, located);
  if (problems.length > 0) return refuse(problems);
  return {
    ok: true,
    topology: {
      file: withSourcesAsWritten(parsed.data, written),
      written: written as Record<string, unknown>,
      variables: located.variables,
    },
  };
}

/** A source reads its own settings: it gets them as they were written, not as its schema has turned them. */
function withSourcesAsWritten(file: TopologyFile, written: unknown): TopologyFile {
  const nodes = Object.entries(file.nodes).map(([name, node]) => {
    if (node.run !== 'fetcher') return [name, node] as const;
    const source = valueOf(written, ['nodes', name, 'source']) as typeof node.source;
    return [name, { ...node, source }] as const;
  });
  return { ...file, nodes: Object.fromEntries(nodes) };
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
