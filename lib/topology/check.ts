/** What a schema cannot see: names that must exist, ports and folders that must differ, links that cannot be made. */
import { posix } from 'node:path';
import { isLoopback } from '../mesh/loopback.ts';
import { dotted, type Located, type Path, type Say } from './document.ts';
import { publicEndpoint } from '../notifier/endpoint.ts';
import { isWildcard, parseTcp } from './endpoint.ts';
import { checkHear, checkHearNames } from './hear.ts';
import { nearest } from './nearest.ts';
import { notifierMeant, notifierNames, notifiersThat } from './notify.ts';
import type { Problem } from './problem.ts';
import type { NodeFile, TopologyFile } from './schema.ts';
import { hostOf, hostsOf, isWriter, sourcesOf, wire, type Wiring } from './wiring.ts';

const tunnel =
  'encrypt with CURVE: write "keys: keys" at the top, and run: tickmesh keys new. Or dial a tunnel: ' +
  'ssh -L 5701:127.0.0.1:5701 <host> and feed: tcp://127.0.0.1:5701';

/** Semantic problems of a file that has the right shape. */
export function check(file: TopologyFile, located: Located): Problem[] {
  const problems: Problem[] = [];
  const say: Say = (at, path, message, ...hints) => {
    const place = at === 'key' ? located.keyAt(path) : located.valueAt(path);
    const written = at === 'value' ? located.writtenAt(path) : undefined;
    if (written !== undefined) hints.push(`the value comes from ${written}`);
    problems.push({ ...place, path: dotted(path), message, hints });
  };
  if (Object.keys(file.nodes).length === 0) {
    say('key', ['nodes'], 'there are no nodes', 'name at least one fetcher under "nodes:"');
  }
  if (file.hosts !== undefined && Object.keys(file.hosts).length === 0) {
    say('key', ['hosts'], 'there are no hosts', 'leave "hosts:" out for one local host');
    return problems;
  }
  checkWaits(file, say);
  for (const [name, node] of Object.entries(file.nodes)) {
    checkHost(file, name, node, say);
    checkSources(file, name, node, say);
  }
  checkNotify(file, say);
  checkHearNames(file, sourcesOf, say);
  // What follows is derived from names: it would only repeat what is wrong with them.
  if (problems.length > 0) return problems;
  checkCycles(file, say);
  if (problems.length > 0) return problems;
  const wiring = wire(file, 'linux');
  checkFolders(file, wiring, say);
  checkOneFolder(file, say);
  checkLinks(file, wiring, say);
  checkPorts(file, wiring, located, say);
  return problems;
}

function checkWaits(file: TopologyFile, say: Say): void {
  const places: [
    Path,
    { backoff?: number | undefined; max_backoff?: number | undefined } | undefined,
  ][] = [
    [['defaults', 'restart'], file.defaults?.restart],
    ...Object.entries(file.nodes).map(([name, node]): [Path, typeof node.restart] => [
      ['nodes', name, 'restart'],
      node.restart,
    ]),
  ];
  for (const [path, restart] of places) {
    const { backoff, max_backoff: most } = restart ?? {};
    if (backoff !== undefined && most !== undefined && backoff > most) {
      say('value', [...path, 'backoff'], 'the first wait is longer than max_backoff');
    }
  }
}

function checkHost(file: TopologyFile, name: string, node: NodeFile, say: Say): void {
  const hosts = Object.keys(hostsOf(file));
  if (node.host === undefined) {
    if (hosts.length > 1)
      say('key', ['nodes', name], '"host" is missing', `host: ${hosts.join(', ')}`);
  } else if (!hosts.includes(node.host)) {
    const meant = nearest(node.host, hosts);
    const hint =
      meant === undefined ? `hosts are: ${hosts.join(', ')}` : `did you mean "${meant}"?`;
    say('value', ['nodes', name, 'host'], `there is no host "${node.host}"`, hint);
  }
}

function checkSources(file: TopologyFile, name: string, node: NodeFile, say: Say): void {
  const writers = Object.keys(file.nodes).filter((other) => isWriter(file.nodes[other]));
  const seen = new Set<string>();
  for (const [index, source] of sourcesOf(node).entries()) {
    const path = ['nodes', name, 'from'];
    const at = node.run === 'publisher' ? [...path, index] : path;
    if (source === name) {
      say('value', at, 'a node cannot read from itself');
    } else if (!Object.hasOwn(file.nodes, source)) {
      const meant = nearest(source, writers);
      const hint =
        meant !== undefined
          ? `did you mean "${meant}"?`
          : `nodes with logs are: ${writers.join(', ')}`;
      say('value', at, `there is no node "${source}"`, hint);
    } else if (!isWriter(file.nodes[source])) {
      say(
        'value',
        at,
        `"${source}" is a publisher: it has no logs`,
        `nodes with logs are: ${writers.join(', ')}`,
      );
    } else if (seen.has(source)) {
      say('value', at, `"${source}" stands twice`, 'remove one of the two');
    }
    seen.add(source);
  }
}

/** Names and endpoints of notifiers that there are. */
function checkNotify(file: TopologyFile, say: Say): void {
  for (const [name, node] of Object.entries(file.nodes)) {
    if (!isWriter(node)) continue;
    for (const [index, wish] of (node.notify ?? []).entries()) {
      if (notifierMeant(wish) !== undefined) continue;
      const meant = nearest(wish, notifierNames);
      const hint =
        meant === undefined ? `there are: ${notifierNames.join(', ')}` : `did you mean "${meant}"?`;
      say(
        'value',
        ['nodes', name, 'notify', index],
        `there is no notifier "${publicEndpoint(wish)}"`,
        hint,
      );
    }
  }
}

function checkCycles(file: TopologyFile, say: Say): void {
  for (const name of Object.keys(file.nodes)) {
    const trail = [name];
    for (
      let at = file.nodes[name];
      at?.run === 'replica' && trail.length < 1000;
      at = file.nodes[at.from]
    ) {
      trail.push(at.from);
      if (at.from === name) {
        const path = ['nodes', name, 'from'];
        say(
          'value',
          path,
          `replicas in a circle: ${trail.join(' <- ')}`,
          'one of them must read from a fetcher',
        );
        return;
      }
      if (trail.indexOf(at.from) < trail.length - 1) break;
    }
  }
}

const folderOf = (node: NodeFile): string =>
  posix.normalize(`${node.run === 'publisher' ? '' : (node.data ?? 'data')}/`);

function checkFolders(file: TopologyFile, wiring: Wiring, say: Say): void {
  for (const { reader, writer, sameHost } of wiring.links) {
    const node = file.nodes[reader]!;
    if (node.run !== 'replica' || !sameHost) continue;
    if (folderOf(node) !== folderOf(file.nodes[writer]!)) continue;
    const message = `"${reader}" would write into the folder that it copies`;
    const hint = `give it its own: data: data/${reader}`;
    if (node.data === undefined) say('key', ['nodes', reader], message, hint);
    else say('value', ['nodes', reader, 'data'], message, hint);
  }
}

/** A publisher's feed reads one data folder. */
function checkOneFolder(file: TopologyFile, say: Say): void {
  for (const [name, node] of Object.entries(file.nodes)) {
    if (node.run !== 'publisher') continue;
    const [first, ...others] = node.from.map((source) => folderOf(file.nodes[source]!));
    const odd = others.findIndex((folder) => folder !== first);
    if (odd === -1) continue;
    const message = `"${node.from[odd + 1]}" writes into another folder than "${node.from[0]}"`;
    say('value', ['nodes', name, 'from', odd + 1], message, 'give both the same "data:"');
  }
}

function checkLinks(file: TopologyFile, wiring: Wiring, say: Say): void {
  for (const name of Object.keys(file.nodes)) {
    for (const socket of ['feed', 'catchup', 'inbox'] as const) {
      for (const endpoint of wiring.binds(name, socket)) {
        if (!endpoint.startsWith('tcp://')) continue;
        const forced =
          socket in file.nodes[name]! &&
          !/^(?:auto|tcp)$/.test(String((file.nodes[name] as Record<string, unknown>)[socket]));
        const path = forced ? ['nodes', name, socket] : ['nodes', name];
        const tcp = parseTcp(endpoint);
        if (tcp === undefined) {
          const hint =
            'write tcp://<address>:<port>, e.g. tcp://127.0.0.1:5701; readers must be able to dial it';
          say('value', path, `${endpoint} is not an address and a port`, hint);
        } else if (!isLoopback(tcp.host) && file.keys === undefined) {
          const message = `plain tcp beyond this computer is refused: ${socket} at ${endpoint}`;
          say(forced ? 'value' : 'key', path, message, tunnel);
        }
      }
    }
  }
  for (const { reader, writer, sameHost, read, ...link } of wiring.links) {
    if (read === 'catchup' && file.nodes[reader]!.run === 'publisher') {
      const path = ['nodes', reader, sameHost ? 'read' : 'from'];
      const hint = sameHost
        ? 'leave it out'
        : `put a replica of "${writer}" on this host and read from that`;
      say(
        'value',
        path,
        `a publisher reads the files of its own host, not yet over catch-up`,
        hint,
      );
      continue;
    }
    if (read === 'direct' && !sameHost) {
      const message = `the files of "${writer}" are on another host`;
      say(
        'value',
        ['nodes', reader, 'read'],
        message,
        `put a replica of "${writer}" on this host and read from that`,
      );
    }
    checkHear(
      file.nodes[reader]!,
      { reader, writer, ...wiring.hearable(writer, sameHost, read) },
      say,
    );
    const hasSocket = wiring.binds(writer, 'feed').length > 0;
    if (!link.chosen && link.notices.length === 0 && (link.feed !== undefined || !hasSocket)) {
      const why = sameHost ? `has no files of "${writer}" to look at` : 'is on another host';
      const ways = notifiersThat(sameHost).join(', ');
      const path = ['nodes', writer, 'notify'];
      say('value', path, `none of these reaches "${reader}": it ${why}`, `what does: ${ways}`);
    }
    for (const socket of ['feed', 'catchup', 'inbox'] as const) {
      if (link[socket] !== undefined || (socket !== 'feed' && read === 'direct')) continue;
      if (socket === 'feed' && (link.notices.length > 0 || !hasSocket)) continue;
      const [owner, other] = socket === 'inbox' ? [reader, writer] : [writer, reader];
      const message = `ipc does not reach "${other}" on another host`;
      say('value', ['nodes', owner, socket], message, `write ${socket}: auto, or tcp`);
    }
  }
}

function checkPorts(file: TopologyFile, wiring: Wiring, located: Located, say: Say): void {
  const taken: { machine: string; address: string; port: number; path: Path }[] = [];
  const take = (node: NodeFile, address: string, port: number, path: Path): void => {
    const machine = hostsOf(file)[hostOf(file, node)]!.address;
    const plain = address === 'localhost' ? '127.0.0.1' : address;
    const other = taken.find(
      (one) =>
        one.machine === machine &&
        one.port === port &&
        (one.address === plain || isWildcard(one.address) || isWildcard(plain)),
    );
    if (other !== undefined) {
      const { line } = located.valueAt(other.path);
      say(
        'value',
        path,
        `port ${port} is used twice`,
        `first by ${dotted(other.path)}, line ${line}; choose another port`,
      );
    }
    taken.push({ machine, address: plain, port, path });
  };
  for (const [name, node] of Object.entries(file.nodes)) {
    if (node.run === 'publisher') {
      take(node, node.listen.host ?? '127.0.0.1', node.listen.port, [
        'nodes',
        name,
        'listen',
        'port',
      ]);
    }
    for (const socket of ['feed', 'catchup', 'inbox'] as const) {
      for (const endpoint of wiring.binds(name, socket)) {
        const tcp = parseTcp(endpoint);
        if (tcp) take(node, tcp.host, tcp.port, ['nodes', name, socket]);
      }
    }
  }
}
