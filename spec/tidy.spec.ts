import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import test from 'ava';

/** The stations of lib/, in the order in which they may use each other: each only itself and those before it. */
const order = [
  'world',
  'market',
  'mesh',
  'log',
  'exchange',
  'notifier',
  'source',
  'catchup',
  'follower',
  'feed',
  'fetcher',
  'replica',
  'publisher',
  'topology',
  'launch',
  'conformance',
  'bench',
];

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name))
    .sort();

const source = [...filesBelow('lib'), ...filesBelow('nodes')];
const textOf = new Map(source.map((file) => [file, readFileSync(file, 'utf8')]));

/** The text without comments: what it says is not what it does. */
const codeOf = (file: string): string =>
  textOf
    .get(file)!
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '');

const importsOf = (file: string): string[] =>
  [...codeOf(file).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((match) => match[1]!);

const stationOf = (file: string): string | undefined => {
  const [top, station, ...rest] = file.split(sep);
  return top === 'lib' && rest.length > 0 ? station : undefined;
};

test('every folder of lib/ has its place in the order', (t) => {
  const stations = new Set(source.map(stationOf).filter((name) => name !== undefined));
  t.deepEqual([...stations].sort(), [...order].sort());
});

test('a station uses only itself and stations before it, and nothing of nodes/ or spec/', (t) => {
  const wrong: string[] = [];
  for (const file of source) {
    const station = stationOf(file);
    if (station === undefined) continue;
    for (const name of importsOf(file)) {
      if (!name.startsWith('.')) continue;
      const target = normalize(join(dirname(file), name));
      const other = stationOf(target);
      if (other === undefined || order.indexOf(other) > order.indexOf(station))
        wrong.push(`${file} imports ${target}`);
    }
  }
  t.deepEqual(wrong, []);
});

test('files are imported by their names, as they are', (t) => {
  const wrong = source.flatMap((file) =>
    importsOf(file)
      .filter((name) => name.startsWith('.') && !name.endsWith('.ts') && !name.endsWith('.json'))
      .map((name) => `${file}: ${name}`),
  );
  t.deepEqual(wrong, []);
});

test('no file is longer than 300 lines', (t) => {
  const long = [...textOf].filter(([, text]) => text.trimEnd().split('\n').length > 300);
  t.deepEqual(
    long.map(([file]) => file),
    [],
  );
});

test('a file opens by saying what it is', (t) => {
  const silent = [...textOf]
    .filter(([, text]) => !/^(?:#![^\n]*\n)?\/\*\*/.test(text))
    .map(([file]) => file);
  t.deepEqual(silent, []);
});

/** Named after a tool, a file may use it; any other is told what it needs. */
const tools =
  /^(?:disk|zeromq|websocket|http|process|socket|timer|bell|clock|logger|redis|rabbitmq|watching|ipc|random|stamps|inspect)$/;
const isTool = (file: string): boolean =>
  file
    .split(sep)
    .at(-1)!
    .replace(/\.ts$/, '')
    .split('-')
    .some((word) => tools.test(word));

/** Stations that put load on a mesh and measure it are made of tools. */
const measuring = ['conformance', 'bench'];
/** What runs a station: loops that wait and yield around pure pieces. */
const loops = new Set(['lib/feed/feed.ts', 'lib/fetcher/fetcher.ts', 'lib/replica/replica.ts']);

test('what decides touches no file, socket, process, clock or chance, unless it is named after that tool', (t) => {
  const modules =
    /^(?:node:)?(?:fs|fs\/promises|net|dgram|tls|http|https|child_process|worker_threads|timers|timers\/promises)$|^(?:zeromq|ws)$/;
  const wrong: string[] = [];
  for (const file of source) {
    const station = stationOf(file);
    if (!station || measuring.includes(station) || isTool(file)) continue;
    const code = codeOf(file);
    // A type is no tool.
    for (const [line] of code.matchAll(/^(?:import|export) [\s\S]*?from '[^']+';/gm)) {
      const name = /'([^']+)'/.exec(line)![1]!;
      const waits = loops.has(file) && name === 'node:timers/promises';
      if (modules.test(name) && !line.startsWith('import type') && !waits)
        wrong.push(`${file} imports ${name}`);
    }
    for (const [use] of code.matchAll(
      /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\b(?:setTimeout|setInterval|setImmediate|performance\.now)\(/g,
    ))
      if (!loops.has(file) || use !== 'setInterval(') wrong.push(`${file} uses ${use}`);
  }
  t.deepEqual(wrong, []);
});

test('nothing ends the process from within the library, and nothing is written to the terminal', (t) => {
  const wrong = source
    // What is a process of its own may end itself.
    .filter((file) => file.startsWith('lib') && !file.endsWith('-process.ts'))
    .filter((file) => /\bprocess\.exit\(|\bconsole\.\w+\(/.test(codeOf(file)));
  t.deepEqual(wrong, []);
});

test('no file knows the machine it was written on', (t) => {
  const all = [...source, ...filesBelow('spec')];
  const machine = new RegExp(
    ['/(?:home|root|Users)/[a-z]', '/wo' + 'rk/', '/tmp/w' + 't/'].join('|'),
  );
  const wrong = all.filter((file) => machine.test(readFileSync(file, 'utf8')));
  t.deepEqual(wrong, []);
});

test('the top level holds what it should and nothing else', (t) => {
  let names: string[];
  try {
    names = execFileSync('git', ['ls-files'], { encoding: 'utf8' }).split('\n');
  } catch {
    return t.log('skipped: not a checkout');
  }
  const allowed = new Set([
    '.ci',
    '.gitignore',
    '.oxfmtrc.json',
    '.oxlintrc.json',
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'data',
    'lib',
    'nodes',
    'package-lock.json',
    'package.json',
    'spec',
    'topology.yaml',
    'tsconfig.json',
  ]);
  const top = [...new Set(names.filter(Boolean).map((name) => name.split('/')[0]!))];
  t.deepEqual(
    top.filter((name) => !allowed.has(name)),
    [],
  );
});
