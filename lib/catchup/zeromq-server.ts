/**
 * Serves a data folder's logs to readers that do not share the disk. Requests come in on a PULL that binds; answers go out
 * on one PUSH a declared reader, dialled to where the settings say that reader listens, never to anything from the wire.
 * A request from a name that was not declared leads to nothing but a count.
 *
 *   lane = the newest request a log, at most LANE_MAX; one answer is read, sent and waited for at a time, the next one
 *          read ahead (ahead.ts).
 *
 * So a slow reader costs two chunks of memory, and what is dropped (a reader that is gone, a full lane) the asker repeats.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pull, Push } from 'zeromq';
import { LogReader } from '../log/disk-reader.ts';
import type { LogName } from '../log/name.ts';
import { Door } from '../mesh/door-zeromq.ts';
import { messages } from '../mesh/messages-zeromq.ts';
import { dial, securePeer, type SecurePeer, type Security } from '../mesh/security-zeromq.ts';
import { bindSocket, laneSocket, requestsSocket } from '../mesh/zeromq.ts';
import { Ahead } from './ahead.ts';
import { answer, type Answer } from './answer.ts';
import { Budget, defaultBudget, type BudgetRule } from './budget.ts';
import { CHUNK_MAX, decodeRequest, encodeReply, type Request } from './frames.ts';

export type CatchupServerOptions = {
  readonly endpoint: string | readonly string[];
  /** Who may ask, and the inbox where its answers go. */
  readonly readers: Readonly<Record<string, string>>;
  readonly data: string;
  readonly logs: Iterable<LogName>;
  /** Up to which receive time (Unix us) the log's head, read after this, is complete. */
  readonly clockUs: (log: string) => number;
  readonly nowMs: () => number;
  readonly budget?: BudgetRule;
  /** Only its readers may ask, and only they are answered. Absent: plain sockets. */
  readonly security?: Security | undefined;
  /** A log that could not be read. */
  readonly report?: (log: string, error: unknown) => void;
};

const LANE_MAX = 1_024;
const CHUNK_MIN = 4_096;
/** When a log cannot be read: somebody has to mend it first. */
const BROKEN_RETRY_MS = 1_000;

export class CatchupServer implements AsyncDisposable {
  readonly stats = {
    requests: 0,
    /** Messages that were no requests; requests of names that were not declared. */
    invalid: 0,
    strangers: 0,
    denied: 0,
    busy: 0,
    /** Requests beyond a reader's budget, told to come back. */
    overdrawn: 0,
    /** Answers and requests dropped: the reader is gone, or asked for too many logs. */
    dropped: 0,
    chunks: 0,
    bytes: 0,
    /** Reads ahead of a request that failed. */
    aheadFailed: 0,
  };
  readonly door: Door;
  readonly endpoints: readonly string[];
  readonly #options: CatchupServerOptions;
  readonly #socket: Pull;
  readonly #logs = new Map<string, LogReader>();
  readonly #lanes = new Map<string, Lane>();
  readonly #serving: Promise<void>;

  private constructor(
    options: CatchupServerOptions,
    socket: Pull,
    endpoints: readonly string[],
    door: Door,
  ) {
    this.#options = options;
    this.door = door;
    this.#socket = socket;
    this.endpoints = endpoints;
    for (const log of options.logs) this.#logs.set(log, new LogReader(options.data, log));
    this.#serving = this.#serve();
  }

  /** Binds. Throws PORT_TAKEN or BIND_FAILED. */
  static async bind(options: CatchupServerOptions): Promise<CatchupServer> {
    const socket = requestsSocket();
    try {
      const door = new Door();
      door.watch(socket);
      options.security?.guard(socket, 'catchup');
      const endpoints: string[] = [];
      for (const endpoint of [options.endpoint].flat())
        endpoints.push(await bindSocket(socket, endpoint));
      return new CatchupServer(options, socket, endpoints, door);
    } catch (error) {
      socket.close();
      throw error;
    }
  }

  /** Readers that have been dialled. */
  get dialled(): readonly string[] {
    return [...this.#lanes.keys()];
  }

  async #serve(): Promise<void> {
    try {
      for await (const parts of messages(this.#socket)) {
        const request = decodeRequest(parts);
        if (request) this.#take(request);
        else this.stats.invalid++;
      }
    } catch (error) {
      if (!this.#socket.closed) throw error;
    }
  }

  #take(request: Request): void {
    const { readers, nowMs, budget, security } = this.#options;
    const { node } = request;
    if (!Object.hasOwn(readers, node)) {
      this.stats.strangers++;
      return;
    }
    this.stats.requests++;
    let lane = this.#lanes.get(node);
    if (!lane) {
      const purse = new Budget(budget ?? defaultBudget, nowMs());
      const ahead = new Ahead();
      const to = security && securePeer(security, 'readers', node);
      const holder = {
        answer: (next: Request) => this.#send(next, purse, ahead),
        readAhead: () => this.#readAhead(ahead),
      };
      lane = new Lane(readers[node]!, to, holder, this.stats);
      this.#lanes.set(node, lane);
    }
    lane.push(request);
  }

  #send(request: Request, purse: Budget, ahead: Ahead): Buffer[] {
    const { log, tag } = request;
    // The clock first, the head after it: what the clock covers, the head then shows.
    const clockUs = this.#options.clockUs(log);
    const reply = this.#answer(request, purse, ahead);
    if (reply.kind === 'chunk') {
      this.stats.chunks++;
      this.stats.bytes += reply.lines.bytes.length;
    } else if (reply.kind === 'busy') this.stats.busy++;
    else if (reply.kind === 'denied') this.stats.denied++;
    const crc = reply.kind === 'chunk' ? ahead.crcOf(reply.lines) : undefined;
    return encodeReply({ log, tag, answer: reply, clockUs }, crc);
  }

  /** What cannot be read is told of when it is asked for. */
  #readAhead(ahead: Ahead): void {
    try {
      ahead.read();
    } catch {
      this.stats.aheadFailed++;
    }
  }

  #answer({ log, ask: wanted }: Request, purse: Budget, ahead: Ahead): Answer {
    const { lastEpoch, position } = wanted;
    const echo = { lastEpoch, asked: position, epoch: 0 };
    const retryMs = purse.take(this.#options.nowMs());
    if (retryMs > 0) {
      this.stats.overdrawn++;
      return { ...echo, kind: 'busy', retryMs };
    }
    const reader = this.#logs.get(log);
    if (!reader) return { ...echo, kind: 'denied' };
    const maxBytes = Math.min(CHUNK_MAX, Math.max(CHUNK_MIN, wanted.maxBytes));
    const ask = { lastEpoch, position, maxBytes };
    try {
      const head = reader.head();
      const told = answer(ahead.over(reader, head?.epoch ?? 0), ask, head);
      ahead.answered(reader, ask, told);
      return told;
    } catch (error) {
      this.#options.report?.(log, error);
      return { ...echo, kind: 'busy', retryMs: BROKEN_RETRY_MS };
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
    for (const lane of this.#lanes.values()) lane.close();
    await this.#serving.catch(() => undefined);
    await Promise.all([...this.#lanes.values()].map((lane) => lane.idle));
    for (const reader of this.#logs.values()) reader.close();
  }
}

type LaneHolder = {
  /** The parts of the answer to a request. */
  answer(request: Request): Buffer[];
  /** Nothing is asked: time to read what is likely asked for next. */
  readAhead(): void;
};

/** The way back to one reader. */
class Lane {
  readonly #socket: Push;
  readonly #holder: LaneHolder;
  readonly #stats: { dropped: number };
  readonly #waiting = new Map<string, Request>();
  #pumping = false;
  idle: Promise<void> = Promise.resolve();

  constructor(
    endpoint: string,
    to: SecurePeer | undefined,
    holder: LaneHolder,
    stats: { dropped: number },
  ) {
    this.#holder = holder;
    this.#stats = stats;
    this.#socket = laneSocket(endpoint);
    dial(this.#socket, endpoint, to);
  }

  push(request: Request): void {
    // The newest is what the asker still waits for.
    this.#waiting.delete(request.log);
    if (this.#waiting.size >= LANE_MAX) {
      this.#stats.dropped++;
      return;
    }
    this.#waiting.set(request.log, request);
    if (!this.#pumping) this.idle = this.#pump();
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    try {
      for (const [log, request] of this.#waiting) {
        if (this.#socket.closed) return;
        this.#waiting.delete(log);
        const parts = this.#holder.answer(request);
        try {
          await this.#socket.send(parts);
        } catch {
          // Nobody there: those who waited ask again once they are back.
          this.#stats.dropped += 1 + this.#waiting.size;
          this.#waiting.clear();
        }
        // Reading is synchronous: let the fetcher beside us have its turn between chunks.
        if (parts.length < 3) continue;
        await nextTurn();
        if (this.#waiting.size === 0 && !this.#socket.closed) this.#holder.readAhead();
      }
    } finally {
      this.#pumping = false;
    }
  }

  close(): void {
    this.#waiting.clear();
    this.#socket.close();
  }
}
