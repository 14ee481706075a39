/**
 * A made-up market of one instrument: a full book and what happens to it, one act at a time. An act is a taker's order
 * that hits the best level, or a maker who places, changes or withdraws one. Takers and makers lean towards the fair
 * value, which is what moves the price; the book is never crossed and never runs dry.
 */
import type { FairValue } from './fair.ts';
import type { Level } from '../../market/event.ts';
import { type Digits, Ladder, type Rung, levelOf, place } from './ladder.ts';
import type { Random } from './random.ts';

/** Levels a side: refilled below the first, cut above the last. */
const FEWEST = 200;
const USUAL = 300;
const MOST = 400;
/** Part of the price that `USUAL` levels cover. */
const REACH = 0.003;
/** Value of an ordinary order, in the quote asset. */
const ORDER_VALUE = 15_000;
const TRADES = 0.12;
const TOP = 0.28;

export type Side = 'bid' | 'ask';
/** A level's new quantity; zero removes it. */
export type Change = { readonly side: Side; readonly tick: number; readonly level: Level };
/** One taker's order: its fills, all at the best level's price. */
export type Take = {
  readonly buy: boolean;
  readonly price: string;
  readonly quantities: readonly string[];
};

export type MarketOptions = {
  readonly digits: Digits;
  readonly startPrice: number;
  /** True: quantities step by a lot worth about one unit of the quote asset; false: all 8 digits are used. */
  readonly lots: boolean;
  readonly fair: FairValue;
  readonly random: Random;
};

export class Market {
  readonly bids: Ladder;
  readonly asks: Ladder;
  /** What the last act did. */
  readonly changes: Change[] = [];
  take: Take | undefined;
  /** True when the last act changed the best bid or ask, in price or quantity. */
  topChanged = false;

  readonly #random: Random;
  readonly #fair: FairValue;
  readonly #startTick: number;
  /** Usual distance of neighbours, ticks. */
  readonly #gap: number;
  readonly #orderUnits: number;
  readonly #lotUnits: number;

  constructor(options: MarketOptions) {
    this.bids = new Ladder('bid', options.digits);
    this.asks = new Ladder('ask', options.digits);
    this.#random = options.random;
    this.#fair = options.fair;
    this.#startTick = Math.round(options.startPrice * 10 ** options.digits.decimals);
    this.#gap = Math.max(1, Math.round((this.#startTick * REACH) / USUAL));
    this.#orderUnits = Math.max(1, Math.round((ORDER_VALUE / options.startPrice) * 1e8));
    let lot = 1;
    if (options.lots) while (lot * 10 <= 1e8 / options.startPrice) lot *= 10;
    this.#lotUnits = lot;
  }

  /** Fills an empty book around the fair value. */
  begin(): void {
    const bid = Math.max(USUAL * 2, Math.round(this.#startTick * this.#fair.value));
    this.bids.insert(0, bid, this.#size());
    this.asks.insert(0, bid + 1, this.#size());
    for (const ladder of [this.bids, this.asks]) {
      while (ladder.rungs.length < USUAL && this.#extend(ladder)) continue;
    }
    this.changes.length = 0;
  }

  /** One act. Read `changes`, `take` and `topChanged` before the next. */
  act(): void {
    this.changes.length = 0;
    this.take = undefined;
    const bid = this.bids.best;
    const ask = this.asks.best;
    const bidUnits = bid.units;
    const askUnits = ask.units;
    const fairTick = this.#startTick * this.#fair.step(this.#random);
    const reach = Math.max(2 * this.#gap, ask.tick - bid.tick);
    const pull = Math.min(1, Math.max(-1, (fairTick - (bid.tick + ask.tick) / 2) / reach));

    const kind = this.#random.unit();
    if (kind < TRADES) this.#trade(pull);
    else if (kind < TRADES + TOP) this.#quote(fairTick);
    else this.#rest();

    const nowBid = this.bids.best;
    const nowAsk = this.asks.best;
    this.topChanged =
      nowBid !== bid || nowAsk !== ask || bid.units !== bidUnits || ask.units !== askUnits;
  }

  #size(): number {
    const random = this.#random;
    const units = (this.#orderUnits * random.unit() * 2 ** Math.min(4, random.halvings())) / 2;
    return Math.max(1, Math.round(units / this.#lotUnits)) * this.#lotUnits;
  }
  #changed(side: Side, rung: Rung): void {
    this.changes.push({ side, tick: rung.tick, level: levelOf(rung) });
  }
  #ladder(side: Side): Ladder {
    return side === 'bid' ? this.bids : this.asks;
  }

  #insert(side: Side, at: number, tick: number): void {
    const ladder = this.#ladder(side);
    this.#changed(side, ladder.insert(at, tick, this.#size()));
    if (ladder.rungs.length > MOST) this.#remove(side, ladder.rungs.length - 1);
  }
  #resize(side: Side, at: number, units: number): void {
    this.#changed(side, this.#ladder(side).resize(at, units));
  }
  #remove(side: Side, at: number): void {
    const ladder = this.#ladder(side);
    this.#changed(side, ladder.remove(at));
    if (ladder.rungs.length < USUAL && this.#random.chance(0.7)) this.#extend(ladder);
  }
  /** Adds a level behind the worst; false where prices end. */
  #extend(ladder: Ladder): boolean {
    const tick = ladder.worst.tick + ladder.away * (1 + this.#random.below(2 * this.#gap - 1));
    if (tick <= 0) return false;
    const rung = ladder.insert(ladder.rungs.length, tick, this.#size());
    this.#changed(ladder === this.bids ? 'bid' : 'ask', rung);
    return true;
  }

  /** A taker hits the best level: a part of it, in one to three fills, or all of it. */
  #trade(pull: number): void {
    const random = this.#random;
    const buy = random.chance(0.5 + 0.4 * pull);
    const side = buy ? 'ask' : 'bid';
    const ladder = this.#ladder(side);
    const { units, price } = ladder.best;
    const lot = this.#lotUnits;
    let taken = Math.max(lot, Math.floor(this.#size() / 3 / lot) * lot);
    if (taken > units || random.chance(Math.abs(pull) * 0.5)) taken = units;
    if (taken === units && ladder.rungs.length <= FEWEST) taken = lot;

    const quantities: string[] = [];
    let left = taken;
    for (let fills = Math.min(2, random.halvings()); fills > 0 && left > 2 * lot; fills--) {
      const fill = Math.max(lot, Math.floor((left * random.unit()) / lot) * lot);
      if (fill >= left) break;
      quantities.push(place(fill, 8));
      left -= fill;
    }
    quantities.push(place(left, 8));
    this.take = { buy, price, quantities };
    if (taken >= units) this.#remove(side, 0);
    else this.#resize(side, 0, units - taken);
  }

  /** A maker betters the best price inside the spread, leaves a price that the market has passed, or stays. */
  #quote(fairTick: number): void {
    const random = this.#random;
    const side = random.chance(0.5) ? 'bid' : 'ask';
    const ladder = this.#ladder(side);
    const other = this.#ladder(side === 'bid' ? 'ask' : 'bid').best.tick;
    const best = ladder.best.tick;
    const free = Math.abs(other - best) - 1;
    // How far the best price lies on the wrong side of the fair one: positive = too eager.
    const eager = (best - fairTick) * -ladder.away;
    if (eager > this.#gap && ladder.rungs.length > FEWEST) this.#remove(side, 0);
    else if (free > 0 && eager < 0) {
      // Up to the fair value, half of the time as far as that: spreads are mostly a few ticks.
      const room = Math.min(free, Math.max(1, Math.floor(-eager)));
      const step = random.chance(0.5) ? room : 1 + random.below(room);
      this.#insert(side, 0, best - ladder.away * step);
    } else this.#resize(side, 0, this.#size());
  }

  /** A maker acts deeper in the book, more often near the top. */
  #rest(): void {
    const random = this.#random;
    const side = random.chance(0.5) ? 'bid' : 'ask';
    const ladder = this.#ladder(side);
    const near = random.unit();
    const at = Math.floor(near * near * near * ladder.rungs.length);
    const what = random.unit();
    const here = ladder.rungs[at]!;
    const next = ladder.rungs[at + 1];
    const free = next ? Math.abs(next.tick - here.tick) - 1 : 0;
    // A hole in the book fills up before it can become the spread.
    const hole = free > 4 * this.#gap;
    if (what < 0.2 && !hole && ladder.rungs.length > FEWEST) this.#remove(side, at);
    else if (free > 0 && (hole || what < 0.4)) {
      this.#insert(side, at + 1, here.tick + ladder.away * (1 + random.below(free)));
    } else this.#resize(side, at, this.#size());
  }
}
