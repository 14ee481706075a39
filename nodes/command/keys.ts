/** `tickmesh keys new | show | rotate`: the key pairs of a mesh, one a node. A secret key is never printed. */
import { existsSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { publicKeyFile, secretKeyFile } from '../../lib/mesh/curve.ts';
import { hasKeys, readKeyPair, readPublicKey, writeKeyPair } from '../../lib/mesh/disk-keys.ts';
import { newKeys } from '../../lib/mesh/security-zeromq.ts';
import { nearest } from '../../lib/topology/nearest.ts';
import { isNodeName, type TopologyFile } from '../../lib/topology/schema.ts';
import { hostOf, hostsOf, sourcesOf } from '../../lib/topology/wiring.ts';
import { TickmeshError } from '../../lib/world/error.ts';
import { chooseHost, parse } from './load.ts';

export type KeysOptions = {
  /** Folder of the keys; absent: that of the topology. */
  readonly dir?: string | undefined;
  readonly topology?: string | undefined;
  readonly host?: string | undefined;
};

type Place = { readonly folder: string; readonly file?: TopologyFile; readonly host?: string };

const wrong = (message: string, remedy: string): TickmeshError =>
  new TickmeshError('CONFIG_INVALID', message, { remedy });

/** Where the keys are, and for whom. */
async function placeOf(options: KeysOptions, env: NodeJS.ProcessEnv): Promise<Place> {
  const given = options.topology ?? env['TICKMESH_TOPOLOGY'];
  const none = given === undefined && !existsSync('topology.yaml');
  if (none && options.dir !== undefined) return { folder: resolve(options.dir) };
  if (none) {
    throw wrong('there is no topology.yaml here', 'name it (--topology), or a folder (--dir keys)');
  }
  const { topology, dir } = await parse({ file: given }, env);
  const { file } = topology;
  const host = chooseHost(topology, options.host ?? env['TICKMESH_HOST']);
  const folder =
    options.dir === undefined
      ? resolve(dir, hostsOf(file)[host]?.dir ?? '.', file.keys ?? 'keys')
      : resolve(options.dir);
  return { folder, file, host };
}

function checkName(node: string, { file }: Place): void {
  if (!isNodeName(node)) {
    throw wrong(
      `not a name of a node: ${JSON.stringify(node.slice(0, 100))}`,
      'lower-case letters, digits and single dashes, e.g. binance-fetcher',
    );
  }
  if (!file || Object.hasOwn(file.nodes, node)) return;
  const names = Object.keys(file.nodes);
  const meant = nearest(node, names);
  throw wrong(
    `there is no node "${node}" in the topology`,
    meant === undefined ? `nodes are: ${names.join(', ')}` : `did you mean "${meant}"?`,
  );
}

/** Makes keys of nodes that have none; without names: of all nodes of this host. */
export async function newNodeKeys(
  nodes: readonly string[],
  options: KeysOptions,
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): Promise<number> {
  const place = await placeOf(options, env);
  const { folder, file, host } = place;
  for (const node of nodes) {
    checkName(node, place);
    if (hasKeys(folder, node))
      throw wrong(`"${node}" has keys already`, `for others: tickmesh keys rotate ${node}`);
  }
  if (nodes.length === 0 && !file) throw wrong('whose keys?', 'tickmesh keys new <node>…');
  const here = Object.entries(file?.nodes ?? {})
    .filter(([name, node]) => hostOf(file!, node) === host && !hasKeys(folder, name))
    .map(([name]) => name);
  const wanted = nodes.length > 0 ? [...new Set(nodes)] : here;
  for (const node of wanted) {
    const keys = newKeys();
    writeKeyPair(folder, node, keys);
    print(`${node}  ${keys.publicKey}\n`);
  }
  const shown = relative('.', folder);
  if (wanted.length === 0) print(`all nodes of this host have keys in ${shown}\n`);
  else if (file && Object.keys(hostsOf(file)).length > 1)
    print(`now copy ${shown}/*.pub (never *.key) to the other hosts, and theirs to this one\n`);
  if (file && file.keys === undefined)
    print(`and write at the top of the topology: keys: ${shown || '.'}\n`);
  return 0;
}

/** Public keys, and what is wrong with the files. Exit code 1 when something is. */
export async function showKeys(
  options: KeysOptions,
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): Promise<number> {
  const { folder, file, host } = await placeOf(options, env);
  if (!file) throw wrong('whose keys?', 'name the topology: --topology mesh.yaml');
  const width = Math.max(...Object.keys(file.nodes).map((name) => name.length));
  let bad = 0;
  for (const [name, node] of Object.entries(file.nodes)) {
    const own = hostOf(file, node) === host;
    const state = stateOf(folder, name, own);
    if (state.wrong) bad++;
    print(`${name.padEnd(width)}  ${state.publicKey.padEnd(40)}  ${state.text}\n`);
  }
  return bad > 0 ? 1 : 0;
}

function stateOf(
  folder: string,
  node: string,
  own: boolean,
): { publicKey: string; text: string; wrong: boolean } {
  let publicKey = '-';
  try {
    publicKey = readPublicKey(folder, node);
    const secret = secretKeyFile(folder, node);
    if (!own && !existsSync(secret)) return { publicKey, text: 'public key only', wrong: false };
    if (readKeyPair(secret).publicKey !== publicKey) {
      const text = `${publicKeyFile('', node)} is not that of ${secretKeyFile('', node)}: rotate`;
      return { publicKey, text, wrong: true };
    }
    const text = own ? 'public and secret key' : 'secret key of another host: remove it here';
    return { publicKey, text, wrong: !own };
  } catch (error) {
    if (!(error instanceof TickmeshError)) throw error;
    const text = error.remedy === undefined ? error.message : `${error.message}: ${error.remedy}`;
    return { publicKey, text, wrong: true };
  }
}

/** Replaces a node's keys. */
export async function rotateKeys(
  node: string,
  options: KeysOptions,
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): Promise<number> {
  const place = await placeOf(options, env);
  const { folder, file } = place;
  checkName(node, place);
  if (!hasKeys(folder, node)) {
    throw wrong(`"${node}" has no keys in ${folder}`, `make some: tickmesh keys new ${node}`);
  }
  const keys = newKeys();
  writeKeyPair(folder, node, keys);
  print(`${node}  ${keys.publicKey}\n`);
  const peers = file
    ? Object.entries(file.nodes)
        .filter(
          ([name, other]) =>
            sourcesOf(other).includes(node) || sourcesOf(file.nodes[node]!).includes(name),
        )
        .map(([name]) => name)
    : [];
  print(`copy ${publicKeyFile('', node)} to all hosts, and start the mesh again there\n`);
  print(
    `until then connections that stand go on with the old key: ${[node, ...peers].join(', ')}\n`,
  );
  return 0;
}
