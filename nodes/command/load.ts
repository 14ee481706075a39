/** From a file name to a checked topology and what this host has to do, or to complaints and an exit code. */
import { hostname } from 'node:os';
import { basename, dirname, relative, resolve } from 'node:path';
import { readTopologyText } from '../../lib/topology/disk.ts';
import { loadKnown } from '../../lib/topology/known.ts';
import { nearest } from '../../lib/topology/nearest.ts';
import { readPublicKey } from '../../lib/mesh/disk-keys.ts';
import { keysFolder, plan, type LaunchPlan } from '../../lib/topology/plan.ts';
import { formatProblems } from '../../lib/topology/problem.ts';
import { supervisionOf, type Settings } from '../../lib/topology/settings.ts';
import { readTopology, type Topology } from '../../lib/topology/topology.ts';
import { hostsOf } from '../../lib/topology/wiring.ts';
import { TickmeshError } from '../../lib/world/error.ts';
import { checkEnvironment, readSettings, type ConfigSources } from '../config.ts';

/** What was given on the command line. */
export type Given = {
  readonly file?: string | undefined;
  readonly host?: string | undefined;
  /** Settings by option name without its dashes. */
  readonly options: Readonly<Record<string, string | undefined>>;
};
export type Loaded = {
  readonly topology: Topology;
  readonly settings: Settings;
  readonly plan: LaunchPlan;
  /** The file as shown, and its folder. */
  readonly shown: string;
  readonly dir: string;
};

/** A topology with problems: its message is the whole explanation, to be printed as it is. */
export class InvalidTopology extends Error {
  override readonly name = 'InvalidTopology';
}

export type Parsed = Pick<Loaded, 'topology' | 'shown' | 'dir'>;

/** Reads and checks a topology. Throws InvalidTopology, or CONFIG_INVALID where there is no such file. */
export async function parse(given: Pick<Given, 'file'>, env: NodeJS.ProcessEnv): Promise<Parsed> {
  const named = given.file ?? env['TICKMESH_TOPOLOGY'] ?? 'topology.yaml';
  const file = resolve(named);
  const shown = relative(process.cwd(), file).startsWith('..') ? file : relative('.', file);
  const text = readTopologyText(named);
  const reading = await readTopology(text, env, await loadKnown());
  if (reading.ok) return { topology: reading.topology, shown, dir: dirname(file) };
  const { problems } = reading;
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const explained = formatProblems(shown || basename(file), text, problems);
  throw new InvalidTopology(`${explained}\n${shown}: ${count}; nothing was started`);
}

/** A topology and what this host does in it. Throws InvalidTopology, or CONFIG_INVALID for what is wrong outside of the file. */
export async function load(given: Given, env: NodeJS.ProcessEnv): Promise<Loaded> {
  const { topology, shown, dir } = await parse(given, env);
  checkEnvironment(env, topology.variables);
  const layers: ConfigSources = { options: given.options, env, written: topology.written };
  const settings = readSettings(layers);
  const host = chooseHost(topology, given.host ?? env['TICKMESH_HOST']);
  const made = plan(topology.file, {
    host,
    dir,
    platform: process.platform,
    publicKeys: publicKeysOf(topology, keysFolder(topology.file, { host, dir })),
    supervision: (node) => supervisionOf(readSettings(layers, node)),
  });
  return { topology, settings, shown, dir, plan: made };
}

/** Public keys of all nodes, where there are keys. Throws CONFIG_INVALID for the first that is missing. */
function publicKeysOf(
  { file }: Topology,
  folder: string | undefined,
): Record<string, string> | undefined {
  if (folder === undefined) return undefined;
  return Object.fromEntries(
    Object.keys(file.nodes).map((node) => [node, readPublicKey(folder, node)]),
  );
}

/** The host that we are: the one named, the only one, or the one called like this computer. */
export function chooseHost({ file }: Topology, wish: string | undefined): string {
  const hosts = Object.keys(hostsOf(file));
  if (wish === undefined) {
    const own = hosts.length === 1 ? hosts[0] : hosts.find((host) => host === hostname());
    if (own !== undefined) return own;
    throw new TickmeshError('CONFIG_INVALID', 'which host of the topology is this computer?', {
      remedy: `say --host ${hosts.join(' or --host ')}`,
    });
  }
  if (hosts.includes(wish)) return wish;
  const meant = nearest(wish, hosts);
  throw new TickmeshError('CONFIG_INVALID', `there is no host "${wish}" in the topology`, {
    remedy: meant === undefined ? `hosts are: ${hosts.join(', ')}` : `did you mean "${meant}"?`,
  });
}
