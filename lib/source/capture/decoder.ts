/** What a layout of recorded files is: how it is known, and how its bytes become records. */
import type { Sink } from './sink.ts';

/** Reads one file from its first byte to its last. */
export type Decoder = {
  /** Puts every whole message of `bytes` into the sink; returns how many bytes are done with. `last`: none follow. */
  push(bytes: Buffer, last: boolean): number;
};

export type Layout = {
  /** `head`: the first bytes of the unpacked file as latin1, cut at 4 KiB; `name`: the file's, without ".gz". */
  matches(head: string, name: string): boolean;
  /** True when all of a file goes to one log. */
  readonly single?: boolean;
  decoder(sink: Sink): Decoder;
};
