/** A replica in a process of its own, to be killed: `replica-process.js DATA FEED CATCHUP INBOX`. Prints how far it is. */
import { copyBy, trades } from './copies.ts';

const [data, feed, catchup, inbox] = process.argv.slice(2) as [string, string, string, string];
// Small answers, so that there is time to be killed in.
const { replica } = await copyBy(
  { feed, catchup, inbox },
  { data, rules: { maxBytes: 16_384, timeoutMs: 100 } },
);
setInterval(() => console.log(replica.positions.get(trades)), 5);
