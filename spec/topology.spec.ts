import { readFileSync } from 'node:fs';
import test from 'ava';
import { z } from 'zod';
import { settings as synthetic } from '../lib/source/synthetic/settings.ts';
import { hostOf, wire } from '../lib/topology/wiring.ts';
import { interpolate } from '../lib/topology/interpolate.ts';
import { nearest } from '../lib/topology/nearest.ts';
import { isLogPattern, logMatcher } from '../lib/topology/pattern.ts';
import { plan } from '../lib/topology/plan.ts';
import { formatProblems } from '../lib/topology/problem.ts';
import { loadKnown } from '../lib/topology/known.ts';
import { topologyJsonSchema } from '../lib/topology/schema.ts';
import { defaultSettings, settingsSchema, supervisionOf } from '../lib/topology/settings.ts';
import { readTopology, type Topology } from '../lib/topology/topology.ts';
import { formatDuration, formatSize, parseDuration, parseSize } from '../lib/topology/units.ts';
import { brokenTopologies, unmark } from './support/broken-topologies.ts';

const capture = z.strictObject({ file: z.string().describe('Recorded file.') });
const known = { exchanges: ['binance', 'kraken'], sources: { synthetic, capture } };
const supervision = () => supervisionOf(settingsSchema.parse(defaultSettings));

async function read(text: string, env: Record<string, string> = {}): Promise<Topology> {
  const reading = await readTopology(text, env, known);
  if (!reading.ok) throw new Error(formatProblems('topology.yaml', text, reading.problems));
  return reading.topology;
}

test('there are at least 30 broken topologies', (t) => {
  t.true(brokenTopologies.length >= 30);
  t.is(new Set(brokenTopologies.map((broken) => broken.name)).size, brokenTopologies.length);
});

for (const broken of brokenTopologies) {
  test(`a broken topology is explained in its place: ${broken.name}`, async (t) => {
    const marked = unmark(broken.text);
    const reading = await readTopology(marked.text, broken.env ?? {}, known);
    if (reading.ok) return t.fail('was taken for good');
    const [problem, ...more] = reading.problems;
    const shown = formatProblems('topology.yaml', marked.text, reading.problems);
    t.is(more.length, 0, shown);
    t.true(problem!.message.includes(broken.says), shown);
    t.true(problem!.hints.join('\n').includes(broken.hint), shown);
    if ('line' in marked) {
      t.is(problem!.line, marked.line, shown);
      t.is(problem!.column, marked.column, shown);
      if (marked.word !== '' && !marked.word.includes('\n')) {
        // The caret stands under the word.
        const lines = shown.split('\n');
        const caret = lines.findIndex((line) => /^\s*\|\s*\^+$/.test(line));
        const at = lines[caret]!.indexOf('^');
        const cleaned = marked.word.replaceAll('\t', ' ');
        t.true(lines[caret - 1]!.slice(at).startsWith(cleaned), shown);
      }
    }
    t.notRegex(shown, /^\s+at .*:\d+:\d+/m, 'no stack trace');
  });
}

test('a control character in a file cannot steer the terminal', async (t) => {
  const text = 'version: 1\nproject: "\\e[2J"\nnodes: {}\n\u202edeman: "\u001b[31m"\n';
  const reading = await readTopology(text, {}, known);
  if (reading.ok) return t.fail();
  const shown = formatProblems('topology.yaml', text, reading.problems);
  // eslint-disable-next-line no-control-regex
  t.notRegex(shown, /[\u001b\u202e]/);
});

test('the topology that comes with tickmesh serves Binance on 7001 and Kraken on 7002', async (t) => {
  const text = readFileSync(new URL('../../topology.yaml', import.meta.url), 'utf8');
  const { file, variables } = await read(text);
  const made = plan(file, { host: 'local', dir: '/srv/demo', platform: 'linux', supervision });
  const listens = made.nodes.flatMap(({ settings }) =>
    settings.run === 'publisher' ? [[settings.exchange, settings.listen.port]] : [],
  );
  t.deepEqual(listens, [
    ['binance', 7001],
    ['kraken', 7002],
  ]);
  t.deepEqual([...variables], ['TICKMESH_BINANCE_PORT', 'TICKMESH_KRAKEN_PORT']);
  const moved = await read(text, { TICKMESH_BINANCE_PORT: '8001' });
  const binance = moved.file.nodes['binance'];
  t.is(binance?.run === 'publisher' && binance.listen.port, 8001);
});

const two = `
version: 1
project: pair
hosts:
  one: { address: 127.0.0.1, dir: /srv/one }
  two: { address: 127.0.0.2, dir: /srv/two }
nodes:
  web:
    run: publisher
    host: two
    exchange: kraken
    from: [copy]
    listen: { port: 7002 }
  copy:
    run: replica
    host: two
    from: feed
    data: copy
    logs: [kraken/*/*]
  feed:
    run: fetcher
    host: one
    source: { kind: capture, file: a.gz }
    fsync: 100ms
    segment: { size: 1MiB, age: 1h }
  local:
    run: publisher
    host: one
    exchange: binance
    from: feed
    listen: { port: 7001 }
`;

test('a plan starts writers before their readers and knows only its own host', async (t) => {
  const { file } = await read(two);
  const on = (host: string) =>
    plan(file, { host, dir: '/etc/mesh', platform: 'linux', supervision }).nodes;
  t.deepEqual(
    on('one').map(({ name, after }) => [name, after]),
    [
      ['feed', []],
      ['local', ['feed']],
    ],
  );
  t.deepEqual(
    on('two').map(({ name, after }) => [name, after]),
    [
      ['copy', []],
      ['web', ['copy']],
    ],
  );
});

test('a plan resolves folders, units and endpoints: nothing is left for the node to look up', async (t) => {
  const { file } = await read(two);
  const one = plan(file, { host: 'one', dir: '/etc/mesh', platform: 'linux', supervision });
  t.deepEqual(one.nodes[0]!.settings, {
    run: 'fetcher',
    project: 'pair',
    node: 'feed',
    logLevel: 'info',
    nice: 5,
    dir: '/srv/one',
    source: { kind: 'capture', settings: { file: 'a.gz' } },
    data: '/srv/one/data',
    segment: { bytes: 1048576, ageMs: 3600000 },
    fsync: 100,
    feed: ['tcp://127.0.0.1:5706', 'watching:'],
    catchup: ['tcp://127.0.0.1:5707'],
    inboxes: { copy: 'tcp://127.0.0.2:5705' },
  });
  const two_ = plan(file, { host: 'two', dir: '/etc/mesh', platform: 'linux', supervision });
  const [copy, web] = two_.nodes.map(({ settings }) => settings);
  t.like(copy, {
    data: '/srv/two/copy',
    from: {
      writer: 'feed',
      read: 'catchup',
      feed: ['tcp://127.0.0.1:5706'],
      catchup: 'tcp://127.0.0.1:5707',
    },
    nice: 5,
    inbox: ['tcp://127.0.0.2:5705'],
    feed: ['ipc://@tickmesh-pair-copy.feed', 'watching:'],
    logs: ['kraken/*/*'],
  });
  t.like(web, {
    nice: 0,
    from: [{ writer: 'copy', read: 'direct', data: '/srv/two/copy' }],
    historyMs: 900000,
  });
  t.deepEqual(JSON.parse(JSON.stringify(web)), { ...web });
});

test('writers stand back for those they wake, where that means something; a node may be told otherwise', async (t) => {
  const niceOf = async (text: string, platform: NodeJS.Platform) => {
    const { file } = await read(text);
    return plan(file, { host: 'one', dir: '/', platform, supervision }).nodes.map(
      ({ settings }) => settings.nice,
    );
  };
  t.deepEqual(await niceOf(two, 'linux'), [5, 0]);
  t.deepEqual(await niceOf(two, 'darwin'), [0, 0]);
  const chosen = two
    .replace('fsync: 100ms', 'nice: 0')
    .replace('exchange: binance', 'exchange: binance\n    nice: -3');
  t.deepEqual(await niceOf(chosen, 'linux'), [0, -3]);
});

test('the transport between two nodes is ipc on one host and tcp between hosts, unless forced', async (t) => {
  const { file } = await read(two);
  const through = (text: TopologyFileOf) =>
    wire(text, 'linux').links.map(
      (link) => `${link.writer}>${link.reader} ${link.read} ${link.feed}`,
    );
  t.deepEqual(through(file), [
    'copy>web direct ipc://@tickmesh-pair-copy.feed',
    'feed>copy catchup tcp://127.0.0.1:5706',
    'feed>local direct tcp://127.0.0.1:5706',
  ]);
  const forced = await read(two.replace('fsync: 100ms', 'feed: tcp://127.0.0.1:5901'));
  t.true(through(forced.file)[2]!.endsWith('tcp://127.0.0.1:5901'));
  t.is(wire(file, 'darwin').binds('copy', 'feed')[0], 'ipc:///tmp/tickmesh-pair-copy.feed');
  t.is(hostOf(file, file.nodes['web']!), 'two');
});
type TopologyFileOf = Topology['file'];

test('how a writer announces is chosen by name or endpoint, each reader hears what reaches it', async (t) => {
  const noticesOf = async (notify: string) => {
    const { file } = await read(two.replace('fsync: 100ms', `notify: ${notify}`));
    const wiring = wire(file, 'linux');
    const heard = wiring.links
      .filter(({ writer }) => writer === 'feed')
      .map(({ notices }) => notices);
    return [wiring.announces('feed'), ...heard];
  };
  const redis = 'redis://10.0.0.9:6379?channel=pair.feed';
  t.deepEqual(await noticesOf('[redis://10.0.0.9:6379, ipc, polling]'), [
    [redis, 'node-ipc:?channel=pair.feed', 'polling:'],
    [redis],
    [redis, 'node-ipc:?channel=pair.feed', 'polling:'],
  ]);
  t.deepEqual(await noticesOf('[zeromq, "polling:?interval=5ms"]'), [
    ['tcp://127.0.0.1:5706', 'polling:?interval=5ms'],
    ['tcp://127.0.0.1:5706'],
    ['tcp://127.0.0.1:5706', 'polling:?interval=5ms'],
  ]);
  t.deepEqual(await noticesOf('redis://10.0.0.9?channel=own'), [
    ['redis://10.0.0.9?channel=own'],
    ['redis://10.0.0.9?channel=own'],
    ['redis://10.0.0.9?channel=own'],
  ]);
});

test('a reader may choose which notifiers it listens to, for all its sources or for each', async (t) => {
  const nodes = `
version: 1
project: pick
nodes:
  a: { run: fetcher, notify: [zeromq, watching, 'redis://u:pw@10.0.0.9'], source: { kind: synthetic } }
  b: { run: fetcher, notify: [ipc, zeromq], source: { kind: synthetic } }
  web: { run: publisher, exchange: kraken, from: [a, b], hear: HEAR, listen: { port: 7002 } }
`;
  const heard = async (hear: string) => {
    const { file } = await read(nodes.replace('HEAR', hear));
    const { nodes: all } = plan(file, { host: 'local', dir: '/d', platform: 'linux', supervision });
    const { settings } = all.find(({ name }) => name === 'web')!;
    if (settings.run !== 'publisher') throw new Error();
    return settings.from.map(({ feed, chosen }) => (chosen ? feed : 'what the logs say'));
  };
  const socket = (node: string): string => `ipc://@tickmesh-pick-${node}.feed`;
  const redis = 'redis://u:pw@10.0.0.9?channel=pick.a';
  t.deepEqual(await heard('zeromq'), [[socket('a')], [socket('b')]]);
  t.deepEqual(await heard('[zeromq, watching]'), [
    [socket('a'), 'watching:'],
    [socket('b'), 'watching:'],
  ]);
  t.deepEqual(await heard('{ b: [ipc], a: [redis, "polling:?interval=5ms"] }'), [
    [redis, 'polling:?interval=5ms'],
    ['node-ipc:?channel=pick.b'],
  ]);
  // Whoever has user and password of its own uses those.
  t.deepEqual(await heard('{ a: "redis://10.0.0.9" }'), [[redis], 'what the logs say']);
  t.deepEqual(await heard('{ a: "redis://reader:x@10.0.0.9" }'), [
    ['redis://reader:x@10.0.0.9?channel=pick.a'],
    'what the logs say',
  ]);
  // No log says a password: a reader that has not chosen is told all the same.
  t.deepEqual(await heard('{ b: zeromq }'), [[socket('a'), 'watching:', redis], [socket('b')]]);
});

test('a replica gets an inbox, and its fetcher is told to dial that and no other', async (t) => {
  const more =
    '  near: { run: replica, host: one, from: feed, data: near, logs: [binance/BTC-USDT/trade] }\n';
  const { file } = await read(two + more);
  const one = plan(file, { host: 'one', dir: '/', platform: 'linux', supervision });
  const of = (name: string) => one.nodes.find((node) => node.name === name)?.settings;
  t.like(of('feed'), {
    catchup: ['ipc://@tickmesh-pair-feed.catchup', 'tcp://127.0.0.1:5707'],
    inboxes: { copy: 'tcp://127.0.0.2:5705', near: 'ipc://@tickmesh-pair-near.inbox' },
  });
  t.like(of('near'), {
    inbox: ['ipc://@tickmesh-pair-near.inbox'],
    logs: ['binance/BTC-USDT/trade'],
  });
});

test('with keys a mesh may leave its computer, and each node is told the keys of its peers only', async (t) => {
  const far = two.replace('127.0.0.1,', '10.0.0.1,').replace('127.0.0.2,', '10.0.0.2,');
  await t.throwsAsync(read(far), { message: /plain tcp beyond this computer is refused/ });
  const { file } = await read(far.replace('hosts:', 'keys: secrets\nhosts:'));
  const publicKeys = { web: 'W', copy: 'C', feed: 'F', local: 'L' };
  const options = { dir: '/etc/mesh', platform: 'linux', supervision, publicKeys } as const;
  const securityOf = (host: string, name: string) =>
    plan(file, { ...options, host }).nodes.find((node) => node.name === name)?.settings.security;
  t.deepEqual(securityOf('one', 'feed'), {
    keyFile: '/srv/one/secrets/feed.key',
    publicKey: 'F',
    readers: { copy: 'C', local: 'L' },
    writers: {},
  });
  t.deepEqual(securityOf('two', 'copy'), {
    keyFile: '/srv/two/secrets/copy.key',
    publicKey: 'C',
    readers: { web: 'W' },
    writers: { feed: 'F' },
  });
});

test('a source gets its settings as they were written', async (t) => {
  const text = `version: 1\nproject: demo\nnodes:\n  feed: { run: fetcher, source: { kind: slow, every: 5s } }\n`;
  const every = z.string().transform(parseDuration).describe('Pause.');
  const slow = { ...known, sources: { slow: z.strictObject({ every }) } };
  const reading = await readTopology(text, {}, slow);
  const node = reading.ok ? reading.topology.file.nodes['feed'] : undefined;
  t.deepEqual(node?.run === 'fetcher' && node.source, { kind: 'slow', every: '5s' });
});

test("keys that start with x- are the user's own, at the top only", async (t) => {
  const good =
    'version: 1\nproject: demo\nx-team: { any: [thing] }\nnodes:\n  feed: { run: fetcher, source: { kind: synthetic } }\n';
  await t.notThrowsAsync(read(good));
  await t.throwsAsync(read(good.replace('run: fetcher,', 'run: fetcher, x-a: 1,')), {
    message: /unknown key "x-a"/,
  });
});

test('the JSON Schema that comes with tickmesh is that of the code', async (t) => {
  const file = new URL('../../spec/topology.schema.json', import.meta.url);
  const hint = 'npm run build && node dist/nodes/tickmesh.js schema > topology.schema.json';
  const shipped: unknown = JSON.parse(readFileSync(file, 'utf8'));
  t.deepEqual(shipped, JSON.parse(JSON.stringify(topologyJsonSchema(await loadKnown()))), hint);
});

test('the JSON Schema for editors describes every key', (t) => {
  const schema = topologyJsonSchema(known);
  t.is(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
  const bare: string[] = [];
  const definitions = (schema['$defs'] ?? {}) as Record<string, Record<string, unknown>>;
  const referred = ({ $ref }: Record<string, unknown>) =>
    typeof $ref === 'string' ? definitions[$ref.replace('#/$defs/', '')] : undefined;
  const visit = (at: Record<string, unknown>, path: string): void => {
    const target = referred(at) ?? at;
    for (const [key, inner] of Object.entries((target['properties'] ?? {}) as typeof definitions)) {
      const says = inner['description'] ?? referred(inner)?.['description'];
      if (typeof says !== 'string') bare.push(`${path}.${key}`);
      visit(inner, `${path}.${key}`);
    }
    for (const branch of ['oneOf', 'anyOf'] as const) {
      for (const inner of (target[branch] ?? []) as Record<string, unknown>[]) visit(inner, path);
    }
    const rest = target['additionalProperties'];
    if (typeof rest === 'object' && rest !== null)
      visit(rest as Record<string, unknown>, `${path}.*`);
    if (target['properties'] !== undefined) t.is(target['additionalProperties'], false, path);
  };
  visit(schema, '');
  t.deepEqual(bare, []);
  t.true(JSON.stringify(schema).includes('"binance","kraken"'));
});

test('variables follow the compose specification', (t) => {
  const env = { SET: 'value', EMPTY: '' };
  const become = (text: string): unknown => {
    const result = interpolate(text, env);
    return result === undefined ? text : 'refused' in result ? result.refused : result.text;
  };
  t.is(become('plain'), 'plain');
  t.is(become('${SET}'), 'value');
  t.is(become('a-${SET}-${NONE:-z}'), 'a-value-z');
  t.is(become('${EMPTY:-z}'), 'z');
  t.is(become('${EMPTY}'), '');
  t.is(become('$${SET} costs 5$$'), '${SET} costs 5$');
  t.is(become('${EMPTY:?why}'), 'EMPTY is not set: why');
  t.is(become('${NONE}'), 'NONE is not set');
  t.regex(String(become('${SET')), /must start/);
  t.regex(String(become('${1}')), /must start/);
});

test('durations and sizes are written with their units and come back as written', (t) => {
  t.is(parseDuration('500ms'), 500);
  t.is(parseDuration('1.5s'), 1500);
  t.is(parseDuration('250us'), 0.25);
  t.is(parseDuration('500'), undefined);
  t.is(parseDuration('5 s'), undefined);
  t.is(parseSize('64MB'), 64e6);
  t.is(parseSize('64MiB'), 64 * 1024 ** 2);
  t.is(parseSize('64'), undefined);
  t.is(parseSize('999999999TB'), undefined);
  for (const text of ['0s', '250us', '500ms', '90s', '15m', '36h', '2d']) {
    t.is(formatDuration(parseDuration(text)!), text);
  }
  for (const text of ['12B', '64KB', '50MB', '1GB']) t.is(formatSize(parseSize(text)!), text);
});

test('a slip of the fingers is understood, another word is not', (t) => {
  const words = ['listen', 'exchange', 'from', 'read'];
  t.is(nearest('lisen', words), 'listen');
  t.is(nearest('form', words), 'from');
  t.is(nearest('exhcange', words), 'exchange');
  t.is(nearest('flavour', words), undefined);
  t.is(nearest('x'.repeat(1e6), words), undefined);
});

test('a pattern of logs stays within its parts', (t) => {
  const matches = logMatcher(['binance/*/trade', 'kraken/BTC-*/book-25']);
  t.true(matches('binance/BTC-USDT/trade'));
  t.false(matches('binance/BTC-USDT/depth'));
  t.false(matches('binance/a/b/trade'));
  t.true(matches('kraken/BTC-USD/book-25'));
  t.false(matches('kraken/ETH-USD/book-25'));
  for (const bad of [
    '../../etc',
    '/etc/passwd/x',
    '*',
    '*/*',
    'a/b/../c',
    'a/*/c\0',
    'a/b/********',
    'a//c',
  ]) {
    t.false(isLogPattern(bad), bad);
  }
  t.throws(() => logMatcher(['../*/*']), { instanceOf: TypeError });
});
