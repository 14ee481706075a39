/**
 * How time is cut into candles. Most intervals are a fixed number of microseconds counted from an origin: the Unix
 * epoch (a Thursday) for seconds to days, the first Monday for weeks. A month is a month of the calendar.
 */
export const SECOND_US = 1_000_000;
export const MINUTE_US = 60 * SECOND_US;
export const HOUR_US = 60 * MINUTE_US;
export const DAY_US = 24 * HOUR_US;
export const WEEK_US = 7 * DAY_US;
/** 1970-01-05 was the first Monday. */
const MONDAY_US = 4 * DAY_US;

export type Interval = {
  /** Same key, same cut of time. */
  readonly key: string;
  /** Nominal length, Unix microseconds; 30 days for a month. */
  readonly us: number;
  /** Where its cuts lie against the epoch; `us` divides the distance of any two cuts, save for a month. */
  readonly originUs: number;
  /** Start of the interval that holds `timeUs`. */
  startUs(timeUs: number): number;
  /** Start of the next one, given the start of one. */
  endUs(startUs: number): number;
};

/**
 * Fixed-length interval. Whole weeks of exactly 7 days begin on Monday unless an origin is given.
 * A venue's time zone east of UTC shifts cuts to earlier: UTC+8 is `originUs = -8 h`.
 */
export function fixedInterval(
  us: number,
  originUs: number = us === WEEK_US ? MONDAY_US : 0,
): Interval {
  if (!Number.isSafeInteger(us) || us <= 0) throw new TypeError(`not an interval: ${us} us`);
  return {
    key: `${us}+${originUs}`,
    us,
    originUs,
    startUs: (timeUs) => Math.floor((timeUs - originUs) / us) * us + originUs,
    endUs: (startUs) => startUs + us,
  };
}

/** First of the month to first of the month; `zoneUs` is how far the zone is ahead of UTC. */
export function monthInterval(zoneUs = 0): Interval {
  const first = (timeUs: number, add: number): number =>
    monthStartDay(Math.floor((timeUs + zoneUs) / DAY_US), add) * DAY_US - zoneUs;
  return {
    key: `month${zoneUs}`,
    us: 30 * DAY_US,
    originUs: -zoneUs,
    startUs: (timeUs) => first(timeUs, 0),
    endUs: (startUs) => first(startUs, 1),
  };
}

const YEAR_DAYS = 365.2425;

/** Days before January of `year`, from the Unix epoch; Gregorian. */
const yearStartDay = (year: number): number => {
  const past = year - 1;
  return (
    past * 365 + Math.floor(past / 4) - Math.floor(past / 100) + Math.floor(past / 400) - 719_162
  );
};
const monthLengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** The day (from the Unix epoch) on which the month of `day` begins, or the `add`-th (0 or 1) month after it. */
function monthStartDay(day: number, add: number): number {
  let year = Math.floor(day / YEAR_DAYS) + 1971;
  while (yearStartDay(year) > day) year--;
  const leap = yearStartDay(year + 1) - yearStartDay(year) === 366;
  let start = yearStartDay(year);
  for (let month = 0; month < 12; month++) {
    const next = start + monthLengths[month]! + (leap && month === 1 ? 1 : 0);
    if (day < next) return add === 0 ? start : next;
    start = next;
  }
  return start;
}
