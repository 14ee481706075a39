/**
 * Keys on the disk: a folder with two files a node. The public ones go to every host, beside the topology; a secret one
 * never leaves the host that made it. It is refused when its group or others can read it, when it is not ours, and when
 * it is no plain file.
 *
 *   <node>.key = [ "# " text LF ] "public " key LF "secret " key LF      ; mode 0600; key: mesh/curve.ts
 *   <node>.pub = key LF
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { TickmeshError } from '../world/error.ts';
import { isKey, publicKeyFile, secretKeyFile, type KeyPair } from './curve.ts';

const BYTES_MAX = 4_096;
const secretForm = /^(?:# .*\n)?public (.{40})\nsecret (.{40})\n?$/;

/** Throws INSECURE for a file that others may have read, CONFIG_INVALID for one that is missing or no key. */
export function readKeyPair(file: string): KeyPair {
  const [, publicKey = '', secretKey = ''] = secretForm.exec(readSmall(file, 'secret')) ?? [];
  if (isKey(publicKey) && isKey(secretKey)) return { publicKey, secretKey };
  throw new TickmeshError('CONFIG_INVALID', `${file} holds no key pair`, {
    remedy: 'make a new one: tickmesh keys rotate <node>',
    facts: { file },
  });
}

/** Throws CONFIG_INVALID for a file that is missing or no key. */
export function readPublicKey(folder: string, node: string): string {
  const file = publicKeyFile(folder, node);
  const key = readSmall(file, 'public').trimEnd();
  if (isKey(key)) return key;
  throw new TickmeshError('CONFIG_INVALID', `${file} holds no key`, {
    remedy: `copy it again from the host of "${node}"`,
    facts: { file },
  });
}

function readSmall(file: string, what: 'secret' | 'public'): string {
  let handle: number | undefined;
  try {
    handle = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    const { mode, uid, size } = fstatSync(handle);
    const isFile = (mode & constants.S_IFMT) === constants.S_IFREG;
    if (!isFile || size > BYTES_MAX) throw noKey(file, 'is no file with a key');
    if (what === 'secret') checkSecret(file, mode, uid);
    return readFileSync(handle, 'latin1');
  } catch (cause) {
    if (cause instanceof TickmeshError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ELOOP') throw noKey(file, 'is a link: keys are plain files', cause);
    if (code !== 'ENOENT') throw noKey(file, `cannot be read (${code})`, cause);
    throw new TickmeshError('CONFIG_INVALID', `there is no ${what} key ${file}`, {
      cause,
      facts: { file },
      remedy:
        what === 'secret'
          ? 'make it on this host: tickmesh keys new'
          : 'make it on the host of that node (tickmesh keys new), and copy it here',
    });
  } finally {
    if (handle !== undefined) closeSync(handle);
  }
}

const noKey = (file: string, what: string, cause?: unknown): TickmeshError =>
  new TickmeshError('CONFIG_INVALID', `${file} ${what}`, { cause, facts: { file } });

function checkSecret(file: string, mode: number, uid: number): void {
  const own = process.getuid?.();
  if (own === undefined) return;
  const facts = { file, mode: (mode & 0o777).toString(8), uid };
  if (uid !== own) {
    throw new TickmeshError('INSECURE', `${file} belongs to another user (${uid})`, {
      facts,
      remedy: `run as that user, or make a key of your own: tickmesh keys rotate <node>`,
    });
  }
  if ((mode & 0o077) !== 0) {
    throw new TickmeshError('INSECURE', `${file} can be read by others (mode ${facts.mode})`, {
      facts,
      remedy: `chmod 600 ${file}; if others may have read it, tickmesh keys rotate <node>`,
    });
  }
}

/** True when a node has a key here, be it good or not. */
export const hasKeys = (folder: string, node: string): boolean =>
  existsSync(secretKeyFile(folder, node)) || existsSync(publicKeyFile(folder, node));

/**
 * Writes both files of a node, whole or not at all. Makes the folder (0700), and tells git to leave secret keys alone.
 * Throws CONFIG_INVALID when it cannot.
 */
export function writeKeyPair(folder: string, node: string, keys: KeyPair): void {
  const { publicKey, secretKey } = keys;
  const note = `# secret key of the tickmesh node "${node}": for that node alone, never to be copied`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(join(folder, '.gitignore')))
      writeFileSync(join(folder, '.gitignore'), '*.key\n');
    const secret = `${note}\npublic ${publicKey}\nsecret ${secretKey}\n`;
    replaceFile(secretKeyFile(folder, node), secret, 0o600);
    replaceFile(publicKeyFile(folder, node), `${publicKey}\n`, 0o644);
  } catch (cause) {
    throw new TickmeshError('CONFIG_INVALID', `cannot write keys into ${folder}`, {
      cause,
      facts: { folder },
      remedy: 'check the permissions of the folder',
    });
  }
}

function replaceFile(file: string, text: string, mode: number): void {
  const fresh = `${file}.new`;
  // Left over by a crash, or put there for us to write into: neither is opened.
  if (existsSync(fresh)) unlinkSync(fresh);
  const handle = openSync(fresh, 'wx', mode);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
  renameSync(fresh, file);
}
