/** A supervisor in its own process, to be killed: prints the pids of its nodes once all are ready. */
import { Launcher } from '../../lib/launch/launcher-process.ts';
import { fixturePlan, fixtureEntry } from './fixture-plan.ts';
import type { FixtureMode } from './fixture-node.ts';

const modes = process.argv.slice(2) as FixtureMode[];
const plan = fixturePlan(Object.fromEntries(modes.map((mode, at) => [`node-${at}`, { mode }])));
const launcher: Launcher = new Launcher({
  plan,
  entry: fixtureEntry,
  onSettled: () => {
    const pids = plan.nodes.map(({ name }) => launcher.pid(name));
    process.stdout.write(`${JSON.stringify(pids)}\n`);
  },
});
launcher.start();
await launcher.done;
