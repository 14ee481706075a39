/**
 * A mesh with keys as its users run it: `tickmesh keys` and `tickmesh up` on two hosts (two folders and two loopback
 * addresses), real processes, CURVE between them, a client on a real WebSocket.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  readFileSync,
  readdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { LogReader } from '../lib/log/disk-reader.ts';
import { logName } from '../lib/log/name.ts';
import { segmentsOf, until } from './support/copies.ts';
import { FrameClient } from './support/mesh-client.ts';
import { freePort, MeshFolder } from './support/mesh-up.ts';
import type { Running } from './support/processes.ts';

const FILE = 'two.yaml';
const LOGS = ['trade', 'depth', 'bookTicker'].map((name) => logName(`binance/BTC-USDT/${name}`));

/** Two hosts with the same topology; keys are made on each, and the public ones copied to the other. */
class TwoHosts {
  readonly alpha: MeshFolder;
  readonly beta: MeshFolder;
  readonly port: number;
  readonly source: string;
  readonly copy: string;

  constructor(t: ExecutionContext, port: number) {
    this.alpha = new MeshFolder(t);
    this.beta = new MeshFolder(t);
    this.port = port;
    this.source = join(this.alpha.dir, 'data');
    this.copy = join(this.beta.dir, 'mirror');
    const text = `version: 1
project: ${this.alpha.project}
ports: ${10_000 + Math.floor(Math.random() * 15_000)}
keys: keys
hosts:
  alpha: { address: 127.0.0.1 }
  beta: { address: 127.0.0.2 }
nodes:
  recorder:
    host: alpha
    run: fetcher
    source: { kind: synthetic, rate: 200, binance: [BTC-USDT], kraken: [] }
  mirror:
    host: beta
    run: replica
    from: recorder
    data: mirror
  binance:
    host: beta
    run: publisher
    exchange: binance
    from: mirror
    listen: { port: ${port} }
`;
    for (const { dir } of [this.alpha, this.beta]) writeFileSync(join(dir, FILE), text);
  }

  keys(host: 'alpha' | 'beta', verb: string, ...nodes: string[]): Running['ended'] {
    return this[host].run(['keys', verb, ...nodes, '--topology', FILE, '--host', host]).ended;
  }
  /** Copies public keys of one host to the other. */
  share(from: 'alpha' | 'beta'): void {
    const [own, other] = [this[from].dir, this[from === 'alpha' ? 'beta' : 'alpha'].dir];
    for (const name of readdirSync(join(own, 'keys')))
      if (name.endsWith('.pub')) copyFileSync(join(own, 'keys', name), join(other, 'keys', name));
  }
  /** Starts both; resolves when all nodes are ready. */
  up(): Promise<[Running, Running]> {
    const on = (host: 'alpha' | 'beta'): Promise<Running> => this[host].up([FILE, '--host', host]);
    return Promise.all([on('alpha'), on('beta')]);
  }
  client(t: ExecutionContext): FrameClient {
    const client = new FrameClient(`ws://127.0.0.1:${this.port}/ws/btcusdt@trade`);
    t.teardown(() => client.close());
    return client;
  }
}

const endOf = (data: string, log: (typeof LOGS)[number]): number => {
  using reader = new LogReader(data, log);
  return reader.head()?.position ?? 0;
};

async function stop({ child, ended }: Running): Promise<number | null> {
  child.kill('SIGINT');
  return (await ended).code;
}

/** Stops the source, waits until the copy has all of it, stops the copy: then both hold the same files. */
async function stopAndCompare(
  t: ExecutionContext,
  hosts: TwoHosts,
  [alpha, beta]: [Running, Running],
): Promise<number> {
  t.is(await stop(alpha), 0);
  for (const log of LOGS)
    await until(
      `the copy of ${log} is whole`,
      () => endOf(hosts.copy, log) === endOf(hosts.source, log),
    );
  t.is(await stop(beta), 0);
  for (const log of LOGS) {
    t.true(endOf(hosts.source, log) > 0);
    t.deepEqual(segmentsOf(hosts.copy, log), segmentsOf(hosts.source, log), log);
  }
  return LOGS.reduce((sum, log) => sum + endOf(hosts.source, log), 0);
}

test('two hosts with keys: clients of the far one get frames, its files are the source’s, and a rotated key goes on', async (t) => {
  t.timeout(180_000);
  const hosts = new TwoHosts(t, await freePort());
  for (const [host, nodes] of [
    ['alpha', ['recorder']],
    ['beta', ['mirror', 'binance']],
  ] as const) {
    const made = await hosts.keys(host, 'new');
    t.is(made.code, 0, made.err);
    for (const node of nodes) {
      t.regex(made.out, new RegExp(`^${node} {2}\\S{40}$`, 'm'));
      t.is(statSync(join(hosts[host].dir, 'keys', `${node}.key`)).mode & 0o777, 0o600);
    }
  }
  hosts.share('alpha');
  hosts.share('beta');
  const shown = await hosts.keys('beta', 'show');
  t.is(shown.code, 0, shown.out);
  t.regex(shown.out, /^recorder +\S{40} +public key only$/m);

  const first = await hosts.up();
  const client = hosts.client(t);
  await until('frames come', () => client.frames.length >= 20, 60_000);
  t.regex(client.frames[0]!.toString(), /^\{"e":"trade",.*"s":"BTCUSDT"/);
  const before = await stopAndCompare(t, hosts, first);

  // Another key for one node, told to the other host: everything goes on where it was.
  const old = (await hosts.keys('beta', 'show')).out;
  const rotated = await hosts.keys('beta', 'rotate', 'mirror');
  t.is(rotated.code, 0, rotated.err);
  t.false(old.includes(/^mirror {2}(\S{40})$/m.exec(rotated.out)![1]!));
  hosts.share('beta');
  const second = await hosts.up();
  const again = hosts.client(t);
  await until('frames come again', () => again.frames.length >= 20, 60_000);
  const after = await stopAndCompare(t, hosts, second);
  t.true(after > before);
  t.log(`${before} bytes copied with the first key, ${after - before} with the second`);
});

test('a node whose secret key others can read is refused, with what to do', async (t) => {
  const hosts = new TwoHosts(t, await freePort());
  await hosts.keys('alpha', 'new');
  await hosts.keys('beta', 'new');
  hosts.share('alpha');
  hosts.share('beta');
  chmodSync(join(hosts.alpha.dir, 'keys', 'recorder.key'), 0o644);
  const { code, out, err } = await hosts.alpha.run(['up', FILE, '--host', 'alpha']).ended;
  t.not(code, 0);
  t.regex(out + err, /recorder\.key/);
  t.regex(out + err, /chmod 600/);
  t.deepEqual(hosts.alpha.leftRunning(), []);
  t.is(endOf(hosts.source, LOGS[0]!), 0, 'nothing was written');
});

test('a key that only one host knows opens nothing: no byte is copied, and the source says who it was', async (t) => {
  t.timeout(120_000);
  const hosts = new TwoHosts(t, await freePort());
  await hosts.keys('alpha', 'new');
  await hosts.keys('beta', 'new');
  hosts.share('alpha');
  hosts.share('beta');
  // Rotated, and the other host was not told.
  t.is((await hosts.keys('beta', 'rotate', 'mirror')).code, 0);
  const alpha = await hosts.alpha.up([FILE, '--host', 'alpha']);
  const beta = hosts.beta.run(['up', FILE, '--host', 'beta']);
  const said = join(hosts.alpha.dir, '.tickmesh/logs/recorder.log');
  const told = (): boolean =>
    existsSync(said) && /turned away: .*unlisted keys/.test(readFileSync(said, 'utf8'));
  await until('the source says that it turned somebody away', told, 60_000);
  for (const log of LOGS) t.is(endOf(hosts.copy, log), 0);
  await stop(beta);
  t.is(await stop(alpha), 0);
});
