import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import test from 'ava';
import { readTopologyText } from '../lib/topology/disk.ts';
import { TickmeshError } from '../lib/world/error.ts';
import { load } from '../nodes/command/load.ts';
import { parseFrom } from '../nodes/command/tap.ts';
import { checkEnvironment, originOf, readSettings } from '../nodes/config.ts';
import { brokenTopologies, unmark } from './support/broken-topologies.ts';
import { allGone, isRunning, runScript, type Running } from './support/processes.ts';

const script = fileURLToPath(new URL('../nodes/tickmesh.js', import.meta.url));
const shipped = readFileSync(new URL('../../topology.yaml', import.meta.url), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'tickmesh-command-'));
test.after.always(() => rmSync(folder, { recursive: true, force: true }));

const tickmesh = (
  args: readonly string[],
  env: Record<string, string> = {},
  cwd = folder,
): Running => runScript(script, args, { cwd, env });

function write(name: string, text: string): string {
  writeFileSync(join(folder, name), text);
  return name;
}

const listening = (port = 0): Promise<Server & { port: number }> =>
  new Promise((resolve) => {
    const server = createServer();
    server.listen(port, '127.0.0.1', () => {
      resolve(Object.assign(server, { port: (server.address() as AddressInfo).port }));
    });
  });
async function freePort(): Promise<number> {
  const server = await listening();
  await new Promise((done) => server.close(done));
  return server.port;
}

/** The shipped topology in a folder of its own, under a project name of its own, on free ports. */
async function demo(): Promise<{ cwd: string; env: Record<string, string>; binance: number }> {
  const cwd = mkdtempSync(join(folder, 'demo-'));
  const project = `spec-${process.pid}-${Math.floor(performance.now() * 1000)}`;
  writeFileSync(
    join(cwd, 'topology.yaml'),
    shipped.replace('project: demo', `project: ${project}`),
  );
  const binance = await freePort();
  const env = {
    TICKMESH_BINANCE_PORT: String(binance),
    TICKMESH_KRAKEN_PORT: String(await freePort()),
  };
  return { cwd, env, binance };
}

/** Processes of the nodes that `up` has started, from its log. */
function nodePids(cwd: string): number[] {
  const text = readFileSync(join(cwd, '.tickmesh/logs/tickmesh.log'), 'utf8');
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    const { node, nodePid } = JSON.parse(line) as { node?: string; nodePid?: number };
    return node !== undefined && nodePid !== undefined ? [nodePid] : [];
  });
}

for (const name of ['a misspelt key', 'a tab', 'a port twice', 'a variable of the wrong type']) {
  test(`check of a broken topology ends with 2 and no stack trace: ${name}`, async (t) => {
    const broken = brokenTopologies.find((each) => each.name === name)!;
    const marked = unmark(broken.text);
    const file = write(`${name.replaceAll(' ', '-')}.yaml`, marked.text);
    const { code, out, err } = await tickmesh(['check', file], broken.env).ended;
    t.is(code, 2);
    t.is(out, '');
    t.true('line' in marked && err.startsWith(`${file}:${marked.line}:${marked.column}  `), err);
    t.true(err.includes(broken.says) && err.includes(broken.hint), err);
    t.regex(err, /^ +\| +\^+$/m);
    t.notRegex(err, /^\s+at .*:\d+:\d+/m);
  });
}

test('up of a broken topology starts nothing', async (t) => {
  const file = write(
    'broken-up.yaml',
    shipped.replace('from: kraken-fetcher', 'from: kraken-fether'),
  );
  const { code, err } = await tickmesh(['up', file]).ended;
  t.is(code, 2);
  t.true(
    err.includes('did you mean "kraken-fetcher"?') && err.includes('nothing was started'),
    err,
  );
});

test('what is wrong outside of the file is one line, a remedy and exit code 2', async (t) => {
  write('good.yaml', shipped);
  const cases: [string[], Record<string, string>, RegExp][] = [
    [['check', 'none.yaml'], {}, /none\.yaml does not exist\n {2}-> name one/],
    [
      ['check', 'good.yaml'],
      { TICKMESH_LOGLEVEL: 'debug' },
      /TICKMESH_LOGLEVEL\n {2}-> did you mean TICKMESH_LOG_LEVEL\?/,
    ],
    [
      ['check', 'good.yaml', '--stop-grace', '5'],
      {},
      /--stop-grace: want a duration with its unit.*got "5"\n/,
    ],
    [
      ['check', '--lgo-level', 'debug'],
      {},
      /unknown option '--lgo-level'\n\(Did you mean --log-level\?\)/,
    ],
    [['tap', '../../etc/passwd'], {}, /not a log: .*\n {2}-> write <exchange>/],
    [
      ['tap', 'binance/BTC-USDT/trade', '--data', 'nowhere'],
      {},
      /there is no log .*\n {2}-> start the mesh/,
    ],
  ];
  for (const [args, env, wanted] of cases) {
    const { code, err } = await tickmesh(args, env).ended;
    t.is(code, 2, `${args.join(' ')}: ${err}`);
    t.regex(err, wanted);
    t.notRegex(err, /^\s+at .*:\d+:\d+/m);
  }
});

test('a file that is no topology is refused before it is read', async (t) => {
  const binary = join(folder, 'binary.yaml');
  writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00, 0xd8]));
  const large = join(folder, 'large.yaml');
  writeFileSync(large, Buffer.alloc((1 << 20) + 1, 35));
  const cases: [string, RegExp][] = [
    [folder, /is not a file/],
    [binary, /is not UTF-8 text/],
    [large, /is larger than 1 MiB/],
    [join(binary, 'below'), /cannot be read \(ENOTDIR\)/],
  ];
  for (const [file, message] of cases) {
    const error = t.throws(() => readTopologyText(file), { message, instanceOf: TickmeshError });
    t.truthy(error.remedy);
  }
  const good = join(folder, 'hosts.yaml');
  writeFileSync(good, shipped);
  await t.throwsAsync(load({ file: good, host: 'lokal', options: {} }, {}), {
    message: /no host "lokal"/,
  });
});

test('check explains the topology that comes with tickmesh', async (t) => {
  write('shipped.yaml', shipped);
  const { code, out } = await tickmesh(['check', 'shipped.yaml'], { TICKMESH_BINANCE_PORT: '8001' })
    .ended;
  t.is(code, 0);
  t.regex(out, /shipped\.yaml is sound: project demo, 4 nodes on 1 host/);
  t.regex(out, /binance at http\+ws:\/\/127\.0\.0\.1:8001/);
  t.regex(out, /binance-fetcher -> binance +files +notices zeromq ipc:/);
});

test('check shows what each link listens to, and no password', async (t) => {
  const nodes = `
  recorder: { run: fetcher, notify: [zeromq, 'redis://me:secret@127.0.0.1:6379'], source: { kind: synthetic } }
  all: { run: publisher, exchange: binance, from: recorder, listen: { port: 8001 } }
  one: { run: publisher, exchange: binance, from: recorder, hear: redis, listen: { port: 8002 } }
`;
  write('chosen.yaml', `version: 1\nproject: chosen\nnodes:${nodes}`);
  const { out } = await tickmesh(['check', 'chosen.yaml']).ended;
  const redis = 'redis://127.0.0.1:6379?channel=chosen.recorder';
  t.true(out.includes(`notices zeromq ipc://@tickmesh-chosen-recorder.feed, ${redis}\n`), out);
  t.true(out.includes(`chosen ${redis}\n`), out);
  const json = await tickmesh(['check', 'chosen.yaml', '--json']).ended;
  t.notRegex(out + json.out, /secret/);
  t.regex(json.out, /"redis:\/\/127\.0\.0\.1:6379\?channel=chosen\.recorder"/);
});

test.serial(
  'up serves, restarts what dies, lets a log be tapped, and stops in order with nothing left',
  async (t) => {
    const { cwd, env, binance } = await demo();
    const running = tickmesh(['up'], env, cwd);
    await running.line(/all 4 nodes are ready/);
    await running.line(new RegExp(`binance .*ws://127\\.0\\.0\\.1:${binance}`));
    const pids = nodePids(cwd);
    t.is(pids.length, 4);
    if (process.platform === 'linux') {
      const own = getPriority();
      const niceness = pids.map((pid) => getPriority(pid) - own).sort((a, b) => a - b);
      t.deepEqual(
        niceness,
        [0, 0, 5, 5].map((nice) => Math.min(nice, 19 - own)),
      );
    }

    const ping = await fetch(`http://127.0.0.1:${binance}/api/v3/ping`);
    t.is(await ping.text(), '{}');
    const tapped = await tickmesh(
      ['tap', 'binance/BTC-USDT/depth', '--from', 'start', '-n', '3', '--json'],
      env,
      cwd,
    ).ended;
    t.is(tapped.code, 0, tapped.err);
    t.is(tapped.out.split('\n').filter((line) => line.startsWith('{"t":')).length, 3);

    const publisher = Number(
      /"nodePid":(\d+)[^\n]*"binance is ready/.exec(
        readFileSync(join(cwd, '.tickmesh/logs/tickmesh.log'), 'utf8'),
      )?.[1],
    );
    process.kill(publisher, 'SIGKILL');
    await running.line(/binance was killed by SIGKILL; it is started again/);
    while (nodePids(cwd).length < 5) await new Promise((next) => setTimeout(next, 50));
    t.is((await fetch(`http://127.0.0.1:${binance}/api/v3/ping`)).status, 200);

    running.child.kill('SIGTERM');
    const { code, out } = await running.ended;
    t.is(code, 143);
    t.regex(out, /all nodes are stopped/);
    t.false(nodePids(cwd).some(isRunning));
    t.true(['binance', 'kraken'].every((name) => readdirSync(join(cwd, 'data')).includes(name)));
  },
);

test.serial('kill -9 of up leaves no node, and the next up goes on where it was', async (t) => {
  const { cwd, env } = await demo();
  const first = tickmesh(['up'], env, cwd);
  await first.line(/all 4 nodes are ready/);
  const pids = nodePids(cwd);
  t.is(pids.filter(isRunning).length, 4);
  first.child.kill('SIGKILL');
  await allGone(pids);
  const second = tickmesh(['up', '--log-format', 'json'], env, cwd);
  await second.line(/all 4 nodes are ready/);
  second.child.kill('SIGINT');
  const { code, out } = await second.ended;
  t.is(code, 0);
  for (const line of out.split('\n')) t.notThrows(() => JSON.parse(line), line);
});

test.serial('up runs a replica too, and its files are the bytes of its source', async (t) => {
  const { cwd } = await demo();
  const text = readFileSync(join(cwd, 'topology.yaml'), 'utf8');
  const project = /project: .*/.exec(text)![0];
  const nodes = `  feed:\n    run: fetcher\n    source: { kind: synthetic, kraken: [], rate: 500 }\n  copy:\n    run: replica\n    from: feed\n    data: copy\n    logs: ['*/BTC-USDT/*']\n`;
  writeFileSync(join(cwd, 'topology.yaml'), `version: 1\n${project}\nnodes:\n${nodes}`);
  const running = tickmesh(['up'], {}, cwd);
  await running.line(/copies 3 logs of feed/);
  const depth = 'binance/BTC-USDT/depth';
  const tapped = await tickmesh(['tap', depth, '-d', 'copy', '-f', 'start', '-n', '20'], {}, cwd)
    .ended;
  t.is(tapped.out.split('\n').length, 20, tapped.err);
  running.child.kill('SIGTERM');
  t.is((await running.ended).code, 143);
  const bytesIn = (data: string): Buffer =>
    Buffer.concat(
      readdirSync(join(cwd, data, depth))
        .filter((name) => /^\d{20}-\d+\.jsonl$/.test(name))
        .sort()
        .map((name) => readFileSync(join(cwd, data, depth, name))),
    );
  const [source, copy] = [bytesIn('data'), bytesIn('copy')];
  t.true(copy.length > 0 && source.subarray(0, copy.length).equals(copy));
  t.deepEqual(
    readdirSync(join(cwd, 'copy/binance')).filter((name) => !name.startsWith('.')),
    ['BTC-USDT'],
  );
});

test.serial(
  'a port that is taken is named with a remedy, and nothing is left running',
  async (t) => {
    const { cwd, env, binance } = await demo();
    const server = await listening(binance);
    const { code, err } = await tickmesh(['up'], env, cwd).ended;
    server.close();
    t.is(code, 1);
    t.regex(err, new RegExp(`^tickmesh: binance failed: .*${binance}.*\\n {2}-> .+`));
    t.notRegex(err, /^\s+at /m);
    t.false(nodePids(cwd).some(isRunning));
  },
);

test.serial('a data folder that cannot be made is named with a remedy', async (t) => {
  const { cwd, env } = await demo();
  writeFileSync(join(cwd, 'data'), 'a file, no folder');
  const { code, err } = await tickmesh(['up'], env, cwd).ended;
  t.is(code, 1);
  t.regex(err, /^tickmesh: (binance|kraken)-fetcher .*cannot write .*\n {2}-> .+/);
  t.notRegex(err, /^\s+at /m);
});

test('options go before variables, variables before the node, the node before the defaults of the file', (t) => {
  const written = {
    defaults: { log: { level: 'warn' }, stop: { grace: '3s' }, restart: { max: 7, backoff: '2s' } },
    nodes: { web: { stop: { grace: '4s' }, log: { level: 'error' } } },
  };
  const of = (options: Record<string, string>, env: Record<string, string>, node?: string) =>
    readSettings({ options, env, written }, node);
  t.is(of({ 'log-level': 'trace' }, { TICKMESH_LOG_LEVEL: 'debug' }, 'web').log.level, 'trace');
  t.is(of({}, { TICKMESH_LOG_LEVEL: 'debug' }, 'web').log.level, 'debug');
  t.is(of({}, {}, 'web').log.level, 'error');
  t.is(of({}, {}).log.level, 'warn');
  t.is(of({}, {}, 'web').stop.grace, 4000);
  t.is(of({}, {}).stop.grace, 3000);
  t.is(of({}, { TICKMESH_RESTART_MAX: '9' }).restart.max, 9);
  t.is(of({}, {}).restart.max, 7);
  t.is(of({}, {}).restart.max_backoff, 30_000);
  const sources = { options: {}, env: { TICKMESH_LOG_LEVEL: 'debug' }, written };
  t.is(originOf(sources, 'log.level', 'web'), 'environment');
  t.is(originOf(sources, 'stop.grace', 'web'), 'node');
  t.is(originOf(sources, 'stop.grace'), 'defaults');
  t.is(originOf(sources, 'ready.timeout'), 'built-in');
});

test('a setting with a wrong value is named by the layer that has it', (t) => {
  const of = (options: Record<string, string>, env: Record<string, string>) => () =>
    readSettings({ options, env, written: {} });
  t.throws(of({ 'restart-max': '1e3' }, {}), {
    code: 'CONFIG_INVALID',
    message: /^--restart-max: want a whole number, got "1e3"/,
  });
  t.throws(of({}, { TICKMESH_RESTART_MAX: '9007199254740993' }), {
    message: /^TICKMESH_RESTART_MAX: .*got "9007199254740993"/,
  });
  t.throws(of({}, { TICKMESH_STOP_GRACE: '5' }), {
    message: /TICKMESH_STOP_GRACE: want a duration/,
  });
});

test('a variable with our prefix that nothing reads is refused', (t) => {
  t.throws(() => checkEnvironment({ TICKMESH_RESTART_MAXBACKOFF: '1s' }), {
    code: 'CONFIG_INVALID',
  });
  t.notThrows(() =>
    checkEnvironment({ TICKMESH_BINANCE_PORT: '1', PATH: '' }, ['TICKMESH_BINANCE_PORT']),
  );
  t.throws(() => checkEnvironment({ TICKMESH_BINANCE_PORT: '1' }), {
    message: /TICKMESH_BINANCE_PORT/,
  });
});

test('a place in a log is start, end, records or time before the end, or a time', (t) => {
  t.is(parseFrom('start'), 'start');
  t.deepEqual(parseFrom('-100'), { last: 100 });
  t.deepEqual(parseFrom('-15m'), { beforeEndUs: 900_000_000 });
  t.deepEqual(parseFrom('2024-08-08T23:55:00Z'), { timeUs: 1_723_161_300_000_000 });
  for (const bad of ['', '5', '-', '-5x', 'yesterday', '2024-13-01']) {
    t.throws(() => parseFrom(bad), { code: 'CONFIG_INVALID' });
  }
});
