#!/usr/bin/env node
/** The `tickmesh` command: reads the command line, runs one verb, prints what went wrong in one line and a remedy. */
import { readFileSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { TickmeshError } from '../lib/world/error.ts';
import { optionName, settingNames } from '../lib/topology/settings.ts';
import { InvalidTopology, type Given } from './command/load.ts';

const { version } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { version: string };

const program = new Command('tickmesh')
  .description(
    'Market data as the exchanges send it, from files, seeds or recordings, without a broker.',
  )
  .version(version)
  .showHelpAfterError('(tickmesh --help shows what there is)')
  .exitOverride()
  .addHelpText(
    'after',
    `
Examples:
  tickmesh up                          run topology.yaml of this folder until Ctrl-C
  tickmesh check mesh.yaml             what a topology means, or what is wrong with it
  tickmesh tap binance/BTC-USDT/trade  follow a log
  tickmesh <command> --help            options and examples of one command

Exit codes: 0 fine, 1 a node failed, 2 wrong usage or file, 4 not ready in time, 130 killed, 143 terminated.`,
  );
let exitCode = 0;

/** A command that reads a topology: every setting is an option. */
function withSettings(command: Command): Command {
  command.option('--host <name>', 'host of the topology that this computer is (or TICKMESH_HOST)');
  for (const setting of settingNames) {
    command.option(
      `${optionName(setting)} <value>`,
      `sets defaults: ${setting.replace('.', ': ')}`,
    );
  }
  return command;
}

/** What was given, options by their names as written. */
function given(file: string | undefined, command: Command): Given {
  const options: Record<string, string | undefined> = {};
  for (const option of command.options) {
    const value: unknown = command.getOptionValue(option.attributeName());
    if (typeof value === 'string') options[option.long!.slice(2)] = value;
  }
  return { file, host: options['host'], options };
}

withSettings(program.command('up'))
  .argument('[file]', 'topology (default: $TICKMESH_TOPOLOGY or topology.yaml)')
  .option('--only <nodes>', 'start these nodes alone, e.g. --only fetcher,binance')
  .description("start this host's nodes, wait until all are ready, run until Ctrl-C")
  .addHelpText(
    'after',
    `
All or nothing: when a node fails before all were ready, everything is stopped and the reason said.
Later a node that dies is started again, waiting longer each time. Stopping goes in reverse order; a second
Ctrl-C kills. Nodes never outlive this command, however it ends.
Every option has a variable: --log-level is TICKMESH_LOG_LEVEL. Options go before variables, before the file.

Examples:
  tickmesh up
  tickmesh up mesh.yaml --log-level debug --stop-grace 2s
  tickmesh up mesh.yaml --only binance
  TICKMESH_BINANCE_PORT=8001 tickmesh up`,
  )
  .action(async (file: string | undefined, _options: unknown, command: Command) => {
    const { up } = await import('./command/up.ts');
    const only = command.getOptionValue('only') as string | undefined;
    exitCode = await up({ ...given(file, command), only }, process.env);
  });

withSettings(program.command('check'))
  .argument('[file]', 'topology (default: $TICKMESH_TOPOLOGY or topology.yaml)')
  .option('--json', 'print the launch plan of this host as JSON')
  .description(
    'explain a topology: nodes, links, transports; or every error with its place and a hint',
  )
  .addHelpText(
    'after',
    `
Starts nothing. Exit code 2 when something is wrong.

Examples:
  tickmesh check
  tickmesh check mesh.yaml --json | jq '.nodes[].settings'`,
  )
  .action(
    async (file: string | undefined, { json = false }: { json?: boolean }, command: Command) => {
      const { check } = await import('./command/check.ts');
      exitCode = await check({ ...given(file, command), json }, process.env, print);
    },
  );

program
  .command('schema')
  .description('print the JSON Schema of topology.yaml, for editors')
  .addHelpText(
    'after',
    `
Example:
  tickmesh schema > topology.schema.json
  and in the first line of topology.yaml: # yaml-language-server: $schema=./topology.schema.json`,
  )
  .action(async () => {
    const { loadKnown } = await import('../lib/topology/known.ts');
    const { topologyJsonSchema } = await import('../lib/topology/schema.ts');
    print(`${JSON.stringify(topologyJsonSchema(await loadKnown()), null, 2)}\n`);
  });

program
  .command('tap')
  .argument('<log>', 'e.g. binance/BTC-USDT/trade; "*" stands for any letters of one part')
  .option(
    '-f, --from <place>',
    'start, end, -100 (records), -15m (time before the end), or a time',
    'end',
  )
  .option('-n, --count <records>', 'end after so many records')
  .option('-e, --exit', 'end at the end instead of following', false)
  .option('-d, --data <folder>', 'data folder (default: that of topology.yaml)')
  .option('--json', 'print the lines as they are in the log', false)
  .description('print records of a log as they come')
  .addHelpText(
    'after',
    `
Reads files only: it works beside a running mesh and without one, and disturbs nobody.

Examples:
  tickmesh tap binance/BTC-USDT/trade
  tickmesh tap 'kraken/*/trade' --from -15m
  tickmesh tap binance/BTC-USDT/depth --from start --exit --json | jq .data.u
  tickmesh tap binance/BTC-USDT/trade --from -1000 --exit -n 10`,
  )
  .action(async (log: string, options: Record<string, never>) => {
    const { tap } = await import('./command/tap.ts');
    exitCode = await tap(
      { ...(options as object as Omit<Parameters<typeof tap>[0], 'log'>), log },
      process.env,
    );
  });

program
  .command('bench')
  .argument('[what]', 'notify, sweep, idle, throughput, replay, catchup, fanout, or all', 'notify')
  .option('--rate <list>', 'records a second (default 1000,10000)')
  .option('--duration <time>', 'measured time of a run (default 2s)')
  .option('--warmup <time>', 'time before that, not counted (default 1s; all: 500ms)')
  .option('--sizes <list>', 'bytes of a line (default 158)')
  .option('--transports <list>', 'only these ways, by name')
  .option('--runs <count>', 'rounds of interleaved runs (default 5)')
  .option('--shape <shape>', 'constant (default), poisson, or burst:<recorded file>')
  .option(
    '--records <count>',
    'records of a history to replay (default 1000000, for the memory of a publisher 10000000)',
  )
  .option('--dir <folder>', 'where the files go (default: the system temporary folder)')
  .option(
    '--nice <n>',
    'niceness of all processes, e.g. -15 on a busy machine (needs the right to)',
  )
  .option('--json <file>', 'everything as JSON, with .hgrm and .hlog files in a folder beside it')
  .option('--html <file>', 'one page with charts and verdicts, without anything from elsewhere')
  .option('--write <file>', 'the figures as Markdown, e.g. spec/benchmarks.md')
  .option('--save-baseline <file>', 'keep the figures')
  .option('--baseline <file>', 'compare with kept figures; exit code 1 when something is worse')
  .description(
    'measure this machine: every way of notifying against its peers, and what the mesh can carry',
  )
  .addHelpText(
    'after',
    `
Open loop: every record has its time before the first one goes out, and latency counts from then as well as from the
append. Separate processes, real files; a record lost, doubled or out of order makes a result FAIL (exit code 1).
Redis and RabbitMQ are started on ports of their own where they are installed, and stopped afterwards.

Examples:
  tickmesh bench notify
  tickmesh bench notify --transports zeromq,tickmesh --rate 1000 --runs 3
  tickmesh bench notify --shape burst:data/binance/BTC-USDT/trade/00000000000000000000-1.jsonl
  tickmesh bench all --json report.json --html report.html --write spec/benchmarks.md`,
  )
  .action(async (what: string, options: object) => {
    const { bench } = await import('./command/bench.ts');
    exitCode = await bench({ ...options, what }, print);
  });

const keys = program
  .command('keys')
  .description('make and show the keys that nodes know each other by')
  .addHelpText(
    'after',
    `
A mesh with keys (keys: keys, at the top of topology.yaml) encrypts all sockets between nodes and admits those nodes only
that its links name; one without keys does not leave this computer.

Examples:
  tickmesh keys new                    for all nodes of this host that have none
  tickmesh keys show
  tickmesh keys rotate binance-fetcher`,
  );

/** Options of all verbs of keys. */
const withPlace = (command: Command): Command =>
  command
    .option('--topology <file>', 'topology (default: $TICKMESH_TOPOLOGY or topology.yaml)')
    .option('--host <name>', 'host of the topology that this computer is (or TICKMESH_HOST)')
    .option('-d, --dir <folder>', 'folder of the keys (default: that of the topology, else keys)');

withPlace(keys.command('new'))
  .argument('[nodes...]', 'names of nodes (default: all of this host that have no keys)')
  .description('make key pairs: <node>.key stays on this host, <node>.pub goes to all')
  .action(async (nodes: string[], options: object) => {
    const { newNodeKeys } = await import('./command/keys.ts');
    exitCode = await newNodeKeys(nodes, options, process.env, print);
  });
withPlace(keys.command('show'))
  .description('show public keys, and what is wrong with the files')
  .action(async (options: object) => {
    const { showKeys } = await import('./command/keys.ts');
    exitCode = await showKeys(options, process.env, print);
  });
withPlace(keys.command('rotate'))
  .argument('<node>', 'name of a node')
  .description("replace a node's key pair")
  .action(async (node: string, options: object) => {
    const { rotateKeys } = await import('./command/keys.ts');
    exitCode = await rotateKeys(node, options, process.env, print);
  });

function print(text: string): void {
  process.stdout.write(text);
}

/** One line and what to do; a stack only for what should never happen. */
function complain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof InvalidTopology) process.stderr.write(`${error.message}\n`);
  else if (error instanceof TickmeshError) {
    process.stderr.write(`tickmesh: ${error.message}\n`);
    if (error.remedy !== undefined) process.stderr.write(`  -> ${error.remedy}\n`);
    const usage = ['CONFIG_INVALID', 'NAME_INVALID', 'LOG_MISSING', 'INSECURE'].includes(
      error.code,
    );
    return usage ? 2 : 1;
  } else {
    process.stderr.write(
      `tickmesh: this is a defect, please report it\n${String((error as Error)?.stack ?? error)}\n`,
    );
    return 70;
  }
  return 2;
}

try {
  await program.parseAsync();
} catch (error) {
  exitCode = complain(error);
}
// Not process.exit: what was printed may still be on its way into a pipe.
process.exitCode = exitCode;
