/**
 * What the supervisor and a node say to each other over the process channel (JSON):
 *
 *   supervisor -> node   { settings }                        once, at the start
 *   node -> supervisor   { ready: { urls, facts } }          it serves
 *                        { failed: { code, message, remedy } }   why it is about to exit
 *
 * Stopping is SIGTERM. The channel itself is the lease: when it closes the supervisor is gone, and the node goes too.
 */
export type Ready = {
  /** Addresses for people: "WebSocket" -> "ws://127.0.0.1:7001". */
  readonly urls?: Readonly<Record<string, string>>;
  /** Anything worth a word in the summary: "3 logs". */
  readonly note?: string;
};
export type Failed = { readonly code: string; readonly message: string; readonly remedy?: string };
export type FromNode = { readonly ready: Ready } | { readonly failed: Failed };
export type ToNode = { readonly settings: unknown };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;
const isText = (value: unknown): value is string => typeof value === 'string';

/** A message of a node, checked; undefined for anything else. */
export function parseFromNode(message: unknown): FromNode | undefined {
  if (!isRecord(message)) return undefined;
  const { ready, failed } = message;
  if (isRecord(ready)) {
    const urls = isRecord(ready['urls'])
      ? Object.fromEntries(
          Object.entries(ready['urls']).filter((entry): entry is [string, string] =>
            isText(entry[1]),
          ),
        )
      : {};
    return { ready: { urls, ...(isText(ready['note']) ? { note: ready['note'] } : {}) } };
  }
  if (isRecord(failed) && isText(failed['code']) && isText(failed['message'])) {
    const { code, message: text, remedy } = failed;
    return { failed: { code, message: text, ...(isText(remedy) ? { remedy } : {}) } };
  }
  return undefined;
}

/** The settings that a supervisor sent; undefined for anything else. */
export const parseToNode = (message: unknown): ToNode | undefined =>
  isRecord(message) && 'settings' in message ? { settings: message['settings'] } : undefined;
