/** Launch plans of fixture nodes. */
import { fileURLToPath } from 'node:url';
import type { LaunchPlan, PlannedNode } from '../../lib/topology/plan.ts';
import type { NodeKind } from '../../lib/topology/node.ts';
import type { Supervision } from '../../lib/topology/settings.ts';
import type { FixtureMode } from './fixture-node.ts';

export type FixtureNode = {
  readonly mode: FixtureMode;
  readonly run?: NodeKind;
  readonly after?: readonly string[];
  readonly rules?: Partial<Supervision>;
  readonly dir?: string;
};

export const fixtureEntry = (): string =>
  fileURLToPath(new URL('fixture-node.js', import.meta.url));

export const fixturePlan = (nodes: Readonly<Record<string, FixtureNode>>): LaunchPlan => ({
  project: 'fixture',
  host: 'local',
  links: [],
  nodes: Object.entries(nodes).map(
    ([name, { mode, run = 'fetcher', after = [], rules = {}, dir = '.' }]): PlannedNode => {
      const settings = { run, node: name, logLevel: 'info', dir, mode };
      return {
        name,
        after,
        settings: settings as unknown as PlannedNode['settings'],
        supervision: {
          logLevel: 'info',
          policy: 'on-failure',
          backoffMs: 10,
          maxBackoffMs: 50,
          restartsMax: 3,
          windowMs: 60_000,
          readyMs: 20_000,
          graceMs: 5_000,
          ...rules,
        },
      };
    },
  ),
});
