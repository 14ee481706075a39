/**
 * Who talks to whom over what, derived from who reads from whom and where they run. Three sockets carry a link: the
 * writer's `feed` (notices) and `catchup` (requests), the reader's `inbox` (the bytes asked for). A socket binds ipc for
 * peers on its own host and tcp for the others (a feed binds one of them); a forced endpoint is the only one it binds.
 */
import { ipcEndpoint, tcpEndpoint } from './endpoint.ts';
import { hearOf, heardBy, type Heard } from './hear.ts';
import { defaultNotify, needsSocket, notifyEndpoint } from './notify.ts';
import type { FetcherFile, NodeFile, ReplicaFile, TopologyFile } from './schema.ts';

type Socket = 'feed' | 'catchup' | 'inbox';
export type Link = {
  readonly writer: string;
  readonly reader: string;
  readonly sameHost: boolean;
  /** Files of the writer, or bytes over catch-up. */
  readonly read: 'direct' | 'catchup';
  /** Endpoints that this link uses; undefined where the forced one does not reach. `inbox` only for catch-up. */
  readonly feed: string | undefined;
  readonly catchup: string | undefined;
  readonly inbox: string | undefined;
  /** Where the reader listens to the writer; and whether it has chosen that itself. */
  readonly notices: readonly string[];
  readonly chosen: boolean;
};
export type Wiring = {
  readonly links: readonly Link[];
  /** What each node binds. */
  binds(node: string, socket: Socket): readonly string[];
  /** Where a writer announces. */
  announces(node: string): readonly string[];
  /** The same as a reader finds it. */
  hearable(node: string, sameHost: boolean, read: Link['read']): Heard;
};

export type Writer = FetcherFile | ReplicaFile;
export const isWriter = (node: NodeFile | undefined): node is Writer =>
  node !== undefined && node.run !== 'publisher';
/** Nodes that `node` reads from, in its own order. */
export const sourcesOf = (node: NodeFile): readonly string[] =>
  node.run === 'fetcher' ? [] : node.run === 'replica' ? [node.from] : node.from;

/** How a writer wants to announce. */
export const notifyOf = (node: Writer): readonly string[] => node.notify ?? defaultNotify;

/** The fetcher that a writer's records come from in the end. */
export function rootOf(file: TopologyFile, name: string): string {
  const node = file.nodes[name];
  return node?.run === 'replica' ? rootOf(file, node.from) : name;
}

const LOCAL = 'local';
const DEFAULT_PORTS = 5700;
const sockets: readonly Socket[] = ['feed', 'catchup', 'inbox'];

/** Hosts of the mesh; without any in the file there is one. */
export const hostsOf = (
  file: TopologyFile,
): Readonly<Record<string, { address: string; dir?: string | undefined }>> =>
  file.hosts ?? { [LOCAL]: { address: '127.0.0.1' } };
/** Host that runs a node: its own, or the only one there is. */
export const hostOf = (file: TopologyFile, node: NodeFile): string =>
  node.host ?? Object.keys(hostsOf(file))[0] ?? LOCAL;

const given = (node: NodeFile, socket: Socket): string =>
  (socket in node ? (node as Partial<Record<Socket, string>>)[socket] : undefined) ?? 'auto';

const listening = (
  wishes: readonly string[] | undefined,
  source: Heard,
): Pick<Link, 'notices' | 'chosen'> => ({
  notices: heardBy(wishes, source),
  chosen: wishes !== undefined,
});

/** Derives links and endpoints. The file's names must have been checked. */
export function wire(file: TopologyFile, platform: NodeJS.Platform): Wiring {
  const hosts = hostsOf(file);
  const names = Object.keys(file.nodes);
  const bare = names.flatMap((reader) => {
    const node = file.nodes[reader]!;
    return sourcesOf(node)
      .filter((writer) => isWriter(file.nodes[writer]))
      .map((writer) => {
        const sameHost = hostOf(file, node) === hostOf(file, file.nodes[writer]!);
        const wish = node.run === 'publisher' ? (node.read ?? 'auto') : 'catchup';
        const read = wish === 'auto' ? (sameHost ? 'direct' : 'catchup') : wish;
        return { writer, reader, sameHost, read } as const;
      });
  });

  const bound = new Map<string, readonly string[]>();
  for (const [index, name] of names.entries()) {
    const node = file.nodes[name]!;
    for (const [at, socket] of sockets.entries()) {
      const peers = bare.filter((link) =>
        socket === 'inbox'
          ? link.reader === name && link.read === 'catchup'
          : link.writer === name && (socket === 'feed' || link.read === 'catchup'),
      );
      const needed =
        socket === 'feed' ? isWriter(node) && notifyOf(node).some(needsSocket) : peers.length > 0;
      const wish = given(node, socket);
      const ipc = ipcEndpoint(platform, file.project, name, socket);
      const port = (file.ports ?? DEFAULT_PORTS) + index * sockets.length + at;
      const tcp = tcpEndpoint(hosts[hostOf(file, node)]!.address, port);
      const near = peers.length === 0 || peers.some((link) => link.sameHost);
      const far = peers.some((link) => !link.sameHost);
      // Notices go out at one place: whoever reads a log's folder learns it from there.
      const derived =
        socket === 'feed' && far ? [tcp] : [...(near ? [ipc] : []), ...(far ? [tcp] : [])];
      const forced: Record<string, string[]> = { auto: derived, ipc: [ipc], tcp: [tcp] };
      bound.set(`${name}.${socket}`, needed ? (forced[wish] ?? [wish]) : []);
    }
  }
  const binds = (node: string, socket: Socket): readonly string[] =>
    bound.get(`${node}.${socket}`) ?? [];
  const reach = (node: string, socket: Socket, sameHost: boolean): string | undefined => {
    const all = binds(node, socket);
    const tcp = all.find((endpoint) => endpoint.startsWith('tcp://'));
    return sameHost ? (all.find((endpoint) => endpoint.startsWith('ipc://')) ?? tcp) : tcp;
  };
  const channelOf = (name: string): string => `${file.project}.${name}`;
  const announces = (name: string): readonly string[] => {
    const node = file.nodes[name];
    if (!isWriter(node)) return [];
    const [feed] = binds(name, 'feed');
    return notifyOf(node).map((wish) => notifyEndpoint(wish, feed, channelOf(name)));
  };
  const hearable: Wiring['hearable'] = (name, sameHost, read) => ({
    announced: announces(name),
    channel: channelOf(name),
    sameHost,
    hasFiles: read === 'direct',
  });
  const links = bare.map((link) => ({
    ...link,
    ...listening(
      hearOf(file.nodes[link.reader]!, link.writer),
      hearable(link.writer, link.sameHost, link.read),
    ),
    feed: reach(link.writer, 'feed', link.sameHost),
    catchup: reach(link.writer, 'catchup', link.sameHost),
    inbox: link.read === 'catchup' ? reach(link.reader, 'inbox', link.sameHost) : undefined,
  }));
  return { links, binds, announces, hearable };
}
