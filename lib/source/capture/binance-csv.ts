/**
 * Tables of Binance's public archive (spot and futures, with a header or without), and two made by other recorders,
 * turned into what the stream would have sent. Decimals get the venue's eight digits back.
 *
 *   trades      id,price,qty,quoteQty,time,isBuyerMaker[,isBestMatch]
 *   aggTrades   id,price,qty,firstId,lastId,time,isBuyerMaker[,isBestMatch]
 *   klines      open time,open,high,low,close,volume,close time,quote volume,trades,taker base,taker quote,ignore
 *   recorder's  TimestampOfReceive,Stream,EventType,EventTime,TransactionTime,Symbol,TradeId,Price,Quantity,
 *               IsBuyerMarketMaker,MUnknownParameter
 *   reduced     open_time_ms,open,high,low,close,volume
 */
import { intervalNames, intervalOf } from '../../exchange/binance/interval.ts';
import {
  eight,
  toMs,
  writeAggTrade,
  writeKline,
  writeTrade,
} from '../../exchange/binance/write.ts';
import type { Candle } from '../../market/event.ts';
import {
  type CsvKind,
  csvDecoder,
  decimalField,
  isTrue,
  kindOf,
  rowForm,
  timeField,
} from './csv.ts';
import { binanceInstrument, instrumentOfFile } from './instrument.ts';
import type { Layout } from './decoder.ts';
import type { Sink } from './sink.ts';

const ID = /^\d{1,15}$/;
function idField(sink: Sink, text: string): string {
  if (!ID.test(text)) sink.fail(`not an id: ${text.slice(0, 40)}`, 'repair the row');
  return text;
}
const takerOf = (buyerWasMaker: string): 'buy' | 'sell' => (isTrue(buyerWasMaker) ? 'sell' : 'buy');

const trades = (header: string, columns: string): CsvKind => ({
  header,
  row: rowForm(columns),
  columns: columns.length,
  reader(sink) {
    const instrument = instrumentOfFile(sink, binanceInstrument);
    const log = sink.log('binance', instrument, 'trade');
    const symbol = instrument.replace('-', '');
    return ([id = '', price = '', quantity = '', , time = '', maker = '']) => {
      const timeUs = timeField(sink, time);
      const text = writeTrade(symbol, toMs(timeUs), {
        kind: 'trade',
        timeUs,
        id: idField(sink, id),
        price: decimalField(sink, price),
        quantity: decimalField(sink, quantity),
        taker: takerOf(maker),
      });
      sink.put(log, Buffer.from(text, 'latin1'), timeUs, timeUs);
    };
  },
});

const aggTrades = (header: string, columns: string): CsvKind => ({
  header,
  row: rowForm(columns),
  columns: columns.length,
  reader(sink) {
    const instrument = instrumentOfFile(sink, binanceInstrument);
    const log = sink.log('binance', instrument, 'aggTrade');
    const symbol = instrument.replace('-', '');
    return ([id = '', price = '', quantity = '', first = '', last = '', time = '', maker = '']) => {
      const timeUs = timeField(sink, time);
      const text = writeAggTrade(symbol, toMs(timeUs), {
        kind: 'trade',
        timeUs,
        id: idField(sink, id),
        price: decimalField(sink, price),
        quantity: decimalField(sink, quantity),
        taker: takerOf(maker),
        firstId: idField(sink, first),
        lastId: idField(sink, last),
      });
      sink.put(log, Buffer.from(text, 'latin1'), timeUs, timeUs);
    };
  },
});

const recorded: CsvKind = {
  header: 'TimestampOfReceive,',
  row: undefined,
  columns: 11,
  reader: (sink) => (fields) => {
    const [received = '', , , event = '', traded = '', symbol = '', id = ''] = fields;
    const [, , , , , , , price = '', quantity = '', maker = ''] = fields;
    const instrument = binanceInstrument(symbol);
    if (!instrument) return sink.fail(`not a symbol: ${symbol.slice(0, 40)}`, 'repair the row');
    const eventUs = timeField(sink, event);
    const text = writeTrade(symbol, toMs(eventUs), {
      kind: 'trade',
      timeUs: timeField(sink, traded),
      id: idField(sink, id),
      price: decimalField(sink, price),
      quantity: decimalField(sink, quantity),
      taker: takerOf(maker),
    });
    const receivedUs = timeField(sink, received);
    sink.put(
      sink.log('binance', instrument, 'trade'),
      Buffer.from(text, 'latin1'),
      receivedUs,
      eventUs,
    );
  },
};

/** The interval's name: the setting's, else that in the file's name ("1mo" is a month), else by the row's length. */
function intervalName(sink: Sink, lengthUs: number | undefined): string {
  const { interval, name } = sink.facts;
  const parts = interval === undefined ? name.split(/[^A-Za-z0-9]+/) : [interval];
  for (const part of parts) {
    const found = intervalNames.find((one) => one === (part === '1mo' ? '1M' : part));
    if (found) return found;
  }
  const fits = intervalNames.find((one) => intervalOf(one)?.us === lengthUs && one !== '1M');
  return (
    fits ??
    sink.fail('the file does not say how long its candles are', 'name it, e.g. interval: 1d')
  );
}

const klines = (header: string, columns: number): CsvKind => ({
  header,
  row: columns === 12 ? rowForm('n'.repeat(12)) : undefined,
  columns,
  reader(sink) {
    const instrument = instrumentOfFile(sink, binanceInstrument);
    const symbol = instrument.replace('-', '');
    let name: string | undefined;
    const number = (text: string | undefined): string =>
      text === undefined ? '0.00000000' : eight(decimalField(sink, text));
    return (fields) => {
      const [open = '', , , , , , close, quoteVolume, count = '0', takerBase, takerQuote] = fields;
      const openTimeUs = timeField(sink, open);
      const given = close === undefined ? undefined : timeField(sink, close);
      // A close time is the last unit before the next candle: a millisecond, or a microsecond since 2025.
      const unit = open.length > 13 ? 1 : 1000;
      name ??= intervalName(sink, given === undefined ? undefined : given + unit - openTimeUs);
      const interval = intervalOf(name)!;
      const endUs = interval.endUs(openTimeUs);
      const candle: Candle = {
        kind: 'candle',
        intervalUs: endUs - openTimeUs,
        openTimeUs,
        open: number(fields[1]),
        high: number(fields[2]),
        low: number(fields[3]),
        close: number(fields[4]),
        volume: number(fields[5]),
        quoteVolume: number(quoteVolume),
        takerBuyVolume: number(takerBase),
        takerBuyQuoteVolume: number(takerQuote),
        trades: Number(idField(sink, count)),
        firstTradeId: '',
        lastTradeId: '',
        closed: true,
      };
      const text = writeKline(symbol, toMs(endUs), name, candle);
      const log = sink.log('binance', instrument, `kline_${name}`);
      sink.put(log, Buffer.from(text, 'latin1'), endUs, endUs);
    };
  },
});

const kinds: readonly CsvKind[] = [
  recorded,
  klines('open_time_ms,', 6),
  klines('open_time,', 12),
  trades('id,price,qty,quoteQty', 'nnnnnbb'),
  trades('id,price,qty,quote_qty', 'nnnnnb'),
  aggTrades('agg_trade_id,', 'nnnnnnb'),
  aggTrades('aggTradeId,', 'nnnnnnbb'),
];

export const binanceCsv: Layout = {
  single: true,
  matches: (head) => kindOf(kinds, head.split(/\r?\n/, 1)[0] ?? '') !== undefined,
  decoder: (sink) => csvDecoder(sink, kinds),
};
