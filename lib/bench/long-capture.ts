/**
 * A recorded minute as an hour: the records of a Binance capture laid end to end, with times and ids shifted from round
 * to round so that the market never jumps back. Books, candles and trade ids then see one long, unbroken recording.
 */
import type { SourceRecord } from '../source/source.ts';

/** What a round adds: milliseconds to times, numbers to ids. */
type Shift = { readonly time: number; readonly update: number; readonly trade: number };

/** Keys of a payload that move, by channel. Of a depth payload they all stand in front of the levels. */
const moving: Readonly<Record<string, RegExp>> = {
  trade: /"([ETt])":(\d+)/g,
  depth: /"([EUu]|lastUpdateId)":(\d+)/g,
  bookTicker: /"(u)":(\d+)/g,
};
const HEAD = 140;
const channelOf = ({ log }: SourceRecord): string => log.slice(log.lastIndexOf('/') + 1);
const kindOf = (key: string): keyof Shift =>
  key === 'E' || key === 'T' ? 'time' : key === 't' ? 'trade' : 'update';

/** How far the numbers of a capture reach: the next round begins behind them. */
function lengthOf(records: readonly SourceRecord[]): Shift {
  const first = { time: Infinity, update: Infinity, trade: Infinity };
  const last = { time: 0, update: 0, trade: 0 };
  const see = (kind: keyof Shift, value: number): void => {
    first[kind] = Math.min(first[kind], value);
    last[kind] = Math.max(last[kind], value);
  };
  for (const record of records) {
    const keys = moving[channelOf(record)];
    if (record.timeUs !== undefined) see('time', record.timeUs / 1000);
    if (!keys) continue;
    for (const [, key = '', digits] of record.payload.toString('latin1', 0, HEAD).matchAll(keys)) {
      if (kindOf(key) !== 'time') see(kindOf(key), Number(digits));
    }
  }
  const reach = (kind: keyof Shift): number =>
    last[kind] === 0 ? 0 : Math.ceil(last[kind] - first[kind]) + 1;
  return { time: reach('time'), update: reach('update'), trade: reach('trade') };
}

function moved(record: SourceRecord, round: number, by: Shift): SourceRecord {
  if (round === 0) return record;
  const timeUs = (record.timeUs ?? 0) + round * by.time * 1000;
  const keys = moving[channelOf(record)];
  const text = record.payload.toString('latin1', 0, HEAD);
  if (!keys) return { ...record, timeUs };
  const head = text.replace(
    keys,
    (_, key: string, digits: string) => `"${key}":${Number(digits) + round * by[kindOf(key)]}`,
  );
  const payload = Buffer.concat([Buffer.from(head, 'latin1'), record.payload.subarray(HEAD)]);
  return { log: record.log, payload, timeUs };
}

/** The records of a capture again and again until there are `count`; marks are left out. */
export function* lengthen(
  records: readonly SourceRecord[],
  count: number,
): Generator<SourceRecord> {
  const own = records.filter(({ mark }) => mark === undefined);
  if (own.length === 0) return;
  const by = lengthOf(own);
  for (let made = 0, round = 0; made < count; round++) {
    for (const record of own) {
      if (made++ >= count) return;
      yield moved(record, round, by);
    }
  }
}
