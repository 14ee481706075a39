/** Which endpoints nobody outside this computer can reach: ipc and inproc, and tcp at a loopback address. */

/** True for addresses that never leave the machine. */
export const isLoopback = (address: string): boolean =>
  /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address) ||
  ['localhost', '::1', '[::1]'].includes(address.toLowerCase());

const tcpForm = /^tcp:\/\/([^/;]+):(?:\d{1,5}|\*)$/;

/** False for wildcards, for interface names, and for every transport that is not known to stay here. */
export function staysHere(endpoint: string): boolean {
  if (endpoint.startsWith('ipc://') || endpoint.startsWith('inproc://')) return true;
  const address = tcpForm.exec(endpoint)?.[1];
  return address !== undefined && isLoopback(address);
}
