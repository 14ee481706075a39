/**
 * Keys of CURVE (ZeroMQ RFC 26): 32 bytes each, written in Z85 (RFC 32) as 40 characters. A node has one pair. What it
 * binds decrypts with its secret key and admits listed public keys only; what it dials must own the key that is listed
 * for the peer, else nothing is said to it.
 */
import { join } from 'node:path';
import { TickmeshError } from '../world/error.ts';

export type KeyPair = { readonly publicKey: string; readonly secretKey: string };
/** Public keys by name of node. */
export type PublicKeys = Readonly<Record<string, string>>;

export const KEY_BYTES = 32;
const digits =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#';
const keyForm = /^[0-9a-zA-Z.\-:+=^!/*?&<>()[\]{}@%$#]{40}$/;

export const isKey = (text: string): boolean => keyForm.test(text);

/** The key's text. Throws TypeError unless it has 32 bytes. */
export function keyText(key: Buffer): string {
  if (key.length !== KEY_BYTES) throw new TypeError(`a key has 32 bytes, got ${key.length}`);
  let text = '';
  for (let at = 0; at < KEY_BYTES; at += 4) {
    let value = key.readUInt32BE(at);
    let five = '';
    for (let i = 0; i < 5; i++) {
      five = digits[value % 85]! + five;
      value = Math.floor(value / 85);
    }
    text += five;
  }
  return text;
}

/** A node's files in the folder of the keys: `mesh/disk-keys.ts`. */
export const secretKeyFile = (folder: string, node: string): string => join(folder, `${node}.key`);
export const publicKeyFile = (folder: string, node: string): string => join(folder, `${node}.pub`);

/** The error of a socket that others could reach and nobody guards. */
export const unguarded = (endpoint: string): TickmeshError =>
  new TickmeshError('INSECURE', `${endpoint} can be reached from other computers without keys`, {
    facts: { endpoint },
    remedy:
      'make keys ("tickmesh keys new") and write "keys: keys" into the topology, or bind 127.0.0.1 or ipc',
  });
