/**
 * Several notifiers listened to at once: whichever says it first is acted on. Each opens, dies and comes back by itself;
 * one that cannot be opened is tried again, ever more rarely. While the quickest works, those that can rest do: they go
 * on with heartbeats, which give away what the quickest has missed, and are back at once when it stops. Below them all is the reader's own floor: it looks at the
 * files once a second, and many times a second while nobody can be relied on.
 */
import { TickmeshError } from '../world/error.ts';
import { publicEndpoint } from './endpoint.ts';
import { notifierOf, requireNotifier } from './find.ts';
import type { Listener, ListenerOptions, Notifier, NotifierState } from './notifier.ts';

/** How a part does, as it is shown to users. */
export type NotifierStatus = {
  readonly notifier: string;
  state: NotifierState;
  /** Notices and rings that came in by it, and messages that were neither. */
  heard: number;
  readonly invalid: number;
  /** Why it is off or failed. */
  why?: string;
};

export type ListenersOptions = Omit<ListenerOptions, 'endpoint' | 'onState' | 'writer'> & {
  readonly among: readonly Notifier[];
  /** A part changed its state from `was`. `endpoint` is without user and password; `error` is why, where that is known. */
  readonly onPart?: (
    endpoint: string,
    status: NotifierStatus,
    was: NotifierState,
    error: Error | undefined,
  ) => void;
};

type Part = {
  readonly endpoint: string;
  readonly shown: string;
  readonly writer: string | undefined;
  readonly notifier: Notifier;
  readonly status: NotifierStatus;
  /** Asked for by its user, not only by what a log says. */
  readonly stays: boolean;
  dropped?: true;
  listener?: Listener;
  timer?: NodeJS.Timeout;
  tries: number;
};

const RETRY_MS = [250, 1_000, 5_000, 30_000];

export class Listeners implements AsyncDisposable {
  /** By endpoint, without user and password. */
  readonly status: Record<string, NotifierStatus> = {};
  readonly #options: ListenersOptions;
  readonly #parts = new Map<string, Part>();
  readonly #followed = new Map<string, readonly string[]>();
  readonly #leaving = new Set<Promise<void>>();
  #reliable = 0;
  #quickest = 0;
  #closed = false;

  constructor(options: ListenersOptions) {
    this.#options = options;
  }

  /** True while a notifier works that needs no heartbeats: then silence says that nothing happened. */
  get reliable(): boolean {
    return this.#reliable > 0;
  }

  /**
   * Listens to a log's writer wherever it says that it can be heard, as far as we can; and no more where the log's writer
   * was heard before, unless another log's is.
   */
  follow(log: string, endpoints: readonly string[], writer: string): void {
    const before = this.#followed.get(log) ?? [];
    this.#followed.set(log, endpoints.map(publicEndpoint));
    for (const endpoint of endpoints)
      if (notifierOf(endpoint, this.#options.among)) this.#add(endpoint, writer, false);
    const wanted = new Set([...this.#followed.values()].flat());
    for (const shown of before) if (!wanted.has(shown)) this.#drop(shown);
  }

  /** Listens there too, from soon on and to the end; repeating it is harmless. Throws CONFIG_INVALID. */
  add(endpoint: string, writer?: string): void {
    this.#add(endpoint, writer, true);
  }

  #add(endpoint: string, writer: string | undefined, stays: boolean): void {
    // An endpoint read from a log has no password: it is the one that was given with it.
    const shown = publicEndpoint(endpoint);
    if (this.#parts.has(shown) || this.#closed) return;
    const notifier = requireNotifier(endpoint, this.#options.among);
    const part: Part = {
      endpoint,
      shown,
      writer,
      stays,
      notifier,
      tries: 0,
      status: {
        notifier: notifier.name,
        state: 'opening',
        heard: 0,
        get invalid() {
          return part.listener?.invalid ?? 0;
        },
      },
    };
    this.#parts.set(shown, part);
    this.status[shown] = part.status;
    void this.#open(part);
  }

  async #open(part: Part): Promise<void> {
    const { onHeard, onRing } = this.#options;
    const { status } = part;
    try {
      const listener = await part.notifier.listen({
        ...this.#options,
        endpoint: part.endpoint,
        writer: part.writer,
        onHeard: (heard) => {
          status.heard++;
          onHeard(heard);
        },
        onRing: (log) => {
          status.heard++;
          onRing?.(log);
        },
        onState: (state, why) => this.#become(part, state, why),
      });
      if (this.#closed || part.dropped) return await listener[Symbol.asyncDispose]();
      part.listener = listener;
      part.tries = 0;
      if (this.#quickest > 0) this.#rest(part, true);
    } catch (error) {
      if (this.#closed || part.dropped) return;
      this.#become(part, 'failed', error as Error);
      // What is wrong in the settings or not installed does not mend itself.
      const final = error instanceof TypeError || isFinal(error);
      if (final) return;
      const waitMs = RETRY_MS[Math.min(part.tries++, RETRY_MS.length - 1)];
      part.timer = setTimeout(() => void this.#open(part), waitMs);
    }
  }

  #rest({ listener, notifier }: Part, resting: boolean): void {
    // Bytes that travel with the notices come from nowhere else.
    if (!this.#options.data && !notifier.supports.quickest) listener?.rest?.(resting);
  }

  #restAll(resting: boolean): void {
    for (const part of this.#parts.values()) this.#rest(part, resting);
  }

  #become(part: Part, state: NotifierState, error: Error | undefined): void {
    const { status, notifier } = part;
    const was = status.state;
    if (this.#closed || part.dropped || (was === state && status.why === error?.message)) return;
    if (!notifier.supports.heartbeats) {
      if (state === 'on') this.#reliable++;
      if (was === 'on') this.#reliable--;
    }
    if (notifier.supports.quickest) {
      if (state === 'on' && this.#quickest++ === 0) this.#restAll(true);
      if (was === 'on' && --this.#quickest === 0) this.#restAll(false);
    }
    status.state = state;
    if (error) status.why = error.message;
    else delete status.why;
    this.#options.onPart?.(part.shown, status, was, error);
  }

  #drop(shown: string): void {
    const part = this.#parts.get(shown);
    if (!part || part.stays) return;
    this.#parts.delete(shown);
    delete this.status[shown];
    if (!part.notifier.supports.heartbeats && part.status.state === 'on') this.#reliable--;
    part.dropped = true;
    clearTimeout(part.timer);
    const leaving = Promise.resolve(part.listener?.[Symbol.asyncDispose]())
      .catch(() => undefined)
      .finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const parts = [...this.#parts.values()];
    for (const { timer } of parts) clearTimeout(timer);
    await Promise.all([
      ...parts.map(async ({ listener }) => listener?.[Symbol.asyncDispose]()),
      ...this.#leaving,
    ]);
  }
}

export const isFinal = (error: unknown): boolean =>
  error instanceof TickmeshError &&
  (error.code === 'PEER_MISSING' || error.code === 'CONFIG_INVALID');
