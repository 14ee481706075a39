/**
 * What a notifier is: a way to say and to hear "log L reached N". Which ones exist is in `registry.ts`; what each can do
 * it says itself (`supports`), so that nothing decides by name.
 */
import type { HeaderFields } from '../mesh/header.ts';
import type { Heard } from './notice.ts';

export type Supports = {
  /** Heard on other hosts. */
  readonly acrossHosts: boolean;
  /** Can carry the lines themselves to readers without the disk. */
  readonly data: boolean;
};

/** The saying end, in a fetcher or replica. */
export type Announcer = AsyncDisposable & {
  /** Says it now; never blocks, never throws for a listener's sake. `fields` are those of NOTICE, HEAD or END. */
  announce(log: string, fields: HeaderFields): void;
  /** True when somebody asked for the lines themselves. */
  wantsData(log: string): boolean;
  sendData(log: string, fields: HeaderFields, lines: Buffer): void;
  /** Where listeners connect. */
  readonly endpoint: string;
};

/** The hearing end. */
export type Listener = AsyncDisposable & {
  /** Messages that were no notices, dropped. */
  readonly invalid: number;
};

export type ListenerOptions = {
  readonly endpoint: string;
  /** Names; or 'all', whatever is announced there. */
  readonly logs: readonly string[] | 'all';
  /** Also ask for the lines themselves. */
  readonly data?: boolean;
  readonly onHeard: (heard: Heard) => void;
};
