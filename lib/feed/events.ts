/**
 * What records say, as canonical events: a trade, a quote, a change of a book, a candle, the same for every exchange. Prices
 * and quantities stay the exchange's decimal text.
 */
import { reading } from '../exchange/reading.ts';
import { logParts, type LogName } from '../log/name.ts';
import type { MarketEvent } from '../market/event.ts';
import type { FeedRecord } from './record.ts';

type ReadRecord = (record: FeedRecord) => readonly MarketEvent[];

const none: ReadRecord = () => [];

/**
 * Makes a reader of records of any logs. It gives the events of a record, oldest first: [] for a mark, for a message that
 * says nothing we know or is damaged, and for an exchange that we do not know. Events stay what they are, also those of a
 * feed that uses its memory again.
 */
export function eventReader(): ReadRecord {
  const ways = new Map<LogName, ReadRecord>();
  let lastLog: LogName | undefined;
  let lastWay = none;
  return (record) => {
    const { log } = record;
    if (log !== lastLog) {
      let way = ways.get(log);
      if (!way) ways.set(log, (way = wayOf(log)));
      lastLog = log;
      lastWay = way;
    }
    return lastWay(record);
  };
}

function wayOf(log: LogName): ReadRecord {
  const { exchange, channel } = logParts(log);
  const read = reading[exchange];
  if (!read) return none;
  return (record) => {
    const { bytes, payloadStart, payloadEnd } = record;
    // A mark's rest begins with null, a message never does.
    if (bytes[payloadStart] === 110) return [];
    return read(channel, bytes, record.timeUs, payloadStart, payloadEnd);
  };
}
