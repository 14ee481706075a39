/** Several notifiers told at once. Each may be dead for a while by itself; what one refuses the others still say. */
import { doorsOf, type DoorStats } from '../mesh/door-zeromq.ts';
import type { HeaderFields } from '../mesh/header.ts';
import { requireNotifier } from './find.ts';
import type { Announcer, AnnouncerOptions, Notifier } from './notifier.ts';

/** Endpoints to announce at: a single one is joined by `watching:` for readers of the same files. */
export const allFeeds = (feed: string | readonly string[]): readonly string[] =>
  typeof feed === 'string' ? [feed, 'watching:'] : feed;

/** An announcer of one or more endpoints. */
export class Announcers implements Announcer {
  /** As bound: a wildcard port is a port now. */
  readonly endpoints: readonly string[];
  readonly #parts: readonly Announcer[];

  private constructor(parts: readonly Announcer[]) {
    this.#parts = parts;
    this.endpoints = parts.map(({ endpoint }) => endpoint);
  }

  /** Opens them all, or none. Throws CONFIG_INVALID and what each may throw. */
  static async open(
    endpoints: readonly string[],
    options: Omit<AnnouncerOptions, 'endpoint'> & { readonly among: readonly Notifier[] },
  ): Promise<Announcers> {
    const found = endpoints.map((endpoint) => requireNotifier(endpoint, options.among));
    const parts: Announcer[] = [];
    try {
      for (const [index, notifier] of found.entries())
        parts.push(await notifier.announce({ ...options, endpoint: endpoints[index]! }));
    } catch (error) {
      await Promise.all(parts.map((part) => part[Symbol.asyncDispose]()));
      throw error;
    }
    return new Announcers(parts);
  }

  get endpoint(): string {
    return this.endpoints[0] ?? '';
  }
  get refused(): number {
    return this.#parts.reduce((sum, { refused = 0 }) => sum + refused, 0);
  }

  get foreign(): number {
    return this.#parts.reduce((sum, { foreign = 0 }) => sum + foreign, 0);
  }
  get shed(): number {
    return this.#parts.reduce((sum, { shed = 0 }) => sum + shed, 0);
  }

  get door(): DoorStats {
    return doorsOf(this.#parts.map(({ door }) => door));
  }

  announce(log: string, fields: HeaderFields): void {
    for (const part of this.#parts) part.announce(log, fields);
  }

  wantsData(log: string): boolean {
    for (const part of this.#parts) if (part.wantsData(log)) return true;
    return false;
  }

  sendData(log: string, fields: HeaderFields, lines: Buffer): void {
    for (const part of this.#parts) if (part.wantsData(log)) part.sendData(log, fields, lines);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#parts.map((part) => part[Symbol.asyncDispose]()));
  }
}
