/** What a feed can be asked for, and what it counts. */
import type { FollowerRules } from '../follower/state.ts';
import type { NotifierStatus } from '../notifier/listeners-timer.ts';
import type { Security } from '../mesh/security-zeromq.ts';
import type { Heard } from '../notifier/notice.ts';
import type { Notifier, ProcessPort } from '../notifier/notifier.ts';
import type { Clock } from '../world/clock.ts';
import type { From } from './record.ts';

export type FeedOptions = {
  /** The data folder. */
  readonly data: string;
  /** Names of logs, e.g. `binance/BTC-USDT/trade`. One that does not exist yet is waited for. */
  readonly logs: readonly string[];
  /** Default 'end': only what comes from now on. */
  readonly from?: From;
  /** 'end': stop when everything that was announced has been read. Default: follow for ever. */
  readonly until?: 'end';
  /** Ends the feed; the iteration then simply returns. */
  readonly signal?: AbortSignal;
  /**
   * 'auto' (default) listens wherever each log's writer says, and watches the files where it says nothing; 'none' only
   * polls; or endpoints, of which the first to say something counts; or these by the writer's node, for writers that are
   * not left to 'auto'. Files are looked at now and then in any case.
   */
  readonly notices?:
    | 'auto'
    | 'none'
    | readonly string[]
    | { readonly byWriter: Readonly<Record<string, readonly string[]>> };
  /** Notifiers beside the built-in ones. */
  readonly notifiers?: readonly Notifier[];
  /** Process channel for `node-ipc:` notices; this process' own by default. */
  readonly port?: ProcessPort;
  /**
   * What to do when there is nothing to read. 'park' (default): sleep until told or due. 'spin': keep looking at the heads,
   * with a turn of the event loop every 20 us, so that sockets and timers live; costs a core, and listens to nobody unless
   * `notices` says so. `{ spinUs }`: spin for so long after the last record, then park.
   */
  readonly idle?: Idle;
  /** Keys of this node and of the writers it reads from. Others of their mesh are watched and polled, not listened to. */
  readonly security?: Security | undefined;
  readonly rules?: Partial<FollowerRules>;
  /**
   * True: each batch's bytes are written over once the next batch is asked for. For consumers that keep no record, no
   * payload and no other view of those bytes beyond that (texts made of them, `json()` and times are theirs); memory then
   * stays flat however fast a history is read. A function is told of each piece of memory the moment it is free: a test
   * that fills it with junk finds out whether somebody kept a view. Default: false, every batch has bytes of its own.
   */
  readonly reuse?: boolean | ((freed: Buffer) => void);
  readonly clock?: Clock;
  /** For tests and simulations of loss: return false to drop a notice, or (without a header) a ring. */
  readonly hear?: (said: Pick<Heard, 'log'> & Partial<Heard>) => boolean;
};

export type Idle = 'park' | 'spin' | { readonly spinUs: number };

export type FeedStats = {
  records: number;
  notices: number;
  /** Times that a log was said to have changed, without saying how. */
  rings: number;
  /** Notices that said nothing new. */
  covered: number;
  /** Records that came with a receive time before one already handed out (their writer was silent too long). */
  late: number;
  /** How each notifier does, by endpoint (without user and password). */
  readonly notifiers: Readonly<Record<string, NotifierStatus>>;
};
