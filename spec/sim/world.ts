/**
 * One simulated world: a writer on a failing disk (the shipped LogWriter and flush), a reader beside it, a reader across a
 * failing network, and in some worlds a replica with readers of its own (`replica.ts`). Every fault rate is drawn from the seed, then 500 to 2,000 steps happen, then the faults stop and all
 * must converge. A seed replays its world to the byte.
 */
import { answer, type Answer, type Ask, type LogView } from '../../lib/catchup/answer.ts';
import { encodeReply } from '../../lib/catchup/frames.ts';
import { flush } from '../../lib/fetcher/flush.ts';
import { ClockWriter } from '../../lib/log/disk-clock.ts';
import { LogReader } from '../../lib/log/disk-reader.ts';
import { LogWriter } from '../../lib/log/disk-writer.ts';
import { logName } from '../../lib/log/name.ts';
import { kinds, type HeaderFields } from '../../lib/mesh/header.ts';
import { Beacon } from '../../lib/notifier/beacon.ts';
import {
  dataTopic,
  encodeData,
  encodeNotice,
  noticeTopic,
  readNotice,
  type Heard,
} from '../../lib/notifier/notice.ts';
import type { Announcer } from '../../lib/notifier/notifier.ts';
import { TickmeshError } from '../../lib/world/error.ts';
import { Crash, SimDisk } from './disk.ts';
import { Heap } from './heap.ts';
import { Random } from './random.ts';
import { filesOf, SimReplica, type Around } from './replica.ts';
import { idOf, LocalReader, RemoteReader, type Bug, type Reader, type World } from './readers.ts';

const DATA = '/sim';
const LOG = logName('sim/BTC-USD/trade');
const OTHER = 'sim/BTC-USD/trade2';
const TOPIC = noticeTopic(LOG);
const DATA_TOPIC = dataTopic(LOG);

type Rates = {
  loss: number;
  duplicate: number;
  laneLoss: number;
  delayMs: number;
  appendMs: number;
  batch: number;
  segment: number;
  kill: number;
  hostCrash: number;
  readerCrash: number;
  partition: number;
  clog: number;
  full: number;
  slowAnswers: number;
};

export type Result = {
  steps: number;
  lines: number;
  kills: number;
  hostCrashes: number;
  rewound: number;
  /** 1 in a world with a replica; what befell it, and how often it cut its copy. */
  replicas: number;
  replicaKills: number;
  replicaHostCrashes: number;
  replicaCuts: number;
};

/** Every so many worlds have a replica. */
const REPLICAS = 0.4;

export class Simulation implements World, Around {
  readonly data = DATA;
  readonly log = LOG;
  readonly disk: SimDisk;
  readonly bug: Bug | undefined;
  nowMs = 0;
  readonly #random: Random;
  readonly #heap = new Heap<() => void>();
  readonly #rates: Rates;
  /** All readers; and those that hear the writer. */
  readonly #readers: Reader[] = [];
  readonly #own: Reader[] = [];
  readonly #replica: SimReplica | undefined;
  /** By a line's number: the line it was written behind, and its receive time. */
  readonly #before: number[] = [];
  readonly #timesUs: number[] = [];
  #lastId = 0;
  /** Numbers of the lines in the log, and of those that are only staged. */
  #written: number[] = [];
  #staged: number[] = [];
  #writer: LogWriter | undefined;
  #clock: ClockWriter | undefined;
  /** The writer's own reader, for those who ask. */
  #holder: LogReader | undefined;
  #opening = false;
  #epochNow = 0;
  #announced = 0;
  #beacon = new Beacon(0);
  #beaconAt = Infinity;
  #id = 1;
  #faults = true;
  #dropAll = false;
  #partitionedUntil = 0;
  #cloggedUntil = 0;
  readonly result: Result = {
    steps: 0,
    lines: 0,
    kills: 0,
    hostCrashes: 0,
    rewound: 0,
    replicas: 0,
    replicaKills: 0,
    replicaHostCrashes: 0,
    replicaCuts: 0,
  };

  constructor(seed: number, bug?: Bug) {
    const random = new Random(seed);
    this.#random = random;
    this.bug = bug;
    this.disk = new SimDisk(random);
    const rate = (most: number): number => (random.chance(0.4) ? 0 : random.next() * most);
    this.#rates = {
      loss: rate(0.5),
      duplicate: rate(0.2),
      laneLoss: rate(0.2),
      delayMs: random.pick([0.1, 1, 20, 300]),
      appendMs: random.pick([1, 5, 50, 400]),
      batch: random.pick([1, 3, 20]),
      segment: random.pick([300, 2_000, 100_000]),
      kill: rate(0.02),
      hostCrash: rate(0.01),
      readerCrash: rate(0.02),
      partition: rate(0.01),
      clog: rate(0.01),
      full: rate(0.01),
      slowAnswers: random.chance(0.2) ? 700 : 0,
    };
    const other = new Random(seed + 0x5eed);
    if (other.chance(REPLICAS)) this.#replica = new SimReplica(this, other);
  }

  announced(): number {
    return this.#announced;
  }
  at(ms: number, act: () => void): void {
    this.#heap.push(ms, act);
  }

  async #open(): Promise<void> {
    this.#opening = true;
    this.#holder = undefined;
    this.disk.dead = false;
    this.disk.forgetCuts = this.bug === 'no repair';
    try {
      const writer = await LogWriter.open({
        data: DATA,
        log: LOG,
        node: 'writer',
        roll: { bytes: this.#rates.segment, ageMs: 1e9 },
        clock: { wallUs: () => this.wallUs(), monoMs: () => this.nowMs },
        files: this.disk,
        bootedUs: Infinity,
        lock: () => Promise.resolve({ release: () => Promise.resolve() }),
      });
      this.#writer = writer;
      this.#clock = new ClockWriter(DATA, 'writer', this.disk);
      this.#epochNow = writer.epoch;
      this.#staged = [];
      this.#written = this.truth;
      this.#lastId = this.#written.at(-1) ?? 0;
      this.#announced = writer.position;
      this.#beacon = new Beacon(this.nowMs);
      this.#beat(true);
    } catch (error) {
      if (error instanceof TickmeshError && error.code === 'LOG_CORRUPT') throw error;
      // Killed while opening, or the disk is full: it is started again later.
      this.#writer = undefined;
      this.at(this.nowMs + 50, () => this.#restart());
    } finally {
      this.disk.forgetCuts = false;
      this.#opening = false;
    }
  }

  before(id: number): number {
    return this.#before[id] ?? -1;
  }
  get faults(): boolean {
    return this.#faults;
  }
  holds(id: number): boolean {
    return this.#written[this.#indexOf(id)] === id;
  }
  nextTimeUs(id: number): number {
    if (id !== 0 && !this.holds(id)) return Infinity;
    return this.#timesUs[this.#written[this.#indexOf(id + 1)] ?? -1] ?? Infinity;
  }
  /** Of the first written line with this number or a higher one: numbers rise. */
  #indexOf(id: number): number {
    let low = 0;
    let high = this.#written.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#written[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #restartWanted = false;
  #restart(): void {
    if (!this.#writer) this.#restartWanted = true;
  }

  wallUs(): number {
    return 1_700_000_000_000_000 + Math.round(this.nowMs * 1_000);
  }

  #announcer: Announcer = {
    endpoint: 'sim',
    wantsData: () => true,
    announce: (_log: string, fields: HeaderFields) => {
      this.#broadcast(encodeNotice(TOPIC, fields));
    },
    sendData: (_log: string, fields: HeaderFields, lines: Buffer) => {
      this.#broadcast(encodeData(DATA_TOPIC, fields, lines), true);
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };

  #broadcast(message: Buffer, remoteOnly = false): void {
    let said: Heard | undefined;
    const replica = this.#replica;
    if (replica && !this.lost(true)) {
      const heard = (said ??= readNotice(message)!);
      const times = this.#random.chance(this.#rates.duplicate) ? 2 : 1;
      for (let i = 0; i < times; i++) this.at(this.arrival(true), () => replica.hear(heard));
    }
    for (const reader of this.#own) {
      const remote = reader instanceof RemoteReader;
      if (remoteOnly && !remote) continue;
      const times = this.lost(remote) ? 0 : this.#random.chance(this.#rates.duplicate) ? 2 : 1;
      for (let i = 0; i < times; i++) {
        const heard = (said ??= readNotice(message)!);
        this.at(this.arrival(remote), () => reader.hear(heard));
      }
      if (this.bug === 'prefix topic' && remote && this.#random.chance(0.1)) {
        const other = encodeNotice(noticeTopic(OTHER), {
          kind: kinds.HEAD,
          epoch: this.#epochNow + this.#random.between(0, 3),
          position: this.#announced + 5_000,
        });
        const heard = readNotice(other)!;
        this.at(this.arrival(remote), () => reader.hear(heard));
      }
    }
  }

  lost(remote: boolean): boolean {
    if (this.#dropAll) return true;
    if (remote && this.nowMs < this.#partitionedUntil) return true;
    return this.#faults && this.#random.chance(this.#rates.loss);
  }
  arrival(remote: boolean, slow = 0): number {
    const base = Math.max(this.nowMs, remote ? this.#cloggedUntil : 0);
    return base + 0.05 + this.#random.next() * (remote ? this.#rates.delayMs : 0.3) + slow;
  }

  lostOnLane(): boolean {
    return (
      this.nowMs < this.#partitionedUntil ||
      (this.#faults && this.#random.chance(this.#rates.laneLoss))
    );
  }

  answerArrival(): number {
    return this.arrival(true, this.#rates.slowAnswers);
  }

  /** There and back, unless it is lost. */
  #ask(ask: Ask, back: (answer: Answer, clockUs: number) => () => void): void {
    if (this.lostOnLane()) return;
    this.at(this.arrival(true), () => {
      if (!this.#writer) return;
      const clockUs = this.#clock!.timeUs;
      const view = (this.#holder ??= new LogReader(DATA, LOG, this.disk));
      const reply = answer(this.bug === 'start-only reconcile' ? newestOnly(view) : view, ask);
      if (this.lostOnLane()) return;
      this.at(this.answerArrival(), back(reply, clockUs));
    });
  }

  request(reader: RemoteReader, ask: Ask, nonce: number): void {
    const life = reader.life;
    this.#ask(ask, (reply) => () => {
      if (reader.life === life) reader.answered(reply, nonce);
    });
  }

  askFrame(ask: Ask, tag: number, back: (parts: readonly Buffer[]) => void): void {
    this.#ask(ask, (reply, clockUs) => {
      const frame = encodeReply({ log: LOG, answer: reply, tag, clockUs });
      return () => back(frame);
    });
  }

  /** Appends a batch; the disk may kill the process at any operation in it. */
  #append(): void {
    const writer = this.#writer;
    if (!writer) return;
    if (this.#faults && this.#random.chance(this.#rates.kill))
      this.disk.killAfter = this.#random.between(0, 3);
    try {
      if (writer.stagedBytes === 0) {
        const count = this.#random.between(1, this.#rates.batch);
        for (let i = 0; i < count; i++) {
          const timeUs = Math.max(this.wallUs(), writer.lastTimeUs) + i + 1;
          writer.stage(timeUs, timeUs, Buffer.from(`{"n":${this.#id}}`));
          this.#before[this.#id] = this.#lastId;
          this.#timesUs[this.#id] = timeUs;
          this.#staged.push(this.#id);
          this.#lastId = this.#id++;
        }
      }
      if (this.bug === 'announce before write') this.#announceEarly(writer);
      const before = writer.position;
      const ahead = before + writer.stagedBytes;
      this.#announced = Math.max(this.#announced, ahead);
      const done = flush([writer], {
        clock: this.#clock!,
        announcer: this.#announcer,
        clockUs: () => writer.lastTimeUs,
        monoUs: () => 0,
      });
      if (done.length > 0) this.#beacon.appended(this.nowMs);
      this.#beat(false);
    } catch (error) {
      if (isCrash(error)) this.#die();
      else if (!(error instanceof TickmeshError && error.code === 'LOG_STALLED')) throw error;
    }
    if (writer.stagedBytes === 0) this.#written.push(...this.#staged.splice(0));
    this.disk.killAfter = Infinity;
  }

  #announceEarly(writer: LogWriter): void {
    const position = writer.position + writer.stagedBytes;
    const head = this.disk.open(`${DATA}/${LOG}/head`, 2);
    const fields = {
      kind: kinds.SLOT,
      epoch: writer.epoch,
      position,
      lines: writer.lines,
      aux: writer.lastTimeUs,
    };
    const slot = encodeNotice(Buffer.alloc(0), fields);
    this.disk.write(head, slot, 0, 64, 0);
    this.#announcer.announce(LOG, { ...fields, kind: kinds.NOTICE });
  }

  #die(): void {
    this.#writer = undefined;
    this.result.kills++;
    this.at(this.nowMs + this.#random.between(1, 300), () => this.#restart());
  }

  #beat(now: boolean): void {
    const writer = this.#writer;
    if (!writer || this.bug === 'no heartbeat') return;
    if (now || this.nowMs >= this.#beacon.dueMs) {
      const { epoch, lines, position, oldest: tag } = writer;
      this.#announcer.announce(LOG, { kind: kinds.HEAD, epoch, lines, position, aux: 0, tag });
      this.#beacon.sent(this.nowMs);
    }
    if (this.#beaconAt > this.nowMs && this.#beaconAt <= this.#beacon.dueMs) return;
    const due = Math.max(this.#beacon.dueMs, this.nowMs + 0.01);
    this.#beaconAt = due;
    this.at(due, () => {
      if (this.#beaconAt === due) this.#beat(false);
    });
  }

  #appendLoop(): void {
    this.#append();
    if (!this.#faults) return;
    const random = this.#random;
    this.at(this.nowMs + random.next() * this.#rates.appendMs * 2, () => this.#appendLoop());
    if (random.chance(this.#rates.hostCrash)) {
      this.#writer = undefined;
      this.disk.hostCrash();
      this.result.hostCrashes++;
      for (const reader of this.#own) if (reader instanceof LocalReader) reader.crash();
      this.at(this.nowMs + 20, () => this.#restart());
    }
    this.#replica?.mishap();
    if (random.chance(this.#rates.readerCrash)) random.pick(this.#readers).crash();
    if (random.chance(this.#rates.partition))
      this.#partitionedUntil = this.nowMs + random.between(10, 5_000);
    if (random.chance(this.#rates.clog))
      this.#cloggedUntil = this.nowMs + random.between(10, 2_000);
    if (random.chance(this.#rates.full)) {
      this.disk.full = true;
      this.at(this.nowMs + random.between(10, 1_000), () => (this.disk.full = false));
    }
  }

  /** Runs until `steps` have happened, then lets the faults stop and demands that all agree. Throws what was violated. */
  async run(steps: number): Promise<Result> {
    await this.#open();
    this.#own.push(new LocalReader(this), new RemoteReader(this));
    this.#readers.push(...this.#own);
    if (this.#replica) {
      await this.#replica.begin();
      this.#readers.push(...this.#replica.readers);
    }
    this.#appendLoop();
    await this.#steps(steps, Infinity);
    this.#faults = false;
    this.disk.full = false;
    this.disk.killAfter = Infinity;
    this.#replica?.calm();
    this.#partitionedUntil = this.#cloggedUntil = 0;
    await this.#settle(Math.max(600_000, 1.4 * this.#journeyMs), 'after the faults stopped');
    // The last notice is lost: a heartbeat must reveal it, well before silence does.
    this.#dropAll = true;
    this.#append();
    this.#dropAll = false;
    await this.#settle(
      2_000 + (this.#replica ? 10 : 4) * (this.#rates.delayMs + this.#rates.slowAnswers),
      'after a lost last notice',
    );
    if (this.#replica) {
      const { kills, hostCrashes, cuts } = this.#replica.counts;
      this.result.replicas = 1;
      this.result.replicaKills = kills;
      this.result.replicaHostCrashes = hostCrashes;
      this.result.replicaCuts = cuts;
    }
    return this.result;
  }

  async #steps(count: number, untilMs: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      if (this.#heap.nextAt > untilMs) return;
      const next = this.#heap.pop();
      if (!next) return;
      this.nowMs = Math.max(this.nowMs, next.at);
      next.what();
      this.result.steps++;
      for (const { epochs } of this.#readers) {
        if (epochs.known > epochs.seen || epochs.seen > Math.max(1, this.#epochNow)) {
          throw new Error(
            `I4 known ${epochs.known}, seen ${epochs.seen}, writer ${this.#epochNow}`,
          );
        }
      }
      if (this.#restartWanted && !this.#opening) {
        this.#restartWanted = false;
        await this.#open();
      }
      if (this.#replica?.wanted) await this.#replica.open();
    }
  }

  /** How long a reader's way through all of the log is: each segment is a request of its own. */
  get #journeyMs(): number {
    const reader = new LogReader(DATA, LOG, this.disk);
    const requests = reader.segments.length * (this.#replica ? 2 : 1);
    reader.close();
    return requests * (this.#rates.delayMs + this.#rates.slowAnswers);
  }

  async #settle(withinMs: number, when: string): Promise<void> {
    const endMs = this.nowMs + withinMs;
    for (;;) {
      await this.#steps(50, endMs);
      if (this.#agree()) return;
      if (this.#heap.nextAt > endMs) break;
    }
    const { truth } = this;
    const at = this.#readers.map((reader) => reader.delivered.ids.length).join(', ');
    throw new Error(
      `I9 ${withinMs} ms ${when}: the log has ${truth.length} lines, its readers ${at}`,
    );
  }

  /** What the log holds now. */
  get truth(): number[] {
    const reader = new LogReader(DATA, LOG, this.disk);
    const head = reader.head();
    const ids: number[] = [];
    let position = 0;
    while (head && position < head.position) {
      const chunk = reader.read(position, head.position, 1 << 20);
      if (!chunk) break;
      let at = 0;
      for (const end of chunk.ends) {
        ids.push(idOf(chunk.bytes.subarray(at, end)));
        at = end;
      }
      position += chunk.bytes.length;
    }
    reader.close();
    return ids;
  }

  #agree(): boolean {
    if (!this.#writer || this.#writer.stagedBytes > 0) {
      if (this.#writer) this.#append();
      return false;
    }
    const { position, epoch } = this.#writer;
    const replica = this.#replica;
    if (replica && !replica.holdsAll(epoch, position)) return false;
    // The same length under another epoch is not agreement yet.
    if (this.#readers.some(({ epochs }) => epochs.known !== epoch)) return false;
    if (this.#readers.some(({ delivered }) => delivered.position !== position)) return false;
    if (replica) sameFiles(this.disk, replica.disk, `${DATA}/${LOG}`, `${replica.data}/${LOG}`);
    const truth = this.truth;
    this.result.lines = truth.length;
    for (const { delivered } of this.#readers) {
      this.result.rewound += delivered.rewound;
      delivered.end(position, truth.length);
      for (let i = 0; i < truth.length; i++) {
        if (delivered.ids[i] !== truth[i])
          throw new Error(`I1 line ${i} is ${delivered.ids[i]}, the log has ${truth[i]}`);
      }
    }
    return true;
  }
}

/** A copy is the source, byte for byte. */
function sameFiles(disk: SimDisk, copyDisk: SimDisk, folder: string, copyFolder: string): void {
  const files = filesOf(disk, folder);
  const copies = filesOf(copyDisk, copyFolder);
  for (const name of new Set([...files.keys(), ...copies.keys()])) {
    const [file, copy] = [files.get(name), copies.get(name)];
    if (!file || !copy?.equals(file))
      throw new Error(`${name}: ${file?.length} bytes, the replica has ${copy?.length}`);
  }
}

const isCrash = (error: unknown): boolean =>
  error instanceof Crash || (error instanceof TickmeshError && error.cause instanceof Crash);

/** The seeded bug: a new epoch is trusted by its own start, whatever happened before it. */
const newestOnly = (view: LogView): LogView => ({
  head: () => view.head(),
  epochs: (epoch) => view.epochs(epoch).slice(-1),
  oldest: () => view.oldest(),
  read: (position, limit, maxBytes) => view.read(position, limit, maxBytes),
});
