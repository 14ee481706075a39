/**
 * Lines as cryptofeed's raw writer has them: what was sent and received over one connection. Blank lines and the
 * `configuration:` line are skipped.
 *
 *   line = url " <-> " ts               ; the connection was opened
 *        / url " <- " ts ": " body      ; sent by the client
 *        / url " -> " ts ": " body      ; a REST answer
 *        / ts ": " body                 ; a frame received
 *   ts   = 10DIGIT "." 1*7DIGIT         ; Unix seconds
 */
import { BinanceFrames, KrakenFrames } from './frames.ts';
import type { Layout } from './decoder.ts';
import { lineDecoder } from './lines.ts';

const SECOND_DIGITS = 10;
const URL_FORM = /^(wss?|https?):\/\/(\S+) (<->|<-|->) (\d{10}(?:\.\d{1,9})?)(?:: )?/;

/** "1617666424.5349271" in Unix microseconds, digit by digit: a double would round the last. */
export function secondsUs(text: string): number {
  const [seconds = '', fraction = ''] = text.split('.');
  return Number(seconds) * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'));
}

export const cryptofeed: Layout = {
  matches: (head) =>
    head.startsWith('configuration: {') ||
    URL_FORM.test(head) ||
    /^\d{10}\.\d{1,9}: [[{]/.test(head),
  decoder(sink) {
    const binance = new BinanceFrames(sink);
    const kraken = new KrakenFrames(sink);
    let venue: BinanceFrames | KrakenFrames | undefined;
    let opened = 0;

    const other = (line: Buffer): void => {
      const head = line.toString('latin1', 0, 4096);
      if (head.startsWith('configuration:')) return;
      const match = URL_FORM.exec(head);
      if (!match) {
        return sink.fail(
          'a line of none of the four forms of cryptofeed',
          'remove the line, or name the layout that the file has',
        );
      }
      const [whole, scheme = '', url = '', arrow, time = ''] = match;
      const timeUs = secondsUs(time);
      if (arrow === '<->') {
        venue = url.includes('kraken') ? kraken : binance;
        if (opened++ > 0) sink.mark('disconnect', timeUs);
      } else if (arrow === '->' && scheme.startsWith('http')) {
        const symbol = /\/depth\?(?:\S*&)?symbol=([A-Za-z0-9]+)/.exec(url)?.[1];
        if (symbol) binance.snapshot(symbol, line.subarray(whole.length), timeUs);
      }
    };

    return lineDecoder(sink, (line) => {
      // The many lines begin with a digit.
      const colon = line[0]! < 58 ? line.indexOf(58) : -1;
      if (colon < SECOND_DIGITS || colon > 24) return other(line);
      const timeUs = secondsUs(line.toString('latin1', 0, colon));
      if (Number.isNaN(timeUs)) sink.fail('a line without a time', 'remove the line');
      const body = line.subarray(colon + 2);
      venue ??= body[0] === 91 ? kraken : binance;
      venue.frame(body, timeUs);
    });
  },
};
