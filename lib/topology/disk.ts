/** topology.yaml from the disk: at most 1 MiB of UTF-8 text. */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { TickmeshError } from '../world/error.ts';
import { TOPOLOGY_BYTES_MAX } from './document.ts';

/** The file's text. Throws CONFIG_INVALID with what to do: missing, a folder, unreadable, too large, not UTF-8. */
export function readTopologyText(file: string): string {
  let handle: number | undefined;
  try {
    handle = openSync(file, 'r');
    const stat = fstatSync(handle);
    if (!stat.isFile()) {
      throw refused(file, 'is not a file', 'name the file: tickmesh up path/to/topology.yaml');
    }
    if (stat.size > TOPOLOGY_BYTES_MAX) {
      throw refused(file, 'is larger than 1 MiB', 'is this the right file?');
    }
    const bytes = readFileSync(handle);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch (cause) {
      throw refused(file, 'is not UTF-8 text', 'save it as UTF-8', cause);
    }
  } catch (cause) {
    if (cause instanceof TickmeshError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') {
      const remedy = 'name one: tickmesh up path/to/topology.yaml';
      throw refused(file, 'does not exist', remedy, cause);
    }
    throw refused(
      file,
      `cannot be read (${code ?? 'unknown error'})`,
      'check its permissions',
      cause,
    );
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

const refused = (file: string, what: string, remedy: string, cause?: unknown): TickmeshError =>
  new TickmeshError('CONFIG_INVALID', `${file} ${what}`, { remedy, cause, facts: { file } });
