/**
 * A fetcher: source -> append -> announce. Whatever a source brings in one turn goes out as one write and one notice a
 * log. Every line gets a receive time of its own, strictly increasing over all logs of the fetcher, so the order in which
 * things arrived is kept for ever.
 */
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { CatchupServer } from '../catchup/zeromq-server.ts';
import { kinds } from '../mesh/header.ts';
import { ClockWriter } from '../log/disk-clock.ts';
import { LogWriter } from '../log/disk-writer.ts';
import type { Refusal } from '../log/line.ts';
import { logParts, type LogName } from '../log/name.ts';
import { notifiersWith } from '../notifier/all.ts';
import { allFeeds, Announcers } from '../notifier/announcers.ts';
import type { Announcer } from '../notifier/notifier.ts';
import type { SourceRecord } from '../source/source.ts';
import { TickmeshError } from '../world/error.ts';
import { Beacons } from './beacons-timer.ts';
import { flush, type FlushTo } from './flush.ts';
import type { FetcherOptions } from './options.ts';
import { tailOf } from './disk-tail.ts';

type Lane = { readonly writer: LogWriter; readonly exchange: string; readonly channel: string };

const STAGE_MAX = 256 << 10;
const YIELD_MS = 10;
const RETRY_MS = [50, 100, 200, 500, 1_000, 2_000];

export class Fetcher implements AsyncDisposable {
  readonly stats = { records: 0, turns: 0, stalls: 0, refused: 0 };
  readonly announcer: Announcer | undefined;
  server: CatchupServer | undefined;
  readonly #options: FetcherOptions;
  readonly #writers: ReadonlyMap<LogName, LogWriter>;
  readonly #lanes = new Map<LogName, Lane>();
  /** Of the record before: mostly the next one's too. */
  #lane: Lane | undefined;
  readonly #to: FlushTo;
  readonly #clockFile: ClockWriter;
  readonly #beacons: Beacons;
  readonly #dirty = new Set<LogWriter>();
  readonly #syncTimer: NodeJS.Timeout | undefined;
  #lastUs: number;
  /** True once stamps are the wall's: the clock may then go on without records. */
  #wall = false;
  #yieldedMs = 0;

  private constructor(
    options: FetcherOptions,
    writers: ReadonlyMap<LogName, LogWriter>,
    announcer: Announcer | undefined,
  ) {
    this.#options = options;
    this.#writers = writers;
    this.announcer = announcer;
    this.#clockFile = new ClockWriter(options.data, options.node);
    this.#lastUs = Math.max(0, ...[...writers.values()].map((writer) => writer.lastTimeUs));
    // Readers may have been told that nothing can come any more up to the clock: nothing does.
    if (this.#lastUs > 0) this.#lastUs = Math.max(this.#lastUs, this.#clockFile.timeUs);
    const { clock } = options;
    this.#to = {
      clock: this.#clockFile,
      announcer,
      clockUs: () => this.#lastUs,
      monoUs: () => Math.round(clock.monoMs() * 1_000),
    };
    for (const [log, writer] of writers) this.#lanes.set(log, { writer, ...logParts(log) });
    this.#beacons = new Beacons(
      writers.keys(),
      () => clock.monoMs(),
      (log) => this.#beat(log),
    );
    const { sync } = options;
    if (typeof sync === 'object') {
      this.#syncTimer = setInterval(() => this.#syncAll(), sync.intervalMs);
    }
    this.#markRestarts();
  }

  /** Opens all logs of the source and the notices' endpoint. Throws LOG_LOCKED, LOG_UNWRITABLE, LOG_CORRUPT, PORT_TAKEN. */
  static async open(options: FetcherOptions): Promise<Fetcher> {
    const writers = new Map<LogName, LogWriter>();
    let announcers: Announcers | undefined;
    let fetcher: Fetcher | undefined;
    try {
      if (options.feed !== undefined) {
        announcers = await Announcers.open(allFeeds(options.feed), {
          onJoin: (log) => fetcher?.announceHead(log as LogName),
          ...(options.port ? { port: options.port } : {}),
          among: notifiersWith(options.notifiers),
          security: options.security,
          logs: options.source.logs,
        });
      }
      for (const log of options.source.logs) {
        writers.set(
          log,
          await LogWriter.open({
            data: options.data,
            log,
            node: options.node,
            clock: options.clock,
            sync: typeof options.sync === 'object' ? 'interval' : (options.sync ?? 'never'),
            ...(options.roll ? { roll: options.roll } : {}),
            ...(announcers ? { feed: announcers.endpoints } : {}),
          }),
        );
      }
      const announcer = announcers && (options.through?.(announcers) ?? announcers);
      fetcher = new Fetcher(options, writers, announcer);
      await fetcher.#serve();
      return fetcher;
    } catch (error) {
      if (fetcher) await fetcher[Symbol.asyncDispose]();
      else {
        await announcers?.[Symbol.asyncDispose]();
        for (const writer of writers.values()) await writer.close();
      }
      throw error;
    }
  }

  async #serve(): Promise<void> {
    const { catchup, data, clock, security } = this.#options;
    if (!catchup) return;
    const logs = this.#writers.keys();
    const clockUs = (): number => this.#clockFile.timeUs;
    const nowMs = (): number => clock.monoMs();
    this.server = await CatchupServer.bind({ ...catchup, data, logs, clockUs, nowMs, security });
  }

  get writers(): ReadonlyMap<LogName, LogWriter> {
    return this.#writers;
  }

  /** Takes from the source until it ends or `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#flush(signal);
    const batches = this.#options.source.open({
      signal,
      clock: this.#options.clock,
      tail: (log) => tailOf(this.#options.data, this.#writers.get(log)),
    });
    for await (const batch of batches) {
      const turnUs = this.#options.clock.wallUs();
      for (const record of batch) {
        this.#stage(record, turnUs);
        this.stats.records++;
      }
      await this.#flush(signal);
      if (signal.aborted) break;
    }
  }

  /** What comes in one batch was received in one turn: the clock is read once for it. */
  #stamp(wantedUs: number | undefined, turnUs: number): number {
    this.#wall = wantedUs === undefined;
    const timeUs = wantedUs ?? turnUs;
    this.#lastUs = timeUs > this.#lastUs ? timeUs : this.#lastUs + 1;
    return this.#lastUs;
  }

  #stage(record: SourceRecord, turnUs: number): void {
    let lane = this.#lane;
    if (lane === undefined || lane.writer.log !== record.log) {
      lane = this.#lanes.get(record.log);
      if (!lane)
        throw new TypeError(`source brought a record of ${record.log}, which it had not named`);
      this.#lane = lane;
    }
    const { writer } = lane;
    // What is staged is dirty already.
    if (writer.stagedBytes === 0) this.#dirty.add(writer);
    const timeUs = this.#stamp(record.timeUs, turnUs);
    if (record.mark) writer.stageMark(timeUs, record.mark);
    else {
      const { exchange, channel } = lane;
      const eventUs =
        record.eventTimeUs ?? this.#options.eventTimeUs(exchange, channel, record.payload);
      const refusal = writer.offer(timeUs, eventUs ?? timeUs, record.payload);
      if (refusal !== undefined) this.#refuse(writer, timeUs, refusal, record.payload.length);
    }
    if (writer.stagedBytes > STAGE_MAX) this.#tryFlush();
  }

  /** What can be no line is left out, and its place says so: nothing else is lost for it. */
  #refuse(writer: LogWriter, timeUs: number, reason: Refusal, bytes: number): void {
    writer.stageMark(timeUs, 'gap', { reason: `a record was refused: ${reason}`, bytes });
    this.stats.refused++;
    this.#options.report?.({ event: 'refused', log: writer.log, reason, bytes });
  }

  /** A restart is a line too. Its time is the last one's plus one: recorded times may go on from there. */
  #markRestarts(): void {
    for (const writer of this.#writers.values()) {
      const { recovered, epoch } = writer;
      if (recovered.lines === 0) continue;
      this.#lastUs++;
      writer.stageMark(this.#lastUs, 'restart', { epoch, atUs: this.#options.clock.wallUs() });
      this.#dirty.add(writer);
      this.#options.report?.({
        event: 'recovered',
        log: writer.log,
        tornBytes: recovered.tornBytes,
        epoch,
        position: recovered.position,
        unannouncedLines: Math.max(0, recovered.lines - (recovered.announced?.lines ?? 0)),
      });
    }
  }

  #tryFlush(): unknown {
    try {
      const done = flush(this.#dirty, this.#to);
      this.#beacons.appended(done.map((writer) => writer.log));
      this.#dirty.clear();
      this.stats.turns++;
      return undefined;
    } catch (error) {
      if (error instanceof TickmeshError && error.code === 'LOG_STALLED') return error;
      throw error;
    }
  }

  /** Writes and announces; while the disk refuses it keeps the batch, takes nothing new, and tries again. */
  async #flush(signal: AbortSignal): Promise<void> {
    let sinceMs: number | undefined;
    for (let attempt = 0; ; attempt++) {
      const error = this.#tryFlush();
      if (error === undefined) break;
      if (sinceMs === undefined) {
        sinceMs = this.#options.clock.monoMs();
        this.stats.stalls++;
        this.#options.report?.({ event: 'stalled', error: error as TickmeshError });
      }
      if (signal.aborted) return;
      await sleep(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)], undefined, { signal }).catch(
        () => undefined,
      );
    }
    const nowMs = this.#options.clock.monoMs();
    if (sinceMs !== undefined)
      this.#options.report?.({ event: 'resumed', stalledMs: nowMs - sinceMs });
    // A source that is always ready must not starve the sockets.
    if (nowMs - this.#yieldedMs > YIELD_MS) {
      await nextTurn();
      this.#yieldedMs = this.#options.clock.monoMs();
    }
  }

  /** Repeats a log's end: to a listener that has just joined, and as a heartbeat. */
  announceHead(log: LogName, kind: 'HEAD' | 'END' = 'HEAD'): void {
    const writer = this.#writers.get(log);
    if (!writer || !this.announcer) return;
    const { epoch, lines, position, oldest: tag } = writer;
    // Not the last stamp: what is staged and refused by the disk is stamped, but not announced.
    const aux = this.#clockFile.timeUs;
    this.announcer.announce(log, { kind: kinds[kind], epoch, lines, position, aux, tag });
  }

  #beat(log: string): void {
    // While nothing is staged, time may pass: what comes later is stamped later.
    if (this.#wall && this.#dirty.size === 0) {
      this.#lastUs = Math.max(this.#lastUs, this.#options.clock.wallUs());
      try {
        this.#clockFile.write(this.#lastUs);
      } catch {
        // The disk refuses: the next batch says so, and the next heartbeat tries again.
      }
    }
    this.announceHead(log as LogName);
  }

  #syncAll(): void {
    for (const writer of this.#writers.values()) {
      try {
        writer.sync();
      } catch (error) {
        this.#options.report?.({ event: 'stalled', error: error as TickmeshError });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#beacons.stop();
    clearInterval(this.#syncTimer);
    for (const log of this.#writers.keys()) this.announceHead(log, 'END');
    await this.announcer?.[Symbol.asyncDispose]();
    await this.server?.[Symbol.asyncDispose]();
    this.#clockFile.close();
    for (const writer of this.#writers.values()) await writer.close();
  }
}
