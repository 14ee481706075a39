/**
 * One side of a made-up book: levels best first, prices in whole ticks, quantities in units of 1e-8, each with its text.
 * Integers below 2^53, so arithmetic is exact; text is made by placing digits, never by printing a fraction.
 */
import type { Level } from '../../market/event.ts';

export type Rung = {
  readonly tick: number;
  units: number;
  /** The same as text, as the venue writes it. */
  readonly price: string;
  quantity: string;
  /** What the level adds to Kraken's checksum, where that has been asked for. */
  digits: string;
};
export const levelOf = (rung: Rung): Level => [rung.price, rung.quantity];

/** How a market writes its numbers. `zeros` is put behind the tick's digits: "000000" makes 8 decimals of 2. */
export type Digits = { readonly decimals: number; readonly zeros: string };

/** An integer as decimal text: `place(6183764, 2)` is "61837.64". */
export function place(value: number, decimals: number): string {
  const digits = String(value);
  if (decimals === 0) return digits;
  const padded = digits.length > decimals ? digits : digits.padStart(decimals + 1, '0');
  const point = padded.length - decimals;
  return `${padded.slice(0, point)}.${padded.slice(point)}`;
}

/** The integer that `text` is at `decimals` digits: `unplace("61837.640000", 2)` is 6183764. Further digits are cut. */
export function unplace(text: string, decimals: number): number {
  const [whole = '0', fraction = ''] = text.split('.');
  return Number(whole + fraction.slice(0, decimals).padEnd(decimals, '0'));
}

const TOP = 10;

export class Ladder {
  readonly rungs: Rung[] = [];
  /** +1: further from the top is a higher price (asks); -1: a lower one (bids). */
  readonly away: 1 | -1;
  /** Counts changes of the best ten levels, which is all that a checksum covers. */
  topVersion = 0;
  readonly #digits: Digits;

  constructor(side: 'bid' | 'ask', digits: Digits) {
    this.away = side === 'ask' ? 1 : -1;
    this.#digits = digits;
  }

  get best(): Rung {
    return this.rungs[0]!;
  }
  get worst(): Rung {
    return this.rungs[this.rungs.length - 1]!;
  }

  insert(at: number, tick: number, units: number): Rung {
    const price = place(tick, this.#digits.decimals) + this.#digits.zeros;
    const rung: Rung = { tick, units, price, quantity: place(units, 8), digits: '' };
    this.rungs.splice(at, 0, rung);
    if (at < TOP) this.topVersion++;
    return rung;
  }
  resize(at: number, units: number): Rung {
    const rung = this.rungs[at]!;
    rung.units = units;
    rung.quantity = place(units, 8);
    rung.digits = '';
    if (at < TOP) this.topVersion++;
    return rung;
  }
  /** Takes the level out; what is returned carries quantity zero. */
  remove(at: number): Rung {
    const { tick, price } = this.rungs[at]!;
    this.rungs.splice(at, 1);
    if (at < TOP) this.topVersion++;
    return { tick, units: 0, price, quantity: '0.00000000', digits: '' };
  }

  levels(): Level[] {
    return this.rungs.map(levelOf);
  }

  /** Replaces all by `levels` (best first), as found in a log. */
  load(levels: readonly Level[]): void {
    this.rungs.length = 0;
    this.topVersion++;
    for (const [price, quantity] of levels) {
      const tick = unplace(price, this.#digits.decimals);
      this.rungs.push({ tick, units: unplace(quantity, 8), price, quantity, digits: '' });
    }
  }
}

/** The levels of a map from tick to level, by price: `sign` 1 rising, -1 falling. */
export function byPrice(levels: ReadonlyMap<number, Level>, sign: 1 | -1): Level[] {
  if (levels.size < 2) return [...levels.values()];
  const ticks = [...levels.keys()].sort((a, b) => (a - b) * sign);
  return ticks.map((tick) => levels.get(tick)!);
}
