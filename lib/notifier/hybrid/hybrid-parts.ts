/** A list of endpoints as one endpoint. */
import { Announcers } from '../announcers.ts';
import { knownOptions } from '../endpoint.ts';
import { Listeners } from '../listeners-timer.ts';
import type {
  Announcer,
  AnnouncerOptions,
  Listener,
  ListenerOptions,
  Notifier,
} from '../notifier.ts';

/** "hybrid:?of=…&of=…" of a list. */
export function hybridEndpoint(parts: readonly string[]): string {
  const options = new URLSearchParams();
  for (const part of parts) options.append('of', part);
  return `hybrid:?${options.toString()}`;
}

function partsOf(endpoint: string): string[] {
  const parts = knownOptions(endpoint, ['of']).getAll('of');
  if (parts.length === 0) throw new TypeError(`${endpoint} names no parts`);
  return parts;
}

/** Of itself it knows none of the others. */
function chosenFrom(among: readonly Notifier[] | undefined): readonly Notifier[] {
  if (among) return among;
  throw new TypeError('a hybrid needs the notifiers to choose from: give `among`');
}

export async function announceHybrid(options: AnnouncerOptions): Promise<Announcer> {
  const parts = await Announcers.open(partsOf(options.endpoint), {
    ...options,
    among: chosenFrom(options.among),
  });
  const endpoint = hybridEndpoint(parts.endpoints);
  return {
    endpoint,
    get refused() {
      return parts.refused;
    },
    announce: (log, fields) => parts.announce(log, fields),
    wantsData: (log) => parts.wantsData(log),
    sendData: (log, fields, lines) => parts.sendData(log, fields, lines),
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}

/** On while any of its parts is. */
export async function listenHybrid(options: ListenerOptions): Promise<Listener> {
  const parts = new Listeners({
    ...options,
    among: chosenFrom(options.among),
    onPart: () => {
      const states = Object.values(parts.status);
      const on = states.some(({ state }) => state === 'on');
      const failed = states.every(({ state }) => state === 'failed');
      const why = states.find((one) => one.why !== undefined)?.why;
      if (on) options.onState?.('on');
      else
        options.onState?.(
          failed ? 'failed' : 'off',
          why === undefined ? undefined : new Error(why),
        );
    },
  });
  for (const endpoint of partsOf(options.endpoint)) parts.add(endpoint);
  return {
    get invalid() {
      return Object.values(parts.status).reduce((sum, { invalid }) => sum + invalid, 0);
    },
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}
