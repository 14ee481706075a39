/** What the CSV layouts share: rows, fields, times of whatever unit. */
import type { Decoder } from './decoder.ts';
import { lineDecoder } from './lines.ts';
import type { Sink } from './sink.ts';

/**
 * A kind of row. `header`: how its first line begins where it has one; `row`: what a row of data looks like, which
 * tells files without a header apart.
 */
export type CsvKind = {
  readonly header: string;
  readonly row: RegExp | undefined;
  readonly columns: number;
  /** Makes what turns a row into a record. */
  reader(sink: Sink): (fields: readonly string[]) => void;
};

const NUMBER = String.raw`\d+(?:\.\d*)?(?:[eE][+-]?\d+)?`;
/** A regular expression for a row: `n` a number, `b` a boolean. */
export const rowForm = (columns: string): RegExp =>
  new RegExp(
    `^${Array.from(columns, (c) => (c === 'n' ? NUMBER : '(?:true|false|True|False)')).join(',')}$`,
  );

/** The kind of a file, by its first line. */
export const kindOf = (kinds: readonly CsvKind[], firstLine: string): CsvKind | undefined =>
  kinds.find((kind) => kind.header !== '' && firstLine.startsWith(kind.header)) ??
  kinds.find((kind) => kind.row?.test(firstLine));

/**
 * A time as Unix microseconds, its unit told by the digits before the point: 10 seconds, 13 ms, 16 us, 19 ns.
 * NaN for other text. (Binance's public files went from ms to us on 2025-01-01, within one series.)
 */
export function csvTimeUs(text: string): number {
  if (!/^\d{9,19}(?:\.\d*)?$/.test(text)) return NaN;
  const [whole = '', fraction = ''] = text.split('.');
  const digits = whole + fraction;
  const unit = whole.length <= 11 ? 6 : whole.length <= 14 ? 3 : whole.length <= 17 ? 0 : -3;
  const wanted = whole.length + unit;
  return Number(digits.padEnd(wanted, '0').slice(0, wanted));
}

export const isTrue = (text: string): boolean => /^(?:true|1)$/i.test(text);

/** Decodes rows of the kind that the first line shows. */
export function csvDecoder(sink: Sink, kinds: readonly CsvKind[]): Decoder {
  let kind: CsvKind | undefined;
  let row: ((fields: readonly string[]) => void) | undefined;
  return lineDecoder(sink, (line) => {
    const text = line.toString('latin1');
    if (!kind) {
      kind = kindOf(kinds, text);
      if (!kind) {
        return sink.fail(
          `columns of no known table: ${text.slice(0, 80)}`,
          'give a file as the exchange publishes it, or add its header line',
        );
      }
      row = kind.reader(sink);
    }
    // Binance's files gained a header within one series: it may stand anywhere a file was appended to another.
    if (kind.header !== '' && text.startsWith(kind.header)) return;
    const fields = text.split(',');
    if (fields.length !== kind.columns) {
      return sink.fail(
        `${fields.length} columns instead of ${kind.columns}`,
        'remove or repair the row',
      );
    }
    row!(fields);
  });
}

/** A field that must be a time. */
export function timeField(sink: Sink, text: string): number {
  const timeUs = csvTimeUs(text);
  if (Number.isNaN(timeUs)) sink.fail(`not a time: ${text.slice(0, 40)}`, 'repair the row');
  return timeUs;
}

const DECIMAL = /^\d+(?:\.\d*)?(?:[eE][+-]?\d{1,3})?$/;
/** A field that must be a price or quantity. */
export function decimalField(sink: Sink, text: string): string {
  if (!DECIMAL.test(text)) sink.fail(`not a number: ${text.slice(0, 40)}`, 'repair the row');
  return text;
}
