/**
 * All made-up markets of one source as one sequence of steps, pure: the seed and the settings decide which market moves
 * next and how, the caller says when. Same seed, same settings, same times: same bytes. After a restart the random
 * stream is derived from the seed and from how much is already written, so it goes on instead of repeating itself.
 */
import { instrumentOf } from '../../market/instrument.ts';
import type { LogName } from '../../log/name.ts';
import type { SourceRecord } from '../source.ts';
import { BinanceStream } from './binance.ts';
import { FairValue } from './fair.ts';
import { KrakenStream } from './kraken.ts';
import { Market } from './market.ts';
import { Random } from './random.ts';
import { RATE_AN_INSTRUMENT, type SyntheticSettings, startPrices } from './settings.ts';
import type { Stream, Tail } from './stream.ts';

const FALLBACK_DECIMALS = 2;
const FALLBACK_PRICE = 100;
/** About this many acts make a record; only the walk's speed depends on it. */
const ACTS_A_RECORD = 1.2;

export class Simulation {
  readonly logs: readonly LogName[];
  readonly rate: number;
  /** Records that the logs held when this simulation began. */
  readonly held: number;
  /** Receive time of the newest line in any log, Unix microseconds; 0 where all are new. */
  readonly lastTimeUs: number;
  readonly #tail: Tail;
  readonly #random: Random;
  readonly #streams: Stream[] = [];
  #opened = 0;

  constructor(settings: SyntheticSettings, tail: Tail) {
    const all = [...settings.binance, ...settings.kraken];
    this.rate = settings.rate ?? RATE_AN_INSTRUMENT * Math.max(1, all.length);
    const makers = [
      ...settings.binance.map((name) => [BinanceStream, name, 8, true] as const),
      ...settings.kraken.map((name) => [KrakenStream, name, 0, false] as const),
    ];
    // The logs' names are needed before the random stream, which depends on what those logs hold.
    const random = (this.#random = new Random(''));
    const fairs = new Map<string, FairValue>();
    for (const [Maker, name, decimals, lots] of makers) {
      const { base, priceDecimals } = instrumentOf(name, FALLBACK_DECIMALS);
      const sharers = all.filter((other) => other.startsWith(`${base}-`)).length;
      const steps = (ACTS_A_RECORD * this.rate * sharers) / all.length;
      const fair = fairs.get(base) ?? new FairValue(steps);
      fairs.set(base, fair);
      const market = new Market({
        digits: {
          decimals: priceDecimals,
          zeros: '0'.repeat(Math.max(0, decimals - priceDecimals)),
        },
        startPrice: startPrices[base] ?? FALLBACK_PRICE,
        lots,
        fair,
        random,
      });
      this.#streams.push(new Maker(name, market));
    }
    this.logs = this.#streams.flatMap((stream) => stream.logs);
    this.#tail = tail;
    let lastTimeUs = 0;
    let held = 0;
    for (const log of this.logs) {
      const found = tail(log);
      if (!found) continue;
      lastTimeUs = Math.max(lastTimeUs, found.lastTimeUs);
      held += found.lines - found.marks;
    }
    this.lastTimeUs = lastTimeUs;
    this.held = held;
    random.reseed(`${settings.seed}/${held}`);
  }

  /** Puts at least one record out. `nowUs` (Unix microseconds) rises strictly from call to call. */
  step(nowUs: number, out: SourceRecord[]): void {
    const count = this.#streams.length;
    if (this.#opened < count) this.#streams[this.#opened++]!.open(this.#tail, nowUs, out);
    else if (count > 0) this.#streams[this.#random.below(count)]!.step(nowUs, out);
  }
}
