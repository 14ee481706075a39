import test from 'ava';
import { conformance, type Register } from '../lib/conformance/conformance.ts';
import { hybridEndpoint } from '../lib/notifier/hybrid/hybrid-parts.ts';
import { freePort } from './support/ports.ts';
import { missing, rabbitServer, redisServer, type OwnServer } from './support/servers.ts';

/** Everything, and nothing may be left out. */
const long = process.env['TICKMESH_LONG'] !== undefined;

const register: Register = Object.assign(
  (title: string, run: () => Promise<void>) =>
    test.serial(title, async (t) => {
      await run();
      t.pass();
    }),
  {
    skip: (title: string) =>
      long
        ? test(title, (t) => t.fail('left out, and TICKMESH_LONG wants all'))
        : test.skip(title, () => undefined),
  },
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

/** A server that is started with the first test that needs it. */
function lazily(make: () => Promise<OwnServer>): () => Promise<OwnServer> {
  let starting: Promise<OwnServer> | undefined;
  test.after.always(async () => (await starting)?.end());
  const start = async (): Promise<OwnServer> => {
    const server = await make();
    await server.start();
    return server;
  };
  return () => (starting ??= start());
}

/** Each test has a channel of its own on one server. */
function served(
  name: string,
  why: string | undefined,
  start: () => Promise<OwnServer>,
  endpoint: (port: number, channel: string) => string,
  killed = true,
): void {
  conformance(register, {
    name,
    server: killed,
    ...(why === undefined ? {} : { skip: why }),
    make: async () => {
      const server = await start();
      return { endpoint: endpoint(server.port, `spec-${++counter}`), server };
    },
  });
}

served(
  'redis',
  missing.redis,
  lazily(redisServer),
  (port, channel) => `redis://127.0.0.1:${port}?channel=${channel}`,
);
const rabbit = lazily(rabbitServer);
served(
  'rabbitmq, transient',
  missing.rabbitmq,
  rabbit,
  (port, channel) => `amqp://127.0.0.1:${port}?channel=${channel}`,
);
served(
  'rabbitmq, persistent',
  missing.rabbitmq,
  rabbit,
  (port, channel) => `amqp://127.0.0.1:${port}?channel=${channel}&persistent`,
  // Each start of it takes some 10 s.
  long,
);
