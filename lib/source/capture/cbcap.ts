/**
 * CBCAP1: frames with their length in front, so that any byte may occur in them.
 *
 *   file  = "CBCAP1 " venue " " symbol " " ns LF *frame
 *   frame = ns " " length LF length*OCTET LF         ; ns: nanoseconds, from any start
 *
 * Where the times are too small for dates they count from the first frame on, which was received at the header's time.
 */
import { BinanceFrames, KrakenFrames } from './frames.ts';
import { digitsAt } from './hft.ts';
import type { Layout } from './decoder.ts';

const LINE_FEED = 10;
/** A longer header line is none. */
const HEADER_MAX = 200;
const BLANK = 32;
/** Below this many microseconds (2001-09-09) a time is no date. */
const DATES_FROM_US = 1_000_000_000_000_000;

/** Decimal nanoseconds as microseconds; -1 for other text. */
function microseconds(text: string): number {
  if (!/^\d{1,19}$/.test(text)) return -1;
  return text.length > 3 ? Number(text.slice(0, -3)) : 0;
}

export const cbcap: Layout = {
  matches: (head) => head.startsWith('CBCAP1 '),
  decoder(sink) {
    let frames: BinanceFrames | KrakenFrames | undefined;
    let startUs = 0;
    /** Added to a frame's time. */
    let shiftUs: number | undefined;
    const remedy = 'take the file anew: lengths and bytes do not fit';

    const header = (line: string): void => {
      const [magic, venue, symbol, ns = ''] = line.split(' ');
      startUs = microseconds(ns);
      if (magic !== 'CBCAP1' || !symbol || startUs < 0) sink.fail('no header of CBCAP1', remedy);
      if (venue === 'kraken') frames = new KrakenFrames(sink);
      else if (venue === 'binance') frames = new BinanceFrames(sink);
      else sink.fail(`a capture of ${venue}`, 'captures of binance and kraken can be read');
    };
    const place = (us: number): number => {
      if (shiftUs === undefined) {
        shiftUs = us >= DATES_FROM_US ? 0 : Math.max(startUs, DATES_FROM_US) - us;
      }
      return us + shiftUs;
    };

    return {
      push(bytes, last) {
        let from = 0;
        for (;;) {
          const end = bytes.indexOf(LINE_FEED, from);
          if (end < 0 || end - from > HEADER_MAX) {
            if (bytes.length - from > HEADER_MAX || (last && from < bytes.length)) {
              sink.line++;
              sink.fail('no header of a frame', remedy);
            }
            return from;
          }
          if (!frames) {
            sink.line = 1;
            header(bytes.toString('latin1', from, end));
            from = end + 1;
            continue;
          }
          const blank = bytes.indexOf(BLANK, from);
          const us =
            blank > 0 && blank < end ? microseconds(bytes.toString('latin1', from, blank)) : -1;
          const length = us < 0 ? -1 : digitsAt(bytes, blank + 1, end - blank - 1);
          if (length < 0) {
            sink.line++;
            sink.fail('no header of a frame', remedy);
          }
          const frameEnd = end + 1 + length;
          if (frameEnd >= bytes.length) {
            if (!last) return from;
            sink.line++;
            sink.fail('a frame that breaks off', 'cut the file off before this frame');
          }
          sink.line++;
          const frame = bytes.subarray(end + 1, frameEnd);
          if (bytes[frameEnd] !== LINE_FEED) sink.fail('a frame longer than stated', remedy);
          if (frame.includes(LINE_FEED)) {
            sink.fail('a frame with a line feed in it', 'a log holds a frame a line: take it out');
          }
          frames.frame(frame, place(us));
          from = frameEnd + 1;
        }
      },
    };
  },
};
