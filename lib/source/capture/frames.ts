/**
 * Frames as they came over a venue's WebSocket, told apart without parsing them.
 *
 *   Binance, combined   {"stream":"btcusdt@depth@100ms","data":PAYLOAD}   -> binance/BTC-USDT/depth
 *   Kraken v2           {"channel":"book","type":…,"data":[{"symbol":"BTC/USD",…}]}   -> kraken/BTC-USD/book-25
 *   Kraken v1           [320,{…},"book-1000","XBT/USD"]                   -> kraken/BTC-USD/v1-book-1000
 *
 * A payload is a slice of the frame: wrapped again, it is the frame byte for byte. What belongs to no instrument
 * (heartbeats, acks, status) and what publishers derive themselves (tickers, partial books) is left out.
 */
import { isChannel, parseStream } from '../../exchange/binance/channel.ts';
import { parseChannel } from '../../exchange/kraken/channel.ts';
import type { LogName } from '../../log/name.ts';
import { binanceInstrument, instrumentOfFile, krakenInstrument } from './instrument.ts';
import type { Sink } from './sink.ts';

const STREAM = '{"stream":"';
const DATA = ',"data":';
const OPENING = [123, 91];
const CLOSING = [125, 93];
const REPAIR = 'record the frame exactly as received';

/** Digits of JSON text are right as they are: only its first and last byte are looked at. */
const looksWhole = (payload: Buffer): boolean => {
  const kind = OPENING.indexOf(payload[0] ?? 0);
  return kind >= 0 && payload[payload.length - 1] === CLOSING[kind];
};

/** Binance's combined frames, and its REST snapshot where the recorder put one among them. */
export class BinanceFrames {
  readonly #sink: Sink;
  /** Log of each stream seen; undefined = left out. */
  readonly #streams = new Map<string, LogName | undefined>();
  /** The instrument of the file as long as there is only one. */
  #instrument: string | undefined;
  #several = false;

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  frame(frame: Buffer, timeUs: number): void {
    const sink = this.#sink;
    if (frame.toString('latin1', 0, STREAM.length) !== STREAM) return this.#bare(frame, timeUs);
    const nameEnd = frame.indexOf(34, STREAM.length);
    const from = nameEnd + 1 + DATA.length;
    if (
      nameEnd < 0 ||
      frame.toString('latin1', nameEnd + 1, from) !== DATA ||
      frame.at(-1) !== 125
    ) {
      sink.fail('a frame that is not {"stream":…,"data":…}', REPAIR);
    }
    const stream = frame.toString('latin1', STREAM.length, nameEnd);
    const payload = frame.subarray(from, frame.length - 1);
    if (!looksWhole(payload)) sink.fail('a frame that breaks off', REPAIR);
    if (!this.#streams.has(stream)) this.#meet(stream, payload);
    const log = this.#streams.get(stream);
    if (log !== undefined) sink.put(log, payload, timeUs);
  }

  /** A stream's first frame: finds its log, and parses the payload once to see that it is one JSON value. */
  #meet(stream: string, payload: Buffer): void {
    const sink = this.#sink;
    const parsed = parseStream(stream);
    const instrument = parsed && binanceInstrument(parsed.symbol);
    if (!parsed || (!instrument && parsed.kind !== 'miniTickers')) {
      sink.fail(
        `no stream of Binance: ${JSON.stringify(stream.slice(0, 80))}`,
        'take its lines out of the file',
      );
    }
    try {
      JSON.parse(payload.toString('utf8'));
    } catch {
      sink.fail('a frame whose data is not one JSON value', REPAIR);
    }
    const channel = stream.split('@')[1] ?? '';
    const kept = instrument !== undefined && isChannel(channel);
    this.#streams.set(stream, kept ? sink.log('binance', instrument, channel) : undefined);
    if (!kept) return;
    this.#several ||= this.#instrument !== undefined && this.#instrument !== instrument;
    this.#instrument = instrument;
  }

  #bare(frame: Buffer, timeUs: number): void {
    const head = frame.toString('latin1', 0, 64);
    if (head.startsWith('{"lastUpdateId"')) return this.snapshot(undefined, frame, timeUs);
    if (head.startsWith('{"result"') || head.startsWith('{"error"')) return;
    this.#sink.fail(
      `neither a combined frame nor a snapshot: ${head}`,
      'record the combined streams (/stream?streams=…), so that each frame says its stream',
    );
  }

  /** A REST snapshot, at its place among the diffs. `symbol` where the request is known. */
  snapshot(symbol: string | undefined, body: Buffer, timeUs: number): void {
    const sink = this.#sink;
    if (!looksWhole(body)) sink.fail('a snapshot that breaks off', REPAIR);
    if (symbol === undefined && this.#several) {
      sink.fail('a snapshot that does not say its symbol', 'keep one symbol a file');
    }
    const instrument =
      symbol === undefined
        ? (this.#instrument ?? instrumentOfFile(sink, binanceInstrument))
        : binanceInstrument(symbol);
    if (!instrument)
      return sink.fail(`not a symbol: ${symbol}`, 'take this answer out of the file');
    sink.put(sink.log('binance', instrument, 'depth'), body, timeUs);
  }
}

const CHANNEL = /^\{"channel":"([a-z0-9]+)","type":"([a-z]+)"/;
const SYMBOL = /"symbol":"([A-Z0-9]+\/[A-Z0-9]+)"/;
const V1_END = /,"([a-z0-9-]+)","([A-Z0-9]+\/[A-Z0-9]+)"\]$/;

/** Kraken's frames, v2 and v1. */
export class KrakenFrames {
  readonly #sink: Sink;
  /** "book BTC/USD" -> "-25", from the acks of subscriptions or the first snapshot. */
  readonly #depths = new Map<string, string>();

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  frame(frame: Buffer, timeUs: number): void {
    const sink = this.#sink;
    if (!looksWhole(frame)) sink.fail('a frame that breaks off', REPAIR);
    if (frame[0] === 91) return this.#v1(frame, timeUs);
    const head = frame.toString('latin1', 0, 400);
    const match = CHANNEL.exec(head);
    if (!match) {
      if (head.startsWith('{"method":"subscribe"')) this.#acked(frame);
      else if (!/"(method|event|channel|error)":/i.test(head)) {
        sink.fail(`no frame of Kraken: ${head.slice(0, 80)}`, REPAIR);
      }
      return;
    }
    const [, channel = '', type = ''] = match;
    if (channel !== 'book' && channel !== 'trade' && channel !== 'ticker' && channel !== 'ohlc') {
      return;
    }
    const symbol = SYMBOL.exec(head)?.[1];
    const instrument = symbol && krakenInstrument(symbol);
    if (!symbol || !instrument) return sink.fail('a frame without a symbol', REPAIR);
    const name = channel + this.#suffix(channel, symbol, type, frame);
    sink.put(sink.log('kraken', instrument, name), frame, timeUs);
  }

  #acked(frame: Buffer): void {
    const { result } = JSON.parse(frame.toString('utf8')) as {
      result?: { channel?: string; symbol?: string; depth?: number; interval?: number };
    };
    const number = result?.depth ?? result?.interval;
    if (number !== undefined)
      this.#depths.set(`${result?.channel} ${result?.symbol}`, `-${number}`);
  }

  /** Depth of a book or minutes of a candle, as the log's name has them. */
  #suffix(channel: string, symbol: string, type: string, frame: Buffer): string {
    if (channel === 'trade' || channel === 'ticker') return '';
    const key = `${channel} ${symbol}`;
    const known = this.#depths.get(key);
    if (known !== undefined) return known;
    if (channel === 'ohlc') {
      const minutes = /"interval":(\d+)/.exec(frame.toString('latin1'))?.[1];
      return minutes ? `-${minutes}` : this.#sink.fail('a candle without interval', REPAIR);
    }
    if (type !== 'snapshot') {
      this.#sink.fail('a book update before any snapshot', 'begin the file with the snapshot');
    }
    // Without an ack the depth is the least one that this snapshot fits in.
    const levels = frame.toString('latin1').split('],"asks":[');
    const most = Math.max(...levels.map((side) => side.split('"price"').length - 1));
    const depth = [10, 25, 100, 500, 1000].find(
      (one) => one >= most && parseChannel(`book-${one}`),
    );
    if (!depth) this.#sink.fail(`a book of ${most} levels`, 'Kraken has at most 1000');
    this.#depths.set(key, `-${depth}`);
    return `-${depth}`;
  }

  /** Kept verbatim in logs of their own. */
  #v1(frame: Buffer, timeUs: number): void {
    const match = V1_END.exec(frame.toString('latin1', Math.max(0, frame.length - 80)));
    const instrument = match && krakenInstrument(match[2]!);
    if (!match || !instrument) return this.#sink.fail('no frame of Kraken v1', REPAIR);
    this.#sink.put(this.#sink.log('kraken', instrument, `v1-${match[1]}`), frame, timeUs);
  }
}
