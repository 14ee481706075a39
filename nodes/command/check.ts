/** `tickmesh check`: what a topology means, as tables for people or as the launch plan in JSON. */
import { publicEndpoint } from '../../lib/notifier/endpoint.ts';
import { shownNotifier } from '../../lib/topology/hear.ts';
import { formatDuration } from '../../lib/topology/units.ts';
import type { NodeSettings } from '../../lib/topology/node.ts';
import type { PlannedNode } from '../../lib/topology/plan.ts';
import { hostOf, hostsOf, wire } from '../../lib/topology/wiring.ts';
import { load, type Given } from './load.ts';

export async function check(
  given: Given & { readonly json: boolean },
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): Promise<number> {
  const { topology, plan, shown, settings } = await load(given, env);
  if (given.json) {
    // Nodes are started with user and password; whoever looks need not see them.
    print(`${JSON.stringify(plan, withoutSecrets, 2)}\n`);
    return 0;
  }
  const { file } = topology;
  const hosts = Object.entries(hostsOf(file));
  const names = Object.keys(file.nodes);
  print(
    `${shown} is sound: project ${file.project}, ${counted(names.length, 'node')} on ${counted(hosts.length, 'host')}\n`,
  );
  for (const [host, { address }] of hosts) {
    print(`\n${host}  ${address}${host === plan.host && hosts.length > 1 ? '  (this one)' : ''}\n`);
    const rows = names
      .filter((name) => hostOf(file, file.nodes[name]!) === host)
      .map((name) => {
        const node = file.nodes[name]!;
        const planned = plan.nodes.find((each) => each.name === name);
        return [name, node.run, planned === undefined ? '' : doing(planned)];
      });
    print(table(rows));
  }
  const { links } = wire(file, process.platform);
  if (links.length > 0) print('\nlinks\n');
  print(
    table(
      links.map((link) => [
        `${link.writer} -> ${link.reader}`,
        link.read === 'direct' ? 'files' : 'catch-up',
        `${link.chosen ? 'chosen' : 'notices'} ${link.notices.map(shownNotifier).join(', ')}${link.inbox === undefined ? '' : `  bytes ${link.inbox}`}`,
      ]),
    ),
  );
  if (file.keys !== undefined)
    print(
      `\nkeys of ${file.keys}: sockets are encrypted and admit the nodes of these links only\n`,
    );
  const { restart, stop, ready, log } = settings;
  print(
    `\nrestart ${restart.policy}, after ${formatDuration(restart.backoff)} up to ${formatDuration(restart.max_backoff)}, ` +
      `at most ${restart.max} in ${formatDuration(restart.window)}; ready within ${formatDuration(ready.timeout)}; ` +
      `stop grace ${formatDuration(stop.grace)}; logs from ${log.level} on in ${log.dir}\n`,
  );
  return 0;
}

const withoutSecrets = (_key: string, value: unknown): unknown =>
  typeof value === 'string' ? publicEndpoint(value) : value;

function doing({ settings }: PlannedNode): string {
  const of: NodeSettings = settings;
  switch (of.run) {
    case 'fetcher':
      return `${of.source.kind} -> ${of.data}`;
    case 'replica':
      return `${of.from.writer} -> ${of.data}`;
    case 'publisher':
      return `${of.exchange} at http+ws://${of.listen.host}:${of.listen.port}`;
  }
}

const counted = (count: number, what: string): string =>
  `${count} ${what}${count === 1 ? '' : 's'}`;

/** Rows with their columns under each other. */
function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows)
    for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, cell.length);
  return rows
    .map(
      (row) =>
        `  ${row
          .map((cell, at) => cell.padEnd(widths[at]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
