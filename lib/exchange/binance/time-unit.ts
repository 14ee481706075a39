/**
 * Times of a payload in the unit that a connection asked for. Which keys are times depends on the stream ("t" is an
 * id in a trade and a time in a kline); a log's payloads have either unit, and are published untouched in their own.
 */
const timeKeys: readonly (readonly [form: RegExp, keys: readonly string[]])[] = [
  [/@(?:trade|aggTrade|avgPrice)$/, ['E', 'T']],
  [/@depth(?:@1000?ms)?$/, ['E']],
  [/@kline_/, ['E', 't', 'T']],
  [/@ticker$/, ['E', 'O', 'C']],
  [/@miniTicker$|^!miniTicker@arr$/, ['E']],
];

const keysOf = (topic: string): readonly string[] =>
  timeKeys.find(([form]) => form.test(topic))?.[1] ?? [];

/** Widens 13-digit times to 16. A closing time ("T" of a kline) is the last microsecond of its millisecond. */
export function toMicro(topic: string, text: string): string {
  const keys = keysOf(topic);
  if (keys.length === 0) return text;
  const kline = topic.includes('@kline_');
  return text.replace(/"([A-Za-z])":(\d{13})(?!\d)/g, (field, key: string, time: string) =>
    keys.includes(key) ? `"${key}":${time}${kline && key === 'T' ? '999' : '000'}` : field,
  );
}

/** Cuts 16-digit times to 13. */
export function toMilli(topic: string, text: string): string {
  const keys = keysOf(topic);
  if (keys.length === 0) return text;
  return text.replace(/"([A-Za-z])":(\d{13})\d{3}(?!\d)/g, (field, key: string, time: string) =>
    keys.includes(key) ? `"${key}":${time}` : field,
  );
}
