/**
 * The one error class. `code` never changes within a major version, `message` may.
 * `message` says what is wrong and where; `remedy` says what to do about it; `cause` keeps the reason;
 * `facts` are enumerable so that a JSON logger prints them. A caller's mistake in code is a plain `TypeError`.
 */
export const errorCodes = [
  'LOG_LOCKED', // another process writes this log
  'LOG_CORRUPT', // bytes before the tail of a log are damaged
  'LOG_STALLED', // the disk takes no more bytes (full, gone, I/O error)
  'LOG_MISSING', // no such log
  'LOG_UNWRITABLE', // the data folder cannot be created or written
  'LOG_LIMIT', // a record or a position beyond what a log can hold
  'NAME_INVALID', // a log, node or symbol name that is not allowed
  'FRAME_INVALID', // bytes from the network that are not a frame of ours
  'TRIMMED', // the asked position is older than what is kept
  'REWOUND', // the writer took back what had been delivered
  'PORT_TAKEN', // somebody listens there already
  'BIND_FAILED', // an endpoint cannot be bound or dialled
  'CONFIG_INVALID', // settings or topology.yaml are wrong
  'SOURCE_INVALID', // a recorded file cannot be read
  'SOURCE_ENDED', // a source gave up
  'INSECURE', // a socket that others could reach without keys, or a key that others can read
  'PEER_MISSING', // an optional package is not installed
  'NODE_FAILED', // a process of the mesh did not become ready, or died
  'SLOW_CONSUMER', // a consumer fell behind its bound
] as const;
export type ErrorCode = (typeof errorCodes)[number];

export type ErrorOptions = {
  cause?: unknown;
  /** What the user can do about it, one sentence. */
  remedy?: string;
  facts?: Record<string, unknown>;
};

export class TickmeshError extends Error {
  override readonly name = 'TickmeshError';
  readonly code: ErrorCode;
  readonly remedy: string | undefined;
  readonly facts: Record<string, unknown>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.remedy = options.remedy;
    this.facts = options.facts ?? {};
  }
}
