/**
 * The synthetic source: markets made up from a seed, on the wires of Binance and Kraken, at a rate that is met by
 * absolute deadlines: whatever is due goes out in one batch, and a late timer delays records but never loses any.
 */
import { parseTimeUs } from '../../exchange/kraken/time.ts';
import { BATCH_BYTES, BATCH_RECORDS } from '../source.ts';
import type { Source, SourceContext, SourceFactory, SourceRecord } from '../source.ts';
import { wait as timerWait } from '../timer.ts';
import { type SyntheticSettings, settings } from './settings.ts';
import { Simulation } from './simulation.ts';

/** A source that cannot keep up forgives itself what it owes beyond this. */
const MOST_OWED_MS = 1_000;

export const source: SourceFactory = {
  settings,
  make(raw: unknown): Source {
    const parsed = settings.parse(raw ?? {});
    return {
      logs: new Simulation(parsed, () => undefined).logs,
      open: (context) => generate(parsed, context),
    };
  },
};

async function* generate(
  of: SyntheticSettings,
  context: SourceContext,
): AsyncGenerator<readonly SourceRecord[]> {
  const { signal, clock } = context;
  const wait = context.wait ?? timerWait;
  const simulation = new Simulation(of, (log) => context.tail(log));
  const { rate } = simulation;
  if (simulation.logs.length === 0) return;
  const startUs = of.start === undefined ? undefined : parseTimeUs(of.start);
  const end = of.records === undefined ? Infinity : of.records - simulation.held;
  let anchorMs = clock.monoMs();
  let lastUs = simulation.lastTimeUs;
  let made = 0;

  while (!signal.aborted && made < end) {
    const nowMs = clock.monoMs();
    anchorMs = Math.max(anchorMs, nowMs - MOST_OWED_MS - (made / rate) * 1000);
    const owed =
      startUs === undefined ? Math.floor(((nowMs - anchorMs) / 1000) * rate) + 1 - made : Infinity;
    if (owed <= 0) {
      // Timers have whole milliseconds: what falls due within the next one comes with it.
      await wait(Math.max(1, anchorMs + (made / rate) * 1000 - nowMs), signal);
      continue;
    }
    const wanted = Math.min(owed, BATCH_RECORDS, end - made);
    const batch: SourceRecord[] = [];
    let bytes = 0;
    while (batch.length < wanted && bytes < BATCH_BYTES) {
      const from = batch.length;
      const at =
        startUs === undefined
          ? clock.wallUs()
          : startUs + Math.floor(((simulation.held + made + from) / rate) * 1e6);
      lastUs = Math.max(lastUs + 1, at);
      simulation.step(lastUs, batch);
      for (let i = from; i < batch.length; i++) {
        bytes += batch[i]!.payload.length;
        // A live record is stamped when it is written; a made-up past has its own times.
        if (startUs !== undefined) batch[i] = { ...batch[i]!, timeUs: lastUs };
      }
    }
    made += batch.length;
    yield batch;
    // A full batch has more behind it: only timers and sockets get their turn. Else the next millisecond's worth is
    // gathered, rather than a record at a time as fast as the loop turns.
    if (made < end) await wait(wanted < BATCH_RECORDS ? 1 : 0, signal);
  }
}
