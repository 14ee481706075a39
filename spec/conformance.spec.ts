import test from 'ava';
import { conformance, type Register } from '../lib/conformance/conformance.ts';
import { hybridEndpoint } from '../lib/notifier/hybrid/hybrid-parts.ts';
import { freePort } from './support/ports.ts';

const register: Register = Object.assign(
  (title: string, run: () => Promise<void>) =>
    test.serial(title, async (t) => {
      await run();
      t.pass();
    }),
  { skip: (title: string) => test.skip(title, () => undefined) },
);

let counter = 0;
const socket = (): string => `ipc://@tickmesh-conformance-${process.pid}-${++counter}`;

conformance(register, { name: 'zeromq over ipc', make: async () => ({ endpoint: socket() }) });
conformance(register, {
  name: 'zeromq over tcp',
  make: async () => ({ endpoint: `tcp://127.0.0.1:${await freePort()}` }),
});
conformance(register, { name: 'watching', make: async () => ({ endpoint: 'watching:' }) });
conformance(register, {
  name: 'polling by position',
  make: async () => ({ endpoint: 'polling:?interval=20ms' }),
});
conformance(register, {
  name: 'polling by modification time',
  make: async () => ({ endpoint: 'polling:?by=mtime&interval=20ms' }),
});
conformance(register, {
  name: 'hybrid of all three',
  make: async () => ({
    endpoint: hybridEndpoint([socket(), 'watching:', 'polling:?interval=50ms']),
  }),
});
