/** Where and on what the figures were taken: without it they mean nothing. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, loadavg, release, tmpdir, totalmem, type } from 'node:os';

export type Environment = {
  readonly at: string;
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  readonly virtualised: boolean;
  readonly governor: string;
  readonly clockSource: string;
  readonly folder: string;
  readonly fileSystem: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly commit: string;
  /** Load average of the last minute when it began. */
  readonly load: number;
};

const require = createRequire(import.meta.url);

const text = (path: string): string => {
  try {
    return readFileSync(path, 'latin1').trim();
  } catch {
    return '';
  }
};

const run = (command: string, ...args: string[]): string => {
  try {
    return execFileSync(command, args, {
      encoding: 'latin1',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return '';
  }
};

function version(name: string): string {
  try {
    return (require(`${name}/package.json`) as { version: string }).version;
  } catch {
    return '';
  }
}

export function environment(folder = tmpdir()): Environment {
  const packages = ['zeromq', 'ws', 'ioredis', 'amqplib', 'tardis-dev', 'hdr-histogram-js'];
  const cpuInfo = text('/proc/cpuinfo');
  return {
    at: new Date().toISOString(),
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `${type()} ${release()}`,
    node: process.version,
    virtualised: /^flags.*\bhypervisor\b/m.test(cpuInfo),
    governor: text('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor') || 'unknown',
    clockSource: text('/sys/devices/system/clocksource/clocksource0/current_clocksource'),
    folder,
    fileSystem: run('stat', '-f', '-c', '%T', folder),
    versions: Object.fromEntries(
      packages.map((name) => [name, version(name)]).filter(([, v]) => v),
    ),
    commit: run('git', 'rev-parse', '--short', 'HEAD'),
    load: loadavg()[0]!,
  };
}
