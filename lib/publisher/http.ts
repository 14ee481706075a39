/**
 * The venue's REST over node:http, on the port of its WebSockets; and two paths of our own, that no venue has:
 * `/-/ready` (200 once the feed has caught up, else 503) and `/-/metrics`.
 */
import {
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  type ServerResponse,
  createServer,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RestRequest, RestResponse } from '../exchange/exchange.ts';
import { TickmeshError } from '../world/error.ts';

export type HttpParts = {
  readonly rest: (request: RestRequest) => RestResponse;
  readonly ready: () => boolean;
  readonly metrics: () => unknown;
  readonly maxRequestBytes: number;
  readonly maxConnections: number;
  /** A connection was cut: what it sent was no HTTP, or took too long to come. */
  readonly cut: (slow: boolean) => void;
};

const CHECK_MS = 1_000;

/** A server that answers REST; upgrades are for the caller to handle. */
export function restServer(parts: HttpParts): Server {
  // Node looks for connections whose time is over once in so long; by its default only each half minute.
  const options = { connectionsCheckingInterval: CHECK_MS };
  const server = createServer(options, (request, response) => {
    answer(parts, request, response).catch(() => request.destroy());
  });
  server.headersTimeout = 5_000;
  server.requestTimeout = 10_000;
  // Who does not take its answer. WebSockets are not meant: ws takes this off them, they have pings.
  server.timeout = 30_000;
  server.keepAliveTimeout = 30_000;
  server.maxConnections = parts.maxConnections;
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    const slow = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    // One that broke off said nothing wrong.
    if (error.code !== 'ECONNRESET') parts.cut(slow);
    if (!socket.writable) return void socket.destroy();
    // Behind an answer, or in the midst of one, another would be taken for its body.
    if ('bytesWritten' in socket && socket.bytesWritten === 0) socket.write(refusal(error.code));
    socket.once('finish', () => socket.destroy());
    socket.end();
  });
  return server;
}

/** As Node itself would answer. */
function refusal(code: string | undefined): string {
  const status =
    code === 'ERR_HTTP_REQUEST_TIMEOUT'
      ? '408 Request Timeout'
      : code === 'HPE_HEADER_OVERFLOW'
        ? '431 Request Header Fields Too Large'
        : '400 Bad Request';
  return `HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`;
}

/** Listens; resolves with the port (chosen by the system where `port` is 0). Throws PORT_TAKEN, BIND_FAILED. */
export async function listen(server: Server, port: number, host: string): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.removeListener('error', reject);
      resolve();
    });
  }).catch((cause: unknown) => {
    const reason = (cause as NodeJS.ErrnoException).code;
    const facts = { port, host, reason };
    if (reason === 'EADDRINUSE') {
      throw new TickmeshError('PORT_TAKEN', `port ${port} on ${host} is taken by another program`, {
        remedy: 'stop that program, or give the publisher another port',
        cause,
        facts,
      });
    }
    throw new TickmeshError('BIND_FAILED', `cannot listen on ${host}:${port} (${reason})`, {
      remedy: reason === 'EACCES' ? 'take a port above 1023' : 'check the host address',
      cause,
      facts,
    });
  });
  return (server.address() as AddressInfo).port;
}

async function answer(
  parts: HttpParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const target = request.url ?? '/';
  const queryAt = target.indexOf('?');
  const path = decode(queryAt < 0 ? target : target.slice(0, queryAt));
  if (path === undefined) return send(response, { status: 400, body: '{}' });
  if (path === '/-/ready') {
    const ready = parts.ready();
    return send(response, { status: ready ? 200 : 503, body: JSON.stringify({ ready }) });
  }
  if (path === '/-/metrics') {
    return send(response, { status: 200, body: JSON.stringify(parts.metrics()) });
  }
  const params = new URLSearchParams(queryAt < 0 ? '' : target.slice(queryAt + 1));
  const method = request.method ?? 'GET';
  if (method !== 'GET' && method !== 'HEAD') {
    const body = await readBody(request, parts.maxRequestBytes);
    if (body === undefined) return send(response, { status: 413, body: '{}' }, true);
    if (isForm(request)) {
      for (const [key, value] of new URLSearchParams(body)) params.append(key, value);
    }
  }
  const { headers } = request;
  send(response, parts.rest({ method, path, params, headers }));
}

function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** A body without a type counts as a form: that is what one writes by hand. */
const isForm = ({ headers }: IncomingMessage): boolean =>
  (headers['content-type'] ?? 'application/x-www-form-urlencoded').startsWith(
    'application/x-www-form-urlencoded',
  );

/** The body's text; undefined where it is longer than allowed. */
async function readBody(request: IncomingMessage, maxBytes: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop must not destroy the socket: the answer is still to come.
  const body = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function send(response: ServerResponse, answered: RestResponse, close = false): void {
  const body = Buffer.from(answered.body);
  const headers: OutgoingHttpHeaders = {
    'Content-Type': 'application/json;charset=UTF-8',
    ...answered.headers,
    'Content-Length': body.length,
  };
  if (close) headers['Connection'] = 'close';
  response.writeHead(answered.status, headers);
  response.end(body);
}
