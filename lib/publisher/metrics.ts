/**
 * What a publisher counts. Plain numbers that only rise (but `clients`), read by `/-/metrics` and by specs.
 */
export type PublisherMetrics = {
  /** WebSockets open now, and ever. */
  clients: number;
  opened: number;
  /** Upgrades turned away: unknown path, origin, too many. */
  refused: number;
  /** HTTP requests that did not come in their time, and what was no HTTP: cut. */
  slowRequests: number;
  strangeRequests: number;
  /** How often a client with too many requests at once was not read from until the others had had their turn. */
  heldBack: number;
  /** Records taken from the feed. */
  records: number;
  /** Frames encoded; frames, bytes and writes handed to sockets. */
  encoded: number;
  frames: number;
  bytes: number;
  writes: number;
  /** Left out by the policy `skip`. */
  skippedTurns: number;
  skippedFrames: number;
  skippedBytes: number;
  /** Clients cut because they did not read, did not answer pings, or sent what is no WebSocket frame. */
  slowDisconnects: number;
  silentDisconnects: number;
  malformed: number;
  /** Frames received from clients; HTTP requests answered. */
  received: number;
  requests: number;
  /** Exceptions of the venue while it answered a client: a defect, caught so that nobody else suffers. */
  failures: number;
};

export const newMetrics = (): PublisherMetrics => ({
  clients: 0,
  opened: 0,
  refused: 0,
  slowRequests: 0,
  strangeRequests: 0,
  heldBack: 0,
  records: 0,
  encoded: 0,
  frames: 0,
  bytes: 0,
  writes: 0,
  skippedTurns: 0,
  skippedFrames: 0,
  skippedBytes: 0,
  slowDisconnects: 0,
  silentDisconnects: 0,
  malformed: 0,
  received: 0,
  requests: 0,
  failures: 0,
});
