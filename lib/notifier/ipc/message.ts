/**
 * What goes over a process channel (JSON), beside what a supervisor and its nodes say to each other:
 *
 *   { "notice": [channel, log, kind, epoch, lines, position, length, count, aux, tag] }   speaker -> relay -> listeners
 *   { "listen": [channel, log, 1 or -1] }     listener -> relay: it comes, it goes; log "*" is all
 *   { "speak": [channel, 1 or -1] }           speaker -> relay
 *   { "joined": [channel, log] }              relay -> speakers of the channel: repeat the log's end
 */
import { kinds, type Header, type HeaderFields } from '../../mesh/header.ts';
import type { Heard } from '../notice.ts';

export const ALL = '*';
const nothing = Buffer.alloc(0);

export const noticeMessage = (channel: string, log: string, fields: HeaderFields): object => ({
  notice: [
    channel,
    log,
    fields.kind,
    fields.epoch ?? 0,
    fields.lines ?? 0,
    fields.position ?? 0,
    fields.length ?? 0,
    fields.count ?? 0,
    fields.aux ?? 0,
    fields.tag ?? 0,
  ],
});

/** The array behind `key`, when the message has one that begins with so many texts. */
export function partsOf(message: unknown, key: string, texts: number): unknown[] | undefined {
  if (typeof message !== 'object' || message === null) return undefined;
  const parts = (message as Record<string, unknown>)[key];
  if (!Array.isArray(parts) || parts.length < texts) return undefined;
  for (let at = 0; at < texts; at++) if (typeof parts[at] !== 'string') return undefined;
  return parts as unknown[];
}

/** What a notice says; undefined when its numbers are none. */
export function readNoticeParts(parts: readonly unknown[]): Heard | undefined {
  for (let at = 2; at < 10; at++) {
    const value = parts[at];
    if (!Number.isSafeInteger(value) || (value as number) < 0) return undefined;
  }
  const [, log, kind, epoch, lines, position, length, count, aux, tag] = parts as [
    string,
    string,
    ...number[],
  ];
  if (kind !== kinds.NOTICE && kind !== kinds.HEAD && kind !== kinds.END) return undefined;
  const header = {
    kind,
    epoch,
    lines,
    position,
    length,
    count,
    lastEpoch: 0,
    recordEpoch: 0,
    aux,
    tag,
  };
  return { log, header: header as Header, bytes: nothing };
}
