/** `npm run soak -- --minutes N [--logs 20] [--rate 2000] [--fault-ms 5000] [--seed S] [--samples FILE]`: prints one line of JSON at the end. */
import { appendFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { soak } from './soak.ts';
import { complaint } from './vitals.ts';

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
  for (const [name, vital] of Object.entries(summary.vitals)) {
    const wrong = complaint(vital);
    if (wrong !== undefined) throw new Error(`${name} ${wrong}`);
  }
} catch (error) {
  const { message, cause } = error as Error;
  console.error(message);
  if (cause !== undefined) console.error(cause);
  process.exitCode = 1;
}
