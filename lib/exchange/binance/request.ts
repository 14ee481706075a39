/**
 * The JSON that a client sends over a stream connection, checked; and the errors that answer a bad one.
 *
 *   request = {"method": "SUBSCRIBE" | "UNSUBSCRIBE", "params": [stream…], "id": id}
 *           | {"method": "LIST_SUBSCRIPTIONS", "id": id}
 *           | {"method": "SET_PROPERTY", "params": ["combined", boolean], "id": id}
 *           | {"method": "GET_PROPERTY", "params": ["combined"], "id": id}
 *   id      = 64-bit signed integer / string of up to 36 characters / null; echoed as it was written
 *   error   = {"error": {"code": 0..3, "msg": …}, "id": id}
 */
export const methods = [
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'LIST_SUBSCRIPTIONS',
  'SET_PROPERTY',
  'GET_PROPERTY',
] as const;
export type Method = (typeof methods)[number];

/** A checked request; `id` is JSON text, ready to be echoed. */
export type SessionRequest = {
  readonly method: Method;
  readonly params: readonly unknown[];
  readonly id: string;
};

export class RequestError extends Error {
  readonly code: 0 | 1 | 2 | 3;
  /** JSON text of the request's id, "null" where it had none that is valid. */
  readonly id: string;
  constructor(code: 0 | 1 | 2 | 3, message: string, id: string) {
    super(message);
    this.code = code;
    this.id = id;
  }
  /** The frame that answers it. */
  frame(): string {
    return `{"error":{"code":${this.code},"msg":${JSON.stringify(this.message)}},"id":${this.id}}`;
  }
}

const INT64_MAX = 2n ** 63n;

/** The id as JSON text; undefined where it is not allowed. An integer beyond 2^53 is taken from the text itself. */
function idText(id: unknown, text: string): string | undefined {
  if (id === null || id === undefined) return 'null';
  if (typeof id === 'string') return id.length <= 36 ? JSON.stringify(id) : undefined;
  if (typeof id !== 'number' || !Number.isInteger(id)) return undefined;
  if (Number.isSafeInteger(id)) return String(id);
  const digits = /"id"\s*:\s*(-?\d{1,19})\s*[,}]/.exec(text)?.[1];
  if (digits === undefined) return undefined;
  const value = BigInt(digits);
  return value >= -INT64_MAX && value < INT64_MAX ? digits : undefined;
}

const isMethod = (text: unknown): text is Method => (methods as readonly unknown[]).includes(text);

/** Reads and checks a request. Throws RequestError. */
export function parseRequest(text: string): SessionRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new RequestError(3, 'Invalid JSON: expected value at line 1 column 1', 'null');
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new RequestError(2, 'Invalid request: expected an object', 'null');
  }
  const fields = value as Record<string, unknown>;
  const id = idText(fields['id'], text);
  if (id === undefined) {
    throw new RequestError(
      2,
      'Invalid request: request ID must be a 64-bit signed integer, a string of up to 36 characters, or null',
      'null',
    );
  }
  const { method, params = [] } = fields;
  const where = `at line 1 column ${text.length}`;
  if (method === undefined) {
    throw new RequestError(2, `Invalid request: missing field \`method\` ${where}`, id);
  }
  if (!isMethod(method)) {
    const word = typeof method === 'string' ? method.slice(0, 40) : typeof method;
    const known = methods.map((one) => `\`${one}\``).join(', ');
    const message = `Invalid request: unknown variant \`${word}\`, expected one of ${known} ${where}`;
    throw new RequestError(2, message, id);
  }
  if (!Array.isArray(params)) {
    throw new RequestError(2, `Invalid request: invalid type for \`params\` ${where}`, id);
  }
  return { method, params, id };
}
