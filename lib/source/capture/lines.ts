/** Bytes as lines, for the layouts that have a message a line. */
import type { Decoder } from './decoder.ts';
import type { Sink } from './sink.ts';

const LINE_FEED = 10;
const RETURN = 13;
/** A longer line is no text file of ours. */
const LONGEST = 16 << 20;

/** Calls `read` for each line that is not blank, without its line end; counts lines in the sink. */
export function lineDecoder(sink: Sink, read: (line: Buffer) => void): Decoder {
  const one = (bytes: Buffer, from: number, to: number): void => {
    sink.line++;
    const end = to > from && bytes[to - 1] === RETURN ? to - 1 : to;
    if (end > from) read(bytes.subarray(from, end));
  };
  return {
    push(bytes, last) {
      let from = 0;
      for (;;) {
        const end = bytes.indexOf(LINE_FEED, from);
        if (end < 0) break;
        one(bytes, from, end);
        from = end + 1;
      }
      if (last && from < bytes.length) {
        one(bytes, from, bytes.length);
        return bytes.length;
      }
      if (bytes.length - from > LONGEST) {
        sink.line++;
        sink.fail(`a line of more than ${LONGEST} bytes`, 'check that this is the file you meant');
      }
      return from;
    },
  };
}
