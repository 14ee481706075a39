/** From a topology and a host to what that host has to start: pure, so that `check` shows exactly what `up` does. */
import { posix } from 'node:path';
import { secretKeyFile, type PublicKeys } from '../mesh/curve.ts';
import { publicEndpoint } from '../notifier/endpoint.ts';
import { writerNice } from './nice.ts';
import type { ListenSettings, NodeSettings, SecuritySettings, WriterLink } from './node.ts';
import type { NodeFile, TopologyFile } from './schema.ts';
import type { Supervision } from './settings.ts';
import {
  hostOf,
  hostsOf,
  rootOf,
  sourcesOf,
  wire,
  type Link,
  type Wiring,
  type Writer,
} from './wiring.ts';

export type PlannedNode = {
  readonly name: string;
  readonly settings: NodeSettings;
  /** Nodes of this host that must be ready before the first start of this one. Later starts wait for nobody. */
  readonly after: readonly string[];
  readonly supervision: Supervision;
};
export type LaunchPlan = {
  readonly project: string;
  readonly host: string;
  /** In start order; stopping goes backwards. */
  readonly nodes: readonly PlannedNode[];
  readonly links: readonly Link[];
};

export type PlanOptions = {
  readonly host: string;
  /** Folder of topology.yaml, absolute. */
  readonly dir: string;
  readonly platform: NodeJS.Platform;
  readonly supervision: (node: string) => Supervision;
  /** Public keys of all nodes; needed where the file says `keys`. */
  readonly publicKeys?: PublicKeys | undefined;
};

const MB = 1_000_000;
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const PATTERN_ALL = ['*/*/*'];

/** What a reader cannot learn from the logs: user and password do not stand there. */
const isSecret = (endpoint: string): boolean => publicEndpoint(endpoint) !== endpoint;

/** Folder of the keys on a host, absolute; undefined in a mesh without keys. */
export const keysFolder = (
  file: TopologyFile,
  { host, dir }: Pick<PlanOptions, 'host' | 'dir'>,
): string | undefined =>
  file.keys === undefined
    ? undefined
    : posix.resolve(dir, hostsOf(file)[host]?.dir ?? '.', file.keys);

/** The launch plan of one host. The file must have passed its checks. */
export function plan(file: TopologyFile, options: PlanOptions): LaunchPlan {
  const wiring = wire(file, options.platform);
  const here = startOrder(file).filter((name) => hostOf(file, file.nodes[name]!) === options.host);
  const nodes = here.map((name): PlannedNode => {
    const supervision = options.supervision(name);
    return {
      name,
      settings: resolve(file, name, wiring, options, supervision),
      after: sourcesOf(file.nodes[name]!).filter((source) => here.includes(source)),
      supervision,
    };
  });
  return { project: file.project, host: options.host, nodes, links: wiring.links };
}

/** Writers before their readers, otherwise the order of the file. */
function startOrder(file: TopologyFile): string[] {
  const order: string[] = [];
  const visit = (name: string): void => {
    if (order.includes(name)) return;
    for (const source of sourcesOf(file.nodes[name]!)) visit(source);
    order.push(name);
  };
  for (const name of Object.keys(file.nodes)) visit(name);
  return order;
}

function resolve(
  file: TopologyFile,
  name: string,
  wiring: Wiring,
  options: PlanOptions,
  { logLevel }: Supervision,
): NodeSettings {
  const node = file.nodes[name]!;
  const dirOf = (of: NodeFile): string =>
    posix.resolve(options.dir, hostsOf(file)[hostOf(file, of)]?.dir ?? '.');
  const dataOf = (of: Writer): string => posix.resolve(dirOf(of), of.data ?? 'data');
  const security = securityOf(file, name, wiring, options);
  const common = {
    project: file.project,
    node: name,
    logLevel,
    nice: node.nice ?? (node.run === 'publisher' ? 0 : writerNice(options.platform)),
    dir: dirOf(node),
    ...(security ? { security } : {}),
  };
  const links = wiring.links
    .filter((link) => link.reader === name)
    .map((link): WriterLink => ({
      writer: link.writer,
      read: link.read,
      feed: link.notices,
      ...(link.chosen || link.notices.some(isSecret) ? { chosen: true } : {}),
      ...(link.read === 'direct'
        ? { data: dataOf(file.nodes[link.writer] as Writer) }
        : { catchup: link.catchup! }),
    }));
  const storage = (of: Writer) => ({
    data: dataOf(of),
    fsync: of.fsync ?? ('never' as const),
    feed: wiring.announces(name),
    catchup: wiring.binds(name, 'catchup'),
    inboxes: Object.fromEntries(
      wiring.links
        .filter((link) => link.writer === name && link.inbox !== undefined)
        .map((link) => [link.reader, link.inbox!]),
    ),
  });
  switch (node.run) {
    case 'fetcher': {
      const { kind, ...settings } = node.source;
      const { size = 64 * MB, age = DAY_MS } = node.segment ?? {};
      const segment = { bytes: size, ageMs: age };
      return { run: 'fetcher', ...common, source: { kind, settings }, segment, ...storage(node) };
    }
    case 'replica':
      return {
        run: 'replica',
        ...common,
        ...storage(node),
        from: links[0]!,
        logs: node.logs ?? PATTERN_ALL,
        inbox: wiring.binds(name, 'inbox'),
      };
    case 'publisher':
      return {
        run: 'publisher',
        ...common,
        exchange: node.exchange,
        from: links,
        logs: node.logs ?? PATTERN_ALL,
        listen: { ...node.listen, host: node.listen.host ?? '127.0.0.1' } as ListenSettings,
        historyMs: node.history ?? 15 * MINUTE_MS,
        time:
          node.time === 'wall' || node.time === 'records'
            ? node.time
            : node.from.some((source) => isRecorded(file, source))
              ? 'records'
              : 'wall',
        slowClient: {
          policy: node.slow_client?.policy ?? 'disconnect',
          boundBytes: node.slow_client?.buffer ?? 4 * MB,
          waitMs: node.slow_client?.wait ?? 30_000,
        },
      };
  }
}

/** What a node must know of keys: its own, and those of the nodes that it is linked with. */
function securityOf(
  file: TopologyFile,
  name: string,
  { links }: Wiring,
  options: PlanOptions,
): SecuritySettings | undefined {
  const folder = keysFolder(file, options);
  if (folder === undefined) return undefined;
  const keyOf = (node: string): string => {
    const key = options.publicKeys?.[node];
    if (key === undefined) throw new TypeError(`no public key of ${node} was given`);
    return key;
  };
  const keysOf = (nodes: readonly string[]): PublicKeys =>
    Object.fromEntries(nodes.map((node) => [node, keyOf(node)]));
  return {
    keyFile: secretKeyFile(folder, name),
    publicKey: keyOf(name),
    readers: keysOf(links.filter(({ writer }) => writer === name).map(({ reader }) => reader)),
    writers: keysOf(links.filter(({ reader }) => reader === name).map(({ writer }) => writer)),
  };
}

/** True when what a node writes happened at another time than now. */
function isRecorded(file: TopologyFile, name: string): boolean {
  const node = file.nodes[rootOf(file, name)];
  if (node?.run !== 'fetcher') return false;
  return node.source.kind !== 'synthetic' || 'start' in node.source;
}
