/**
 * The shape of topology.yaml. Strict at every level: a key that nobody reads is a mistake, never a wish that is
 * silently ignored. Every key is described, since editors show these sentences. What zod cannot see (does that node
 * exist? is that port taken twice?) is in `check.ts`.
 */
import { z } from 'zod';
import { niceWords } from './nice.ts';
import { notifierNames } from './notify.ts';
import { isLogPattern } from './pattern.ts';
import { durationForm, parseDuration, parseSize, sizeForm } from './units.ts';

/** What the rest of the mesh can do, asked of its registries. */
export type Known = {
  readonly exchanges: readonly string[];
  /** Settings of each source by its name. */
  readonly sources: Readonly<Record<string, z.ZodType>>;
};

/** A value as shown in a message, short. */
export function show(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}

/** "want X, got Y", for every way in which a value can be wrong. */
const want = (what: string) => ({
  error: (issue: { readonly input?: unknown }) => `want ${what}, got ${show(issue.input)}`,
});

const text = (what: string) => z.string(want(what)).min(1, want(what)).max(1000, want(what));
const duration = z
  .string(want('a duration with its unit, e.g. 500ms, 5s, 15m, 1h'))
  .regex(durationForm, want('a duration with its unit, e.g. 500ms, 5s, 15m, 1h'))
  .transform((written) => parseDuration(written)!);
const size = z
  .string(want('a size with its unit, e.g. 64MB, 1GB'))
  .regex(sizeForm, want('a size with its unit, e.g. 64MB, 1GB'))
  .refine((written) => parseSize(written) !== undefined, want('a size below 8 PB'))
  .transform((written) => parseSize(written)!);
const count = (least: number, most: number) => {
  const what = want(`a whole number from ${least} to ${most}`);
  return z.int(what).min(least, what).max(most, what);
};
const port = count(1, 65535);

const nameForm = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const nameWords = 'a name of lower-case letters, digits and single dashes, at most 31 long';
const name = z.string(want(nameWords)).max(31, want(nameWords)).regex(nameForm, want(nameWords));

/** True for what may name a node: files are called like it. */
export const isNodeName = (text: string): boolean => text.length <= 31 && nameForm.test(text);

const oneOf = <const T extends readonly string[]>(words: T) =>
  z.enum(words, want(`one of ${words.join(', ')}`));
/** One, or a list of at least one; always a list behind the schema. */
const oneOrMore = <T extends z.ZodType<string>>(one: T, what: string) =>
  z
    .union([one, z.array(one, want(what)).min(1, want(what))], want(what))
    .transform((given): string[] => (Array.isArray(given) ? given : [given]));

const notifier = text('a notifier or its endpoint');
const notifiers = 'a notifier, or a list of them';
const hearWords = `${notifiers}, or a map of sources to these`;
const hear = z
  .union(
    [oneOrMore(notifier, notifiers), z.record(name, oneOrMore(notifier, notifiers))],
    want(hearWords),
  )
  .optional()
  .describe(
    'Which notifiers of its sources it listens to, by name or endpoint: for all of them, or a map of source to these. ' +
      'Default: all that reach it',
  );
const folder = text('a folder');
const endpointForm = /^(?:auto|ipc|tcp|ipc:\/\/[\x21-\x7e]{1,100}|tcp:\/\/[A-Za-z0-9.:[\]*-]+)$/;
const endpointWords = 'auto, ipc, tcp, or an endpoint such as tcp://127.0.0.1:5701';
const endpoint = z.string(want(endpointWords)).regex(endpointForm, want(endpointWords));
const patternWords = 'a log such as binance/BTC-USDT/trade; "*" stands for any letters of one part';
const pattern = z.string(want(patternWords)).refine(isLogPattern, want(patternWords));

const log = z
  .strictObject({
    level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
      .optional()
      .describe('Least level that is written.'),
    dir: folder.optional().describe('Folder of the JSON log files, one a node.'),
    max_size: size.optional().describe('Size at which a log file is rotated, e.g. 50MB.'),
    keep: count(1, 100).optional().describe('Rotated files kept a node.'),
  })
  .describe('Logs of the nodes.');
const restart = z
  .strictObject({
    policy: oneOf(['on-failure', 'always', 'no'])
      .optional()
      .describe('When a node is started again.'),
    backoff: duration.optional().describe('First wait before a restart; doubles each time.'),
    max_backoff: duration.optional().describe('Longest wait before a restart.'),
    max: count(0, 1000).optional().describe('Restarts within the window before giving up.'),
    window: duration.optional().describe('Time within which restarts are counted.'),
  })
  .describe('What happens when a node dies.');
const ready = z
  .strictObject({
    timeout: duration.optional().describe('Time within which a node must be ready.'),
  })
  .describe('How long to wait for a node.');
const stop = z
  .strictObject({
    grace: duration.optional().describe('Time to stop by itself, after which it is killed.'),
  })
  .describe('How a node is stopped.');

const supervision = {
  nice: count(-20, 19).optional().describe(niceWords),
  host: name.optional().describe('Host that runs this node; may be left out when there is one.'),
  log: log.pick({ level: true }).optional().describe('Logs of this node.'),
  restart: restart.optional().describe('What happens when this node dies.'),
  ready: ready.optional().describe('How long to wait for this node.'),
  stop: stop.optional().describe('How this node is stopped.'),
};
const storage = {
  data: folder.optional().describe('Folder of the logs, relative to this file. Default: data'),
  fsync: z
    .union([z.enum(['never', 'each']), duration], want('never, each, or an interval such as 100ms'))
    .optional()
    .describe('When written bytes are forced to the disk: never, each batch, or an interval.'),
  notify: oneOrMore(notifier, notifiers)
    .optional()
    .describe(
      `How new records are announced: ${notifierNames.join(', ')}, or endpoints such as ` +
        'redis://127.0.0.1:6379. Default: zeromq and watching',
    ),
  feed: endpoint.optional().describe('Where the socket of zeromq is bound. Default: auto'),
  catchup: endpoint.optional().describe('Where catch-up requests are taken. Default: auto'),
};

/** Settings of one source, with the key that chooses it. */
function sourceSchema(kind: string, settings: z.ZodType) {
  const chosen = { kind: z.literal(kind).describe(`The source "${kind}".`) };
  if (settings instanceof z.ZodObject) return (settings as z.ZodObject<{}>).safeExtend(chosen);
  // No plain object: it is asked for its opinion, only its keys cannot be shown.
  return z.looseObject(chosen).superRefine((given, context) => {
    const rest: Record<string, unknown> = { ...given };
    delete rest['kind'];
    for (const issue of settings.safeParse(rest).error?.issues ?? []) {
      context.issues.push({ ...issue, input: rest } as z.core.$ZodRawIssue);
    }
  });
}

/** The schema for what is known. Transforms durations to milliseconds and sizes to bytes. */
export function topologySchema(known: Known) {
  const fetcher = z
    .strictObject({
      run: z.literal('fetcher').describe('Writes what a source yields to logs and announces it.'),
      source: z
        .discriminatedUnion(
          'kind',
          Object.entries(known.sources).map((one) => sourceSchema(...one)) as [
            ReturnType<typeof sourceSchema>,
          ],
        )
        .describe('Where the records come from; the other keys are those of the source.'),
      segment: z
        .strictObject({
          size: size.optional().describe('Size at which a segment is closed. Default: 64MB'),
          age: duration.optional().describe('Age at which a segment is closed. Default: 1d'),
        })
        .optional()
        .describe('When a new file of a log is begun.'),
      ...storage,
      ...supervision,
    })
    .describe('A node that records: source to log.');
  const publisher = z
    .strictObject({
      run: z.literal('publisher').describe('Serves logs to clients as an exchange would.'),
      exchange: oneOf(known.exchanges).describe('Exchange whose WebSocket and REST are spoken.'),
      from: oneOrMore(name, 'the name of a node, or a list of names').describe(
        'Fetchers or replicas whose logs are served.',
      ),
      hear,
      logs: z
        .array(pattern, want('a list of logs'))
        .min(1, want('a list of at least one log'))
        .optional()
        .describe('Logs that are served. Default: all, */*/*'),
      listen: z
        .strictObject({
          host: text('an address').optional().describe('Address. Default: 127.0.0.1'),
          port: port.describe('Port of both WebSocket and REST.'),
          origins: z
            .array(text('an origin'), want('a list of origins'))
            .optional()
            .describe(
              'Web pages that may connect, e.g. http://localhost:3000; other programs always may. Default: all',
            ),
          connections: count(1, 100_000)
            .optional()
            .describe('Most connections at once. Default: 1000'),
        })
        .describe('Where clients connect.'),
      read: oneOf(['auto', 'direct', 'catchup'])
        .optional()
        .describe(
          'How the logs are read: files of this host, or bytes over catch-up. Default: auto',
        ),
      history: duration.optional().describe('How much history is read at the start. Default: 15m'),
      time: oneOf(['auto', 'wall', 'records'])
        .optional()
        .describe(
          'What time it is in this market: the real time, or that of the records. ' +
            'Default: auto, the records of a recorded source, else the real time.',
        ),
      slow_client: z
        .strictObject({
          policy: oneOf(['disconnect', 'skip', 'wait'])
            .optional()
            .describe('Cut it off, leave messages out, or let the feed wait. Default: disconnect'),
          buffer: size.optional().describe('Bytes that may wait for one client. Default: 4MB'),
          wait: duration.optional().describe('How long "wait" waits. Default: 30s'),
        })
        .optional()
        .describe('What happens to a client that reads too slowly.'),
      ...supervision,
    })
    .describe('A node that serves: log to WebSocket and REST.');
  const replica = z
    .strictObject({
      run: z.literal('replica').describe('Copies logs byte for byte and announces them on.'),
      from: name.describe('Fetcher or replica that is copied.'),
      hear,
      logs: z
        .array(pattern, want('a list of logs'))
        .min(1, want('a list of at least one log'))
        .optional()
        .describe('Logs that are copied. Default: all, */*/*'),
      inbox: endpoint.optional().describe('Where catch-up bytes arrive. Default: auto'),
      ...storage,
      ...supervision,
    })
    .describe('A node that copies: log to log on another disk.');
  const host = z.strictObject({
    address: z
      .string(want('an address'))
      .regex(/^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$/, want('an IP address or a host name'))
      .describe('Address that the nodes of other hosts dial.'),
    dir: folder.optional().describe('Folder that relative paths start from on that host.'),
  });
  return z
    .strictObject({
      version: z.literal(1, want('1')).describe('Version of this format: 1.'),
      project: name.describe('Names the sockets of this mesh: two projects never meet.'),
      defaults: z
        .strictObject({
          log: log.optional(),
          restart: restart.optional(),
          ready: ready.optional(),
          stop: stop.optional(),
        })
        .optional()
        .describe('Settings for all nodes; TICKMESH_* and options go before them.'),
      ports: count(1024, 60000)
        .optional()
        .describe('First of the ports that are given to tcp endpoints. Default: 5700'),
      keys: folder
        .optional()
        .describe(
          'Folder of the keys of the nodes (tickmesh keys new). With it, all sockets between nodes are encrypted ' +
            'and admit listed nodes only; without it, none leaves this computer.',
        ),
      hosts: z
        .record(name, host)
        .optional()
        .describe('Computers of the mesh. Default: one, local, at 127.0.0.1'),
      nodes: z
        .record(name, z.discriminatedUnion('run', [fetcher, publisher, replica]), want('a map'))
        .describe('Processes of the mesh by name.'),
    })
    .describe('A tickmesh topology: which processes run where, and who reads from whom.');
}

export type TopologySchema = ReturnType<typeof topologySchema>;
export type TopologyFile = z.output<TopologySchema>;
export type NodeFile = TopologyFile['nodes'][string];
export type FetcherFile = Extract<NodeFile, { run: 'fetcher' }>;
export type ReplicaFile = Extract<NodeFile, { run: 'replica' }>;

/** JSON Schema (2020-12) of topology.yaml, for editors. Keys that start with `x-` are free at the top. */
export function topologyJsonSchema(known: Known): Record<string, unknown> {
  const schema = z.toJSONSchema(topologySchema(known), { io: 'input', reused: 'ref' });
  return {
    ...schema,
    title: 'tickmesh topology',
    patternProperties: { '^x-': { description: 'Yours: tickmesh does not read it.' } },
  };
}
