/**
 * The sixteen kline intervals, by their names (case matters: "1m" is a minute, "1M" a month), and time zones.
 *
 *   zone = [ "+" / "-" ] 1*2DIGIT [ ":" 2DIGIT ]        ; hours, minutes; from -12:00 to +14:00
 */
import {
  DAY_US,
  HOUR_US,
  MINUTE_US,
  SECOND_US,
  WEEK_US,
  fixedInterval,
  monthInterval,
  type Interval,
} from '../../market/interval.ts';

const MONDAY_US = 4 * DAY_US;
const lengths: Readonly<Record<string, number>> = {
  '1s': SECOND_US,
  '1m': MINUTE_US,
  '3m': 3 * MINUTE_US,
  '5m': 5 * MINUTE_US,
  '15m': 15 * MINUTE_US,
  '30m': 30 * MINUTE_US,
  '1h': HOUR_US,
  '2h': 2 * HOUR_US,
  '4h': 4 * HOUR_US,
  '6h': 6 * HOUR_US,
  '8h': 8 * HOUR_US,
  '12h': 12 * HOUR_US,
  '1d': DAY_US,
  '3d': 3 * DAY_US,
  '1w': WEEK_US,
};

/** All names, shortest interval first. */
export const intervalNames: readonly string[] = [...Object.keys(lengths), '1M'];

/** The interval of that name with its cuts in a zone `zoneUs` ahead of UTC; undefined for another name. */
export function intervalOf(name: string, zoneUs = 0): Interval | undefined {
  if (name === '1M') return monthInterval(zoneUs);
  const us = Object.hasOwn(lengths, name) ? lengths[name] : undefined;
  if (us === undefined) return undefined;
  const origin = (us === WEEK_US ? MONDAY_US : 0) - zoneUs;
  return fixedInterval(us, ((origin % us) + us) % us);
}

/** "+08:00", "8", "-1:30" as microseconds ahead of UTC; undefined where it is no zone. */
export function zoneUsOf(text: string): number | undefined {
  const match = /^([+-]?)(\d{1,2})(?::(\d{2}))?$/.exec(text);
  if (!match) return undefined;
  const [, sign, hours, minutes = '0'] = match;
  if (Number(minutes) > 59) return undefined;
  const us = (Number(hours) * HOUR_US + Number(minutes) * MINUTE_US) * (sign === '-' ? -1 : 1);
  return us < -12 * HOUR_US || us > 14 * HOUR_US ? undefined : us;
}
