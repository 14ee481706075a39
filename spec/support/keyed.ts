/** For specs of security: key pairs, and nodes of one process that know each other. */
import { setTimeout as sleep } from 'node:timers/promises';
import { newKeys, Security } from '../../lib/mesh/security-zeromq.ts';
import type { KeyPair } from '../../lib/mesh/curve.ts';
import { Zap } from '../../lib/mesh/zap-zeromq.ts';

/** One handler a process, shared by all specs of a file; spec files are threads of one process and take turns. */
let shared: Promise<Zap> | undefined;
export const zapOfThisProcess = (): Promise<Zap> => (shared ??= openInTurn());

async function openInTurn(): Promise<Zap> {
  for (let tries = 0; ; tries++) {
    try {
      return await Zap.open();
    } catch (error) {
      if (tries >= 1_800) throw error;
      await sleep(50);
    }
  }
}
/** What is left open keeps a spec's thread from ending. */
export const closeZap = async (): Promise<void> => (await shared)?.[Symbol.asyncDispose]();

export type Pair = {
  readonly fetcher: Security;
  readonly replica: Security;
  readonly keys: { readonly fetcher: KeyPair; readonly replica: KeyPair };
};

let counter = 0;

/** A fetcher and the replica that reads from it, by names that no other spec uses. */
export async function keyedPair(): Promise<Pair> {
  const zap = await zapOfThisProcess();
  const keys = { fetcher: newKeys(), replica: newKeys() };
  const number = ++counter;
  const fetcher = `fetcher-${number}`;
  const replica = `replica-${number}`;
  return {
    keys,
    fetcher: await Security.open({
      node: fetcher,
      keys: keys.fetcher,
      readers: { [replica]: keys.replica.publicKey },
      zap,
    }),
    replica: await Security.open({
      node: replica,
      keys: keys.replica,
      writers: { [fetcher]: keys.fetcher.publicKey },
      zap,
    }),
  };
}
