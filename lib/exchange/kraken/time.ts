/**
 * RFC 3339 in UTC, as Kraken writes it, to and from Unix microseconds. Pure arithmetic on the Gregorian calendar.
 *
 *   timestamp = 4DIGIT "-" 2DIGIT "-" 2DIGIT "T" 2DIGIT ":" 2DIGIT ":" 2DIGIT [ "." 1*9DIGIT ] "Z"
 */
import { DAY_US, SECOND_US } from '../../market/interval.ts';

/** Digits of `text` from `at` to `end` as a number; NaN when one is not a digit. */
function digits(text: string, at: number, end: number): number {
  let value = 0;
  for (let i = at; i < end; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

/** Days from the Unix epoch to a date; years counted from March so that the leap day comes last. */
function epochDay(year: number, month: number, day: number): number {
  const shifted = month > 2 ? year : year - 1;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra =
    yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Unix microseconds of a timestamp (finer digits are cut off); undefined where the text is none. */
export function parseTimeUs(text: string): number | undefined {
  const day = epochDay(digits(text, 0, 4), digits(text, 5, 7), digits(text, 8, 10));
  const seconds = digits(text, 11, 13) * 3600 + digits(text, 14, 16) * 60 + digits(text, 17, 19);
  let fraction = 0;
  let at = 19;
  if (text.charCodeAt(at) === 46) {
    at++;
    for (let unit = SECOND_US / 10; at < text.length; at++, unit /= 10) {
      const digit = text.charCodeAt(at) - 48;
      if (!(digit >= 0 && digit <= 9)) break;
      if (unit >= 1) fraction += digit * unit;
    }
  }
  const timeUs = day * DAY_US + seconds * SECOND_US + fraction;
  return Number.isSafeInteger(timeUs) && text.charCodeAt(10) === 84 ? timeUs : undefined;
}

const pad = (value: number, width: number): string => String(value).padStart(width, '0');

/** "2026-08-02T03:35:51" and the microseconds behind it. */
type Split = {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  readonly microsecond: number;
};

function splitTime(timeUs: number): Split {
  const days = Math.floor(timeUs / DAY_US);
  let rest = timeUs - days * DAY_US;
  const microsecond = rest % SECOND_US;
  rest = (rest - microsecond) / SECOND_US;
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear =
    dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1,
    weekday: (((days + 4) % 7) + 7) % 7,
    hour: Math.floor(rest / 3600),
    minute: Math.floor(rest / 60) % 60,
    second: rest % 60,
    microsecond,
  };
}

/** "2026-08-02T03:35:51.302928Z"; `decimals` 9 adds zeros, 0 leaves the fraction out. */
export function formatTimeUs(timeUs: number, decimals: 0 | 6 | 9 = 6): string {
  const { year, month, day, hour, minute, second, microsecond } = splitTime(timeUs);
  const text = `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}`;
  if (decimals === 0) return `${text}Z`;
  return `${text}.${pad(microsecond, 6)}${decimals === 9 ? '000' : ''}Z`;
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

/** "Sun,  7 Jun 20 04:07:53 +0000", as REST Time has it. */
export function formatRfc1123(timeUs: number): string {
  const { year, month, day, weekday, hour, minute, second } = splitTime(timeUs);
  const clock = `${pad(hour, 2)}:${pad(minute, 2)}:${pad(second, 2)}`;
  const date = `${String(day).padStart(2)} ${months[month - 1]} ${pad(year % 100, 2)}`;
  return `${weekdays[weekday]}, ${date} ${clock} +0000`;
}
