/** The saying end of a notifier that needs nothing said: its listeners look at the files themselves. */
import type { Announcer, AnnouncerOptions } from './notifier.ts';

export function silentAnnouncer({ endpoint, onState }: AnnouncerOptions): Announcer {
  onState?.('on');
  return {
    endpoint,
    refused: 0,
    announce: () => undefined,
    wantsData: () => false,
    sendData: () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}
