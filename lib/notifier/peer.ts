/** Packages that only some notifiers need: installed by whoever uses those. */
import { TickmeshError } from '../world/error.ts';

/** Loads an optional package. Throws PEER_MISSING that says what to install. */
export async function loadPeer<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw cause;
    throw new TickmeshError('PEER_MISSING', `the package ${name} is not installed`, {
      cause,
      remedy: `npm install ${name}`,
    });
  }
}
