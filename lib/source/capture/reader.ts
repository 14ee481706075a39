/** A recording as records: chunks of bytes through a layout's decoder, in constant memory. */
import { type Part, chunksOf, headOf, nameOf } from './disk.ts';
import type { Layout } from './decoder.ts';
import { layoutOf, layouts } from './layout.ts';
import type { CaptureSettings } from './settings.ts';
import { type Captured, type FileFacts, Sink } from './sink.ts';

const NOTHING = Buffer.alloc(0);

export type Recording = { readonly parts: readonly Part[]; readonly layout: Layout };

/** Finds out how a stream of parts is laid out. Throws SOURCE_INVALID. */
export function recordingOf(parts: readonly Part[], settings: CaptureSettings): Recording {
  const { path } = parts[0]!;
  const named = settings.layout && layouts[settings.layout];
  const layout = named ?? layoutOf(factsOf(path, settings), headOf(path).toString('latin1'));
  return { parts, layout };
}

const factsOf = (path: string, { instrument, interval }: CaptureSettings): FileFacts => ({
  path,
  name: nameOf(path),
  instrument,
  interval,
});

/** Records of a recording, a chunk's worth at a time. What stands before a fault comes out before its error is thrown. */
export async function* recordsOf(
  { parts, layout }: Recording,
  settings: CaptureSettings,
): AsyncGenerator<Captured[]> {
  for (const part of parts) {
    const sink = new Sink(factsOf(part.path, settings));
    const decoder = layout.decoder(sink);
    let rest: Buffer = NOTHING;
    let fault: unknown;
    const push = (bytes: Buffer, last: boolean): void => {
      try {
        rest = bytes.subarray(decoder.push(bytes, last));
      } catch (error) {
        fault = error;
      }
    };
    for await (const chunk of chunksOf(part)) {
      push(rest.length === 0 ? chunk : Buffer.concat([rest, chunk]), false);
      if (sink.records.length > 0) yield sink.take();
      if (fault) throw fault;
    }
    push(rest, true);
    if (sink.records.length > 0) yield sink.take();
    if (fault) throw fault;
  }
}
