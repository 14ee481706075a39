/** `npm run soak -- --minutes N [--logs 20] [--rate 2000] [--fault-ms 5000] [--seed S] [--samples FILE]`: prints one line of JSON at the end. */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    logs: { type: 'string', default: '20' },
    rate: { type: 'string', default: '2000' },
    'fault-ms': { type: 'string', default: '5000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    /** Lines of JSON go here: what each process held, MiB. */
    samples: { type: 'string' },
  },
});

/** What a process may hold more at the end of its life than at its beginning. */
const LEAK_MIB = 8;

try {
  const beginMs = performance.now();
  const samples = values.samples;
  const summary = await soak({
    seconds: Number(values.minutes) * 60,
    logs: Number(values.logs),
    perSecond: Number(values.rate),
    faultEveryMs: Number(values['fault-ms']),
    seed: Number(values.seed),
    ...(samples !== undefined && {
      sample: (node, held) => {
        const seconds = Math.round(performance.now() - beginMs) / 1000;
        appendFileSync(samples, `${JSON.stringify({ seconds, node, ...held })}\n`);
      },
    }),
    tell: (what) => console.error(`${Math.round((performance.now() - beginMs) / 1000)} s ${what}`),
  });
  console.log(JSON.stringify(summary));
  // Coarse on purpose: minutes do not show a slope of megabytes an hour, but they show a flood.
  for (const [name, vital] of Object.entries(summary.vitals)) {
    const { rssMaxMiB, fdsMax, heldFifthsMiB } = vital;
    if (rssMaxMiB > 384 || fdsMax > 400)
      throw new Error(`${name} held ${rssMaxMiB} MiB and ${fdsMax} descriptors`);
    const [first, , , , last] = heldFifthsMiB;
    if (first !== undefined && last !== undefined && last - first > LEAK_MIB)
      throw new Error(`${name} holds more and more: ${heldFifthsMiB.join(', ')} MiB`);
  }
} catch (error) {
  console.error((error as Error).message);
  console.error((error as Error).cause);
  process.exitCode = 1;
}
