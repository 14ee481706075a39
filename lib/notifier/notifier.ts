/**
 * What a notifier is: a way to say and to hear "log L reached N". Which ones exist is in `registry.ts`; what each can do
 * it says itself (`supports`), so that nothing decides by name. Whatever one does, the file stays the truth: a notifier
 * may lose, repeat and reorder what it is told, and may be dead for a while. Then records come later, none is missing.
 */
import type { DoorStats } from '../mesh/door-zeromq.ts';
import type { HeaderFields } from '../mesh/header.ts';
import type { Security } from '../mesh/security-zeromq.ts';
import type { Heard } from './notice.ts';

export type Supports = {
  /** Heard on other hosts. */
  readonly acrossHosts: boolean;
  /** Can carry the lines themselves to readers without the disk. */
  readonly data: boolean;
  /** Needs a server that somebody runs. */
  readonly needsServer: boolean;
  /** Needs the logs' files: it looks at them, and hears what no writer has to say. */
  readonly needsFiles: boolean;
  /**
   * The writer's heartbeats travel over it, so that silence means trouble. Without them its own state says whether it
   * can be relied on.
   */
  readonly heartbeats: boolean;
  /** As quick as it gets: while it is on, others need not tell of every append. */
  readonly quickest?: boolean;
  /** Each writer binds an endpoint of its own, which a topology derives. */
  readonly binds?: boolean;
  /** One medium serves many writers: each needs a `channel` of its own in its endpoint. */
  readonly channels: boolean;
  /** What its endpoints begin with, without the colon; and which of these stay on one host, where not all do alike. */
  readonly endpointSchemes: readonly string[];
  readonly hostSchemes?: readonly string[];
};

/**
 * on: works. off: does not at the moment, and mends itself. failed: will not work until somebody changes something, or
 * tries again much later.
 */
export type NotifierState = 'opening' | 'on' | 'off' | 'failed';
export type OnState = (state: NotifierState, why?: Error) => void;

/** The saying end, in a fetcher or replica. */
export type Announcer = AsyncDisposable & {
  /** Says it now; never blocks, never throws for a listener's sake. `fields` are those of NOTICE, HEAD or END. */
  announce(log: string, fields: HeaderFields): void;
  /** True when somebody asked for the lines themselves. */
  wantsData(log: string): boolean;
  sendData(log: string, fields: HeaderFields, lines: Buffer): void;
  /** Where listeners connect: what goes into `epochs.jsonl`. */
  readonly endpoint: string;
  /** Subscriptions to what is never announced here; and how often all listeners were cut since there were too many. */
  readonly foreign?: number;
  readonly shed?: number;
  /** Connections that came to nothing or ended, where the notifier binds. */
  readonly door?: DoorStats;
  /** How often something could not be said: nobody took it in time. The next heartbeat makes up for it. */
  readonly refused?: number;
};

export type AnnouncerOptions = {
  readonly endpoint: string;
  /** Names of the logs that will be announced, where they are known: nobody needs to subscribe to others. */
  readonly logs?: readonly string[];
  /** How many subscriptions to other logs cut all listeners: at once, and a second. */
  readonly flood?: { readonly burst: number; readonly perSecond: number };
  /** Keys of this node: only its readers may listen. For notifiers that can; without it: whoever reaches the endpoint. */
  readonly security?: Security | undefined;
  /** A listener has just come for this log: the moment to repeat its end, so that joining costs no waiting. */
  readonly onJoin?: (log: string) => void;
  readonly onState?: OnState;
  /** Process channel, for notifiers that use one; the process' own by default. */
  readonly port?: ProcessPort;
  /** Notifiers to choose from, for one that is made of others. */
  readonly among?: readonly Notifier[];
};

/** The hearing end. */
export type Listener = AsyncDisposable & {
  /** Messages that were no notices, dropped. */
  readonly invalid: number;
  /** From now on (or no longer) heartbeats are enough: something quicker tells of everything else. */
  rest?(resting: boolean): void;
};

export type ListenerOptions = {
  readonly endpoint: string;
  /** Names; or 'all', whatever is announced there. */
  readonly logs: readonly string[] | 'all';
  /** Also ask for the lines themselves. */
  readonly data?: boolean;
  /** Data folder of the logs, for those that look at files. */
  readonly folder?: string;
  /** Keys of this node, and which writer it must be that announces there. */
  readonly security?: Security | undefined;
  readonly writer?: string | undefined;
  readonly onHeard: (heard: Heard) => void;
  /** Something happened to a log; without a name: to a clock. It is worth a look. */
  readonly onRing?: (log?: string) => void;
  readonly onState?: OnState;
  readonly port?: ProcessPort;
  readonly among?: readonly Notifier[];
};

/** One end of a channel between processes, as `process` and a child of it have one. */
export type ProcessPort = {
  /** Sends JSON. `done` is called when it has left, or cannot. */
  send(message: object, done: () => void): void;
  /** Tells every message that comes in, and the end of the channel, until the returned function is called. */
  receive(onMessage: (message: unknown) => void, onClosed: () => void): () => void;
  readonly connected: boolean;
};

export type Notifier = {
  /** As in topology.yaml and in the registry. */
  readonly name: string;
  readonly supports: Supports;
  /**
   * Where it is found when nothing but its name is given; undefined where an endpoint must be chosen.
   * A topology adds the channel.
   */
  readonly endpoint?: string;
  /** Throws TypeError for an endpoint that is none of its own, PORT_TAKEN, BIND_FAILED, PEER_MISSING. */
  announce(options: AnnouncerOptions): Promise<Announcer>;
  /** Throws TypeError for an endpoint that is none of its own, PEER_MISSING. A dead server is no error: see `onState`. */
  listen(options: ListenerOptions): Promise<Listener>;
};
