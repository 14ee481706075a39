/**
 * Endpoints as ZeroMQ writes them. Within one host the transport is ipc: on Linux an abstract name, where a second bind
 * fails (on a path it would silently steal the first one's). Between hosts it is tcp.
 *
 *   endpoint = "ipc://" ( "@" name / path ) / "tcp://" host ":" port
 */
export type TcpEndpoint = { readonly host: string; readonly port: number };

const tcpForm = /^tcp:\/\/(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):(\d{1,5})$/;

/** "tcp://127.0.0.1:5701" as host and port; undefined without both, or with a wildcard. */
export function parseTcp(endpoint: string): TcpEndpoint | undefined {
  const found = tcpForm.exec(endpoint);
  const port = Number(found?.[2]);
  return found && port >= 1 && port <= 65535 ? { host: found[1]!, port } : undefined;
}

export const tcpEndpoint = (address: string, port: number): string =>
  `tcp://${address.includes(':') ? `[${address}]` : address}:${port}`;

/** True for addresses that mean "every interface". */
export const isWildcard = (address: string): boolean =>
  ['0.0.0.0', '::', '[::]', '*'].includes(address);

/** Endpoint of a socket of a node, for its own host: `ipc://@tickmesh-demo-binance.feed`. */
export const ipcEndpoint = (
  platform: NodeJS.Platform,
  project: string,
  node: string,
  socket: string,
): string => `ipc://${platform === 'linux' ? '@' : '/tmp/'}tickmesh-${project}-${node}.${socket}`;
