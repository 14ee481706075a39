/** Both ends of notices over a process channel. */
import type { HeaderFields } from '../../mesh/header.ts';
import type {
  Announcer,
  AnnouncerOptions,
  Listener,
  ListenerOptions,
  ProcessPort,
} from '../notifier.ts';
import { ALL, noticeMessage, partsOf, readNoticeParts } from './message.ts';

/** Most messages on their way: a parent that stands still must not fill our memory. */
const FLYING_MAX = 1_000;
const ignore = (): void => undefined;

export class PortAnnouncer implements Announcer {
  readonly endpoint: string;
  refused = 0;
  readonly #channel: string;
  readonly #port: ProcessPort;
  readonly #leave: () => void;
  #flying = 0;
  readonly #landed = (): void => void this.#flying--;

  constructor({ endpoint, onJoin, onState }: AnnouncerOptions, channel: string, port: ProcessPort) {
    this.endpoint = endpoint;
    this.#channel = channel;
    this.#port = port;
    this.#leave = port.receive(
      (message) => {
        const [to, log] = partsOf(message, 'joined', 2) ?? [];
        if (to === channel) onJoin?.(log as string);
      },
      () => onState?.('off'),
    );
    port.send({ speak: [channel, 1] }, ignore);
    onState?.('on');
  }

  announce(log: string, fields: HeaderFields): void {
    if (this.#flying >= FLYING_MAX || !this.#port.connected) {
      this.refused++;
      return;
    }
    this.#flying++;
    this.#port.send(noticeMessage(this.#channel, log, fields), this.#landed);
  }

  wantsData(): boolean {
    return false;
  }
  sendData(): void {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    // What was said before is on its way before this is.
    await new Promise<void>((done) => this.#port.send({ speak: [this.#channel, -1] }, done));
  }
}

export class PortListener implements Listener {
  invalid = 0;
  readonly #channel: string;
  readonly #port: ProcessPort;
  readonly #logs: readonly string[];
  readonly #leave: () => void;

  constructor({ logs, onHeard, onState }: ListenerOptions, channel: string, port: ProcessPort) {
    this.#channel = channel;
    this.#port = port;
    this.#logs = logs === 'all' ? [ALL] : logs;
    const wanted = new Set(this.#logs);
    this.#leave = port.receive(
      (message) => {
        const parts = partsOf(message, 'notice', 2);
        if (!parts || parts[0] !== channel) return;
        if (logs !== 'all' && !wanted.has(parts[1] as string)) return;
        const heard = readNoticeParts(parts);
        if (heard) onHeard(heard);
        else this.invalid++;
      },
      () => onState?.('off', new Error('the parent process is gone')),
    );
    for (const log of this.#logs) port.send({ listen: [channel, log, 1] }, ignore);
    onState?.('on');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leave();
    await Promise.all(
      this.#logs.map(
        (log) =>
          new Promise<void>((done) => this.#port.send({ listen: [this.#channel, log, -1] }, done)),
      ),
    );
  }
}
