/**
 * Settings in layers, by nconf: options > environment (TICKMESH_*) > the node's own section of topology.yaml > its
 * `defaults` > built in. Values stay as written until the one schema at the end reads them, so nconf parses nothing:
 * it would round long digits. Its `argv()` is not used (it answers --help itself and ends the process); options come
 * from the command line parser. What no setting and no variable of the file is called is refused.
 */
import nconf from 'nconf';
import { nearest } from '../lib/topology/nearest.ts';
import {
  defaultSettings,
  environmentName,
  optionName,
  settingNames,
  settingsSchema,
  type Settings,
} from '../lib/topology/settings.ts';
import { TickmeshError } from '../lib/world/error.ts';

type Tree = Record<string, Record<string, unknown>>;
type Environment = Readonly<Record<string, string | undefined>>;
const layers = ['option', 'environment', 'node', 'defaults', 'built-in'] as const;
export type Layer = (typeof layers)[number];

export type ConfigSources = {
  /** By option name without its dashes in front: "log-level". */
  readonly options: Readonly<Record<string, string | undefined>>;
  readonly env: Environment;
  /** topology.yaml before units became numbers. */
  readonly written: Readonly<Record<string, unknown>>;
};

/** Variables with our prefix that are not settings of a mesh. */
const commandVariables = ['TICKMESH_TOPOLOGY', 'TICKMESH_HOST'] as const;
/** What the specs are told: no business of a mesh, and no mistake. */
const foreignVariables = ['TICKMESH_DATA', 'TICKMESH_LONG'];

/** Settings of a mesh (`node` absent) or of one node. Throws CONFIG_INVALID that says which layer has it wrong. */
export function readSettings(sources: ConfigSources, node?: string): Settings {
  const provider = new nconf.Provider();
  const trees = treesOf(sources, node);
  for (const layer of layers) provider.add(layer, { type: 'literal', store: trees[layer] });
  const tree: Tree = {};
  for (const setting of settingNames) {
    const { group, key } = split(setting);
    (tree[group] ??= {})[key] = provider.get(`${group}:${key}`);
  }
  const parsed = settingsSchema.safeParse(tree);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const setting = issue.path.join('.');
  const { group, key } = split(setting);
  const layer = originOf(sources, setting, node);
  const names: Partial<Record<Layer, string>> = {
    option: optionName(setting),
    environment: environmentName(setting),
  };
  const name = names[layer] ?? setting;
  const got = JSON.stringify(tree[group]?.[key]);
  throw new TickmeshError('CONFIG_INVALID', `${name}: ${issue.message}, got ${got}`, {
    remedy: `correct or remove ${name}`,
    facts: { setting, layer },
  });
}

/** The layer that decides a setting. */
export function originOf(sources: ConfigSources, setting: string, node?: string): Layer {
  const { group, key } = split(setting);
  const trees = treesOf(sources, node);
  return layers.find((layer) => trees[layer][group]?.[key] !== undefined) ?? 'built-in';
}

/** Refuses TICKMESH_* variables that nothing reads. `variables` are those that the topology refers to. */
export function checkEnvironment(env: Environment, variables: Iterable<string> = []): void {
  const known = [...settingNames.map(environmentName), ...commandVariables, ...variables];
  for (const name of Object.keys(env)) {
    if (!name.startsWith('TICKMESH_')) continue;
    if (known.includes(name) || foreignVariables.includes(name)) continue;
    const meant = nearest(name, known);
    throw new TickmeshError('CONFIG_INVALID', `unknown environment variable ${name}`, {
      remedy:
        meant === undefined ? `unset it; known: ${known.join(', ')}` : `did you mean ${meant}?`,
      facts: { variable: name },
    });
  }
}

function split(setting: string): { group: string; key: string } {
  const [group = '', key = ''] = setting.split('.');
  return { group, key };
}

/** Each layer as a tree of groups and keys; unknown keys of the file were refused by its schema. */
function treesOf(sources: ConfigSources, node: string | undefined): Record<Layer, Tree> {
  const { options, env, written } = sources;
  const pick = (value: (setting: string) => unknown): Tree => {
    const tree: Tree = {};
    for (const setting of settingNames) {
      const { group, key } = split(setting);
      const found = value(setting);
      if (found !== undefined) (tree[group] ??= {})[key] = found;
    }
    return tree;
  };
  const within = (section: unknown) => (setting: string) => {
    const { group, key } = split(setting);
    return (section as Tree | undefined)?.[group]?.[key];
  };
  const nodes = written['nodes'] as Record<string, unknown> | undefined;
  return {
    option: pick((setting) => options[optionName(setting).slice(2)]),
    environment: pick((setting) => env[environmentName(setting)]),
    node: pick(within(node === undefined ? undefined : nodes?.[node])),
    defaults: pick(within(written['defaults'])),
    'built-in': pick(within(defaultSettings)),
  };
}
