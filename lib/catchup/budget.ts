/**
 * How much one asker may ask: a bucket of requests that fills steadily. An answer is at most 1 MiB, so the budget bounds
 * bytes too: 512 requests a second are up to 512 MiB/s, more than one core reads, checks and sends. What it keeps out is
 * a reader that asks in a circle. Pure.
 */
export type BudgetRule = { readonly perSecond: number; readonly burst: number };

export const defaultBudget: BudgetRule = { perSecond: 512, burst: 1_024 };

export class Budget {
  readonly #rule: BudgetRule;
  #left: number;
  #filledMs: number;

  constructor(rule: BudgetRule, nowMs: number) {
    this.#rule = rule;
    this.#left = rule.burst;
    this.#filledMs = nowMs;
  }

  /** Takes one request; 0 when it may be served, else the milliseconds after which to come back. */
  take(nowMs: number): number {
    const { perSecond, burst } = this.#rule;
    const filled = this.#left + ((nowMs - this.#filledMs) * perSecond) / 1_000;
    this.#left = Math.min(burst, Math.max(this.#left, filled));
    this.#filledMs = Math.max(this.#filledMs, nowMs);
    if (this.#left >= 1) {
      this.#left -= 1;
      return 0;
    }
    return Math.ceil(((1 - this.#left) * 1_000) / perSecond);
  }
}
