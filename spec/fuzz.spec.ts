/**
 * Bytes that nobody sent: mutated frames, files, requests, names and topologies. Whatever comes in is read or refused,
 * never thrown out of its decoder, and each refusal is counted here. Memory stays flat. TICKMESH_LONG=1 tries ten times
 * as much.
 */
import { crc32 } from 'node:zlib';
import test from 'ava';
import fc from './support/property.ts';
import { decodeReply, decodeRequest, encodeReply, encodeRequest } from '../lib/catchup/frames.ts';
import { parseEpochs } from '../lib/log/epochs.ts';
import { readClockSlot, readSlot } from '../lib/log/head.ts';
import { writeLine } from '../lib/log/line.ts';
import { isNamePart, logName } from '../lib/log/name.ts';
import { scanTail } from '../lib/log/recovery.ts';
import { crcOfWords } from '../lib/mesh/crc.ts';
import { encodeHeader, kinds, readHeader } from '../lib/mesh/header.ts';
import {
  dataTopic,
  encodeData,
  encodeNotice,
  noticeTopic,
  readNotice,
} from '../lib/notifier/notice.ts';
import { Joins } from '../lib/notifier/zeromq/joins.ts';
import { loadKnown } from '../lib/topology/known.ts';
import { readTopology } from '../lib/topology/topology.ts';
import { TickmeshError } from '../lib/world/error.ts';
import { World } from './support/binance-world.ts';
import { Harness } from './support/kraken-harness.ts';

const long = process.env['TICKMESH_LONG'] === '1' ? 10 : 1;
const seed = 20_260_801;

/** A small generator with a seed: fast-check shrinks, this one is quick. */
function dice(from: number): (below: number) => number {
  let state = from >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
const roll = dice(seed);

/** The same with a bit flipped, a byte set, a piece cut out, doubled or replaced. */
function mutated(bytes: Buffer): Buffer {
  let made = Buffer.from(bytes);
  for (let times = 1 + roll(4); times > 0; times--) {
    const at = roll(made.length + 1);
    const length = 1 + roll(12);
    const how = roll(6);
    if (how === 0 && at < made.length) made[at]! ^= 1 << roll(8);
    else if (how === 1 && at < made.length) made[at] = roll(256);
    else if (how === 2) made = Buffer.concat([made.subarray(0, at), made.subarray(at + length)]);
    else if (how === 3) made = Buffer.concat([made.subarray(0, at + length), made.subarray(at)]);
    else if (how === 4) made = made.subarray(0, at);
    else {
      const junk = Buffer.from(Array.from({ length }, () => roll(256)));
      made = Buffer.concat([made.subarray(0, at), junk, made.subarray(at)]);
    }
  }
  return made;
}

const line = (timeUs: number, text: string): Buffer => {
  const bytes = Buffer.alloc(200);
  const end = writeLine(bytes, 0, timeUs, timeUs, Buffer.from(text));
  return bytes.subarray(0, end);
};

const timeUs = 1_723_161_255_030_000;
const lines = Buffer.concat([line(timeUs, '{"p":"1.2"}'), line(timeUs + 1, '{"p":"1.3"}')]);
const log = 'binance/BTC-USDT/trade';
const place = { epoch: 3, lines: 10, position: 1_234, aux: timeUs, tag: 5 };
const split = (bytes: Buffer, at: readonly number[]): Buffer[] =>
  [...at, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : at[i - 1], end));

/** Heap after a collection would be flatter still: this is an upper bound. */
const heapMib = (): number => process.memoryUsage().heapUsed / 2 ** 20;

type Decoder = {
  readonly name: string;
  readonly good: Buffer;
  /** True when it was taken for good. */
  readonly read: (bytes: Buffer) => boolean;
};
const answer = { lastEpoch: 2, asked: 0, epoch: 3 } as const;
const chunk = encodeReply({
  log,
  tag: 7,
  clockUs: 0,
  answer: {
    ...answer,
    kind: 'chunk',
    lines: {
      position: 0,
      bytes: lines,
      ends: [lines.length / 2, lines.length],
      segment: { base: 0, epoch: 1 },
    },
  },
});
const request = encodeRequest({
  node: 'reader',
  log,
  ask: { lastEpoch: 1, position: 10, maxBytes: 1 << 20 },
  tag: 9,
});
const epochs = Buffer.from(
  '{"epoch":1,"startPosition":0,"startLine":0,"node":"a","pid":1,"openedUs":1}\n'.repeat(2),
);
const joins = new Joins([log], 0, { burst: Infinity, perSecond: 0 });
const decoders: readonly Decoder[] = [
  {
    name: 'header',
    good: encodeHeader({ kind: kinds.HEAD, ...place }),
    read: (bytes) => readHeader(bytes) !== undefined,
  },
  {
    name: 'notice',
    good: encodeNotice(noticeTopic(log), { kind: kinds.NOTICE, ...place }),
    read: (bytes) => readNotice(bytes) !== undefined,
  },
  {
    name: 'data',
    good: encodeData(dataTopic(log), { kind: kinds.DATA, ...place }, lines),
    read: (bytes) => readNotice(bytes) !== undefined,
  },
  {
    name: 'request',
    good: Buffer.concat(request),
    read: (bytes) => decodeRequest(split(bytes, [64, 70])) !== undefined,
  },
  {
    name: 'answer',
    good: Buffer.concat(chunk),
    read: (bytes) => decodeReply(split(bytes, [64, 64 + log.length])) !== undefined,
  },
  {
    name: 'head slots',
    good: Buffer.concat([1, 2].map((tag) => encodeHeader({ kind: kinds.SLOT, ...place, tag }))),
    read: (bytes) => readSlot(bytes) !== undefined,
  },
  {
    name: 'clock',
    good: encodeHeader({ kind: kinds.CLOCK, ...place }),
    read: (bytes) => readClockSlot(bytes) !== undefined,
  },
  { name: 'log tail', good: lines, read: (bytes) => scanTail(bytes, 0).torn === 0 },
  {
    name: 'epochs.jsonl',
    good: epochs,
    read: (bytes) => parseEpochs(bytes.toString()).length === 2,
  },
  {
    name: 'subscription',
    good: Buffer.from(`\x01${log}\0`),
    read: (bytes) => joins.read(bytes) !== undefined,
  },
];

test.serial('no mutated frame or file gets out of its decoder but as read or refused', (t) => {
  const each = (100_000 * long) / decoders.length;
  const beforeMib = heapMib();
  for (const { name, good, read } of decoders) {
    t.true(read(good), `${name}: the original is read`);
    let refused = 0;
    let taken = 0;
    for (let i = 0; i < each; i++) {
      const bytes = mutated(good);
      try {
        if (read(bytes)) taken++;
        else refused++;
      } catch (error) {
        return t.fail(`${name} threw ${String(error)} for ${bytes.toString('hex')}`);
      }
    }
    t.is(refused + taken, each);
    t.true(refused > 0, name);
    t.log(`${name}: ${refused} refused, ${taken} still good`);
  }
  const grownMib = heapMib() - beforeMib;
  t.log(`heap grew ${grownMib.toFixed(0)} MiB`);
  t.true(grownMib < 64);
});

test.serial('a checksum lets no changed header through', (t) => {
  const good = encodeHeader({ kind: kinds.NOTICE, ...place });
  for (let bit = 0; bit < good.length * 8; bit++) {
    const bytes = Buffer.from(good);
    bytes[bit >> 3]! ^= 1 << (bit & 7);
    t.is(readHeader(bytes), undefined, `bit ${bit}`);
  }
});

test.serial('arbitrary messages are refused, and shrink to a small one when not', (t) => {
  const parts = fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 });
  fc.assert(
    fc.property(parts, (given) => {
      const message = given.map((part) => Buffer.from(part));
      decodeRequest(message);
      decodeReply(message);
      for (const part of message) {
        readNotice(part);
        scanTail(part, 0);
        readSlot(part);
        parseEpochs(part.toString());
      }
    }),
    { seed, numRuns: 2_000 * long },
  );
  t.pass();
});

const binanceAsks = [
  '{"method":"SUBSCRIBE","params":["btcusdt@trade","btcusdt@depth@100ms"],"id":1}',
  '{"method":"UNSUBSCRIBE","params":["btcusdt@trade"],"id":"a"}',
  '{"method":"LIST_SUBSCRIPTIONS","id":3}',
  '{"method":"SET_PROPERTY","params":["combined",true],"id":5}',
];
const krakenAsks = [
  '{"method":"subscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":25},"req_id":1}',
  '{"method":"unsubscribe","params":{"channel":"trade","symbol":["BTC/USD"]},"req_id":2}',
  '{"method":"subscribe","params":{"channel":"ohlc","symbol":["BTC/USD"],"interval":5}}',
  '{"method":"ping","req_id":101}',
];

test.serial('mutated WebSocket requests are answered or refused, by both venues', (t) => {
  const world = new World(timeUs);
  const harness = new Harness('BTC-USD');
  const venues: [string, readonly string[], () => { say(text: string): string[]; end(): void }][] =
    [
      [
        'binance',
        binanceAsks,
        () => {
          const client = world.dial('/ws');
          return {
            say: (text) => {
              client.say(text);
              return client.take();
            },
            end: () => {
              client.hangUp();
              world.clients.delete(client);
            },
          };
        },
      ],
      [
        'kraken',
        krakenAsks,
        () => {
          const client = harness.connect();
          return { say: (text) => client.ask(text), end: () => client.session!.closed() };
        },
      ],
    ];
  for (const [name, asks, dial] of venues) {
    const goods = asks.map((text) => Buffer.from(text));
    let refused = 0;
    let answered = 0;
    const beforeMib = heapMib();
    for (let client = 0; client < 50; client++) {
      const session = dial();
      for (let i = 0; i < (5_000 * long) / 50; i++) {
        const text = mutated(goods[roll(goods.length)]!).toString();
        let frames: string[] = [];
        try {
          frames = session.say(text);
        } catch (error) {
          return t.fail(`${name} threw ${String(error)} for ${JSON.stringify(text)}`);
        }
        if (frames.some((frame) => frame.includes('"error"') || frame.includes('"code"')))
          refused++;
        else if (frames.length > 0) answered++;
        else return t.fail(`${name} was silent at ${JSON.stringify(text)}`);
      }
      session.end();
    }
    const grownMib = heapMib() - beforeMib;
    t.is(refused + answered, 5_000 * long);
    t.true(refused > 0 && answered > 0);
    t.log(`${name}: ${refused} refused, ${answered} answered, heap ${grownMib.toFixed(0)} MiB`);
    t.true(grownMib < 64);
  }
});

const topology = `version: 1
project: demo
keys: keys
nodes:
  feed: { run: fetcher, source: { kind: synthetic } }
  web:
    run: publisher
    exchange: binance
    from: [feed]
    listen: { port: 7001, origins: ["https://a.example"] }
`;

test.serial('hostile names are refused, whatever they look like', (t) => {
  const hostile = ['..', '../a', 'a/../b', 'CON', 'nul', 'a\0b', 'a\\b', '.', '', 'a'.repeat(300)];
  const words = [...hostile, 'binance', 'BTC-USDT', 'trade', '/', '%2e%2e', 'é', '\u202e'];
  let refused = 0;
  for (let i = 0; i < 500 * long; i++) {
    const parts = Array.from({ length: 1 + roll(5) }, () => words[roll(words.length)]!);
    const text = i % 2 === 0 ? parts.join('/') : mutated(Buffer.from(log)).toString('latin1');
    try {
      const name = logName(text);
      const each = name.split('/');
      t.is(each.length, 3);
      t.true(each.every(isNamePart));
      t.notRegex(name, /(?:^|\/)\.|\\|\0/);
    } catch (error) {
      if (!(error instanceof TickmeshError)) throw error;
      refused++;
    }
  }
  t.log(`${refused} of ${500 * long} names refused`);
  t.true(refused > 100);
});

test.serial('hostile topologies are explained, never thrown', async (t) => {
  const known = await loadKnown();
  t.true((await readTopology(topology, {}, known)).ok);
  const good = Buffer.from(topology);
  let refused = 0;
  for (let i = 0; i < 500 * long; i++) {
    const text = mutated(good).toString();
    try {
      const reading = await readTopology(text, {}, known);
      if (!reading.ok) {
        refused++;
        t.true(reading.problems.length > 0);
      }
    } catch (error) {
      return t.fail(`threw ${String(error)} for ${JSON.stringify(text)}`);
    }
  }
  t.log(`${refused} of ${500 * long} refused`);
  t.true(refused > 100);
});

test("a header's checksum is the CRC-32 that zlib makes, wherever it stands", (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 60, maxLength: 90 }), fc.nat(7), (bytes, words) => {
      const at = bytes.length - 60;
      t.is(crcOfWords(bytes, at, 60), crc32(bytes.subarray(at)));
      t.is(crcOfWords(bytes, 1, words * 4), crc32(bytes.subarray(1, 1 + words * 4)));
    }),
    { numRuns: 2_000, seed },
  );
});
