/**
 * A replica in a simulated world: the shipped copies, follower and DiskReplicaLog on a failing disk of its own, fed over
 * failing links. A reader beside its files, and (drawn) one that asks it from afar, are held to the same guarantees.
 * After every turn what it has copied is read back: each line must stand behind the one it stood behind at the source.
 */
import { answer, type Ask } from '../../lib/catchup/answer.ts';
import { decodeReply } from '../../lib/catchup/frames.ts';
import { ClockWriter } from '../../lib/log/disk-clock.ts';
import { listSegments } from '../../lib/log/disk-files.ts';
import { LogReader } from '../../lib/log/disk-reader.ts';
import { segmentName } from '../../lib/log/segment.ts';
import { kinds, type HeaderFields } from '../../lib/mesh/header.ts';
import { Beacon } from '../../lib/notifier/beacon.ts';
import { dataTopic, encodeData, encodeNotice, noticeTopic } from '../../lib/notifier/notice.ts';
import { readNotice, type Heard } from '../../lib/notifier/notice.ts';
import type { Announcer } from '../../lib/notifier/notifier.ts';
import { announceEnd, type Copied } from '../../lib/replica/announce.ts';
import { Copies } from '../../lib/replica/copies.ts';
import { ReplicaLog } from '../../lib/replica/disk-replica-log.ts';
import { RemoteLog } from '../../lib/replica/remote-log.ts';
import type { RemoteLogReport } from '../../lib/replica/report.ts';
import { TickmeshError } from '../../lib/world/error.ts';
import { SimDisk } from './disk.ts';
import type { Random } from './random.ts';
import { idOf, LocalReader, RemoteReader, type Bug, type Reader, type World } from './readers.ts';

/** What a replica needs of the world around it. */
export type Around = Omit<World, 'disk' | 'announced' | 'request'> & {
  wallUs(): number;
  /** Sends a request to the source; the answer's frame comes back, or does not. */
  askFrame(ask: Ask, tag: number, back: (parts: readonly Buffer[]) => void): void;
  /** Whether a message is lost, and when one that is not arrives, by a link of this kind. */
  lost(remote: boolean): boolean;
  lostOnLane(): boolean;
  arrival(remote: boolean): number;
  answerArrival(): number;
  /** True when the line stands in the source's log now. */
  holds(id: number): boolean;
  /** Receive time of the source's line behind this one; Infinity when there is none, or this one was taken back. */
  nextTimeUs(id: number): number;
  readonly faults: boolean;
};

type Rates = {
  inline: boolean;
  syncEach: boolean;
  turnMs: number;
  kill: number;
  hostCrash: number;
  full: number;
};

/** A process' life: what goes with it when it is killed. */
type Life = {
  readonly copies: Copies;
  readonly copied: Copied;
  readonly remote: RemoteLog;
  readonly copy: ReplicaLog;
  readonly view: LogReader;
  readonly tag: number;
};

export class SimReplica implements World {
  readonly data = '/copy';
  readonly disk: SimDisk;
  readonly readers: Reader[] = [];
  readonly counts = { kills: 0, hostCrashes: 0, cuts: 0 };
  /** Wants to be opened (again) now. */
  wanted = false;
  readonly #around: Around;
  readonly #random: Random;
  readonly #rates: Rates;
  #life: Life | undefined;
  #tag = 0;
  #dueMs = Infinity;
  #turnDue = false;
  #changed = new Set<Copied>();
  #beacon = new Beacon(0);
  #announced = 0;
  /** Lines that were read back, and where each ends. */
  #ids: number[] = [];
  #ends: number[] = [];
  /** After a crash of the host the head may be ahead of what is there. */
  #mayOwe = false;

  constructor(around: Around, random: Random) {
    this.#around = around;
    this.#random = random;
    this.disk = new SimDisk(random);
    this.disk.entriesInOrder = true;
    const rate = (most: number): number => (random.chance(0.4) ? 0 : random.next() * most);
    this.#rates = {
      inline: random.chance(0.7),
      syncEach: random.chance(0.3),
      turnMs: random.pick([0.01, 0.1, 3]),
      kill: rate(0.02),
      hostCrash: rate(0.01),
      full: rate(0.05),
    };
  }

  get nowMs(): number {
    return this.#around.nowMs;
  }
  get log(): World['log'] {
    return this.#around.log;
  }
  get bug(): Bug | undefined {
    return this.#around.bug;
  }
  at(ms: number, act: () => void): void {
    this.#around.at(ms, act);
  }
  before(id: number): number {
    return this.#around.before(id);
  }
  announced(): number {
    return this.#announced;
  }

  /** The first opening; its readers begin with it. */
  async begin(): Promise<void> {
    await this.open();
    this.readers.push(new LocalReader(this, 'local of the replica'));
    if (this.#random.chance(0.5))
      this.readers.push(new RemoteReader(this, 'remote of the replica'));
  }

  async open(): Promise<void> {
    this.wanted = false;
    const { disk, data, log } = this;
    disk.dead = false;
    if (this.#around.faults && this.#rates.kill > 0 && this.#random.chance(0.1))
      disk.killAfter = this.#random.between(0, 12);
    try {
      const clock = new ClockWriter(data, 'replica', disk);
      const copy = await ReplicaLog.open({
        data,
        log,
        node: 'replica',
        durable: this.#rates.syncEach,
        syncSegments: this.#rates.syncEach,
        clock: { wallUs: () => this.#around.wallUs() },
        files: disk,
        bootedUs: Infinity,
        lock: () => Promise.resolve({ release: () => Promise.resolve() }),
      });
      if (this.bug === 'copy not cut') copy.cut = () => undefined;
      const tag = ++this.#tag;
      const report = (what: { event: string }): void => this.#told(what as RemoteLogReport);
      const copies = new Copies({
        clock: {
          timeUs: clock.timeUs,
          write: (timeUs) => {
            this.#checkClock(timeUs);
            clock.write(timeUs);
          },
        },
        syncEach: this.#rates.syncEach,
        report,
      });
      const remote = new RemoteLog(
        {
          copy,
          send: (ask) =>
            this.#around.askFrame(ask, tag, (parts) => {
              if (this.#tag === tag) this.#answered(parts);
            }),
          changed: (lines) => {
            if (lines) copied.inline.push(lines);
            this.#changed.add(copied);
            this.#turnSoon();
          },
          report,
        },
        this.nowMs,
      );
      const copied = copies.add(remote);
      const view = new LogReader(data, log, disk);
      this.#life = { copies, copied, remote, copy, view, tag };
      this.#reread();
      this.#run(() => {
        remote.start(this.nowMs);
        this.#beacon = new Beacon(this.nowMs);
        this.#beat(true);
      });
    } catch (error) {
      if (!disk.dead && !(error instanceof TickmeshError && error.code === 'LOG_UNWRITABLE'))
        throw error;
      // Killed while opening, or the disk is full: it is started again later.
      this.#die();
    }
    // Opening announces what was found, also when it was killed right after.
    using reader = new LogReader(data, log, disk);
    this.#announced = Math.max(this.#announced, reader.head()?.position ?? 0);
  }

  #die(): void {
    this.#life = undefined;
    this.#tag++;
    this.#changed = new Set();
    this.#turnDue = false;
    this.#dueMs = Infinity;
    this.disk.killAfter = Infinity;
    this.counts.kills++;
    this.at(this.nowMs + this.#random.between(1, 300), () => (this.wanted = !this.#life));
  }

  /** One turn of its event loop; the disk may kill it at any operation in it. */
  #run(act: (life: Life) => void): void {
    const life = this.#life;
    if (!life) return;
    const { disk } = this;
    if (this.#around.faults && this.#random.chance(this.#rates.kill))
      disk.killAfter = this.#random.between(0, 4);
    try {
      act(life);
    } catch (error) {
      if (!disk.dead) throw error;
    }
    if (disk.dead) this.#die();
    else this.#schedule(life);
  }

  #schedule({ copies }: Life): void {
    const { nowMs } = this;
    const dueMs = Math.max(Math.min(copies.dueMs, this.#beacon.dueMs), nowMs + 0.01);
    if (dueMs === Infinity || (dueMs >= this.#dueMs && this.#dueMs > nowMs)) return;
    this.#dueMs = dueMs;
    const tag = this.#tag;
    this.at(dueMs, () => {
      if (tag !== this.#tag || dueMs !== this.#dueMs) return;
      this.#dueMs = Infinity;
      this.#run(() => {
        copies.tick(this.nowMs, 0);
        this.#beat(false);
      });
    });
  }

  /** The event loop takes what has come, then what has changed is handled at once. */
  #turnSoon(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    const tag = this.#tag;
    this.at(this.nowMs + this.#random.next() * this.#rates.turnMs, () => {
      if (tag !== this.#tag) return;
      this.#turnDue = false;
      const changed = this.#changed;
      this.#changed = new Set();
      this.#run(({ copies, copy }) => {
        const before = this.#announced;
        this.#announced = Math.max(before, copy.position);
        const grown = copies.take(changed, this.#announcer, this.nowMs);
        if (grown.length > 0) this.#beacon.appended(this.nowMs);
        this.#audit();
      });
    });
  }

  #beat(now: boolean): void {
    const { copied } = this.#life!;
    if (!now && this.nowMs < this.#beacon.dueMs) return;
    announceEnd('HEAD', copied, this.#announcer);
    this.#beacon.sent(this.nowMs);
  }

  readonly #announcer: Announcer = {
    endpoint: 'sim',
    wantsData: () => true,
    announce: (log: string, fields: HeaderFields) =>
      this.#broadcast(encodeNotice(noticeTopic(log), fields), false),
    sendData: (log: string, fields: HeaderFields, lines: Buffer) =>
      this.#broadcast(encodeData(dataTopic(log), fields, lines), true),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };

  #broadcast(message: Buffer, remoteOnly: boolean): void {
    const heard = readNotice(message)!;
    for (const reader of this.readers) {
      const remote = reader instanceof RemoteReader;
      if ((remoteOnly && !remote) || this.#around.lost(remote)) continue;
      this.at(this.#around.arrival(remote), () => reader.hear(heard));
    }
  }

  /** A message of the source has come. */
  hear(heard: Heard): void {
    const { header, bytes } = heard;
    if (header.kind === kinds.DATA && !this.#rates.inline) return;
    this.#run(({ remote, copy }) => {
      if (this.bug === 'copy announced early' && header.kind === kinds.DATA) {
        if (header.position === copy.position && header.epoch === copy.epoch)
          this.#announceEarly(copy, bytes.length, header.count);
      }
      remote.heard(heard, this.nowMs);
    });
  }

  #answered(parts: readonly Buffer[]): void {
    const reply = decodeReply(parts);
    if (!reply) throw new Error('the answer is no frame');
    this.#run(({ remote }) => remote.answered(reply, this.nowMs));
  }

  /** The seeded bug: the head says what is only about to be written. */
  #announceEarly(copy: ReplicaLog, length: number, count: number): void {
    const { epoch, position, lines, oldest } = copy;
    const slot = { kind: kinds.SLOT, epoch, position: position + length, lines: lines + count };
    const bytes = encodeNotice(Buffer.alloc(0), { ...slot, tag: oldest });
    this.disk.write(this.disk.open(`${this.data}/${this.log}/head`, 2), bytes, 0, 64, 0);
  }

  /** A reader asks this replica. */
  request(reader: RemoteReader, ask: Ask, nonce: number): void {
    const { life } = reader;
    const around = this.#around;
    if (around.lostOnLane()) return;
    this.at(around.arrival(true), () => {
      if (!this.#life) return;
      const reply = answer(this.#life.view, ask);
      if (around.lostOnLane()) return;
      this.at(around.answerArrival(), () => {
        if (reader.life === life) reader.answered(reply, nonce);
      });
    });
  }

  #told(what: RemoteLogReport): void {
    if (what.event === 'blocked' || what.event === 'gap' || what.event === 'denied')
      throw new Error(`the replica is ${what.event}: ${'error' in what && what.error.message}`);
    if (what.event !== 'rewound') return;
    this.counts.cuts++;
    this.#takeBack(what.from);
    // Until the next turn the head is that of what was taken back.
    this.#mayOwe = true;
  }

  #takeBack(position: number): void {
    while ((this.#ends.at(-1) ?? 0) > position) {
      this.#ends.pop();
      this.#ids.pop();
    }
  }

  /** After an opening: a killed process has lost nothing that was announced, unless it had to take it back. */
  #reread(): void {
    const before = this.#ids;
    const { copy } = this.#life!;
    this.#ids = [];
    this.#ends = [];
    this.#readBack();
    const lost = before[this.#ids.length];
    if (lost !== undefined && !this.#mayOwe) {
      if (this.#around.holds(lost))
        throw new Error(`killed, the replica ends at ${copy.position}: it has lost line ${lost}`);
      // It was killed while it took back what the source has lost.
      this.#mayOwe = true;
    }
    this.#audit();
  }

  /** All that was copied is there, and stands where it stood at the source; and all that the head announces is there. */
  #audit(): void {
    const { copy, view } = this.#life!;
    const slot = view.head();
    const owes = slot !== undefined && slot.epoch > 0 && slot.position > copy.position;
    if (!owes) this.#mayOwe = false;
    else if (!this.#mayOwe)
      throw new Error(`the replica announces ${slot.position} and has ${copy.position}`);
    this.#readBack();
  }

  #readBack(): void {
    const { copy, view } = this.#life!;
    let position = this.#ends.at(-1) ?? 0;
    while (position < copy.position) {
      const chunk = view.read(position, copy.position, 1 << 20);
      if (!chunk) throw new Error(`the replica's bytes at ${position} are not there`);
      let at = 0;
      for (const end of chunk.ends) {
        const id = idOf(chunk.bytes.subarray(at, end));
        const last = this.#ids.at(-1) ?? 0;
        if (this.before(id) !== last)
          throw new Error(`the replica has line ${id} behind ${last}, not ${this.before(id)}`);
        this.#ids.push(id);
        this.#ends.push(position + end);
        at = end;
      }
      position += chunk.bytes.length;
    }
  }

  /** What the clock covers is announced: the source's next line is later. */
  #checkClock(timeUs: number): void {
    const { copy } = this.#life!;
    this.#audit();
    const next = this.#around.nextTimeUs(this.#ids.at(-1) ?? 0);
    if (next <= timeUs)
      throw new Error(`the replica ends at ${copy.position}, its clock covers a line behind it`);
  }

  /** Something may befall it. */
  mishap(): void {
    const random = this.#random;
    if (random.chance(this.#rates.hostCrash)) this.#crashHost();
    if (random.chance(this.#rates.full)) {
      this.disk.full = true;
      this.at(this.nowMs + random.between(10, 3_000), () => (this.disk.full = false));
    }
  }

  #crashHost(): void {
    const { position, oldest } = this.#life?.copy ?? { position: 0, oldest: 0 };
    const announced = this.#life && !this.#mayOwe ? this.#life.view.head()?.position : undefined;
    this.#die();
    this.counts.kills--;
    this.counts.hostCrashes++;
    this.#mayOwe = !this.#rates.syncEach || announced === undefined || position === oldest;
    this.disk.hostCrash();
    for (const reader of this.readers) if (reader instanceof LocalReader) reader.crash();
  }

  /** The faults are over. */
  calm(): void {
    this.disk.full = false;
    this.disk.killAfter = Infinity;
  }

  /** True when it holds the log of `epoch` up to `position`, is up and says so. */
  holdsAll(epoch: number, position: number): boolean {
    const copy = this.#life?.copy;
    return copy?.epoch === epoch && copy.position === position;
  }
}

/** Every segment of a log that has bytes, by name: equal logs have equal ones. */
export function filesOf(disk: SimDisk, folder: string): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const segment of listSegments(disk, folder)) {
    const name = segmentName(segment);
    const bytes = disk.bytesOf(`${folder}/${name}`);
    if (bytes.length > 0) found.set(name, bytes);
  }
  return found;
}
