/**
 * A small world of real processes: a writer, a reader beside it, a replica that shares nothing with them but sockets, and
 * a reader beside that. Made to be hurt; `settle` then demands that everything announced is everywhere.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FollowerRules } from '../../lib/follower/state.ts';
import { LogReader } from '../../lib/log/disk-reader.ts';
import type { Epoch } from '../../lib/log/epochs.ts';
import type { Slot } from '../../lib/log/head.ts';
import { logName, type LogName } from '../../lib/log/name.ts';
import type { Ends } from './node-main.ts';
import { Node } from './node.ts';
import { lastCommit, outputOf } from './sink.ts';

export type WorldOptions = {
  readonly logs: number;
  /** Records a second of each log. */
  readonly perSecond: number;
  readonly rollBytes?: number;
  /** Readers keep every line they were handed, to be compared with the log. */
  readonly keep?: boolean;
  /** Where readers and replica hear the writer, when not where it says so itself. */
  readonly feed?: { readonly bound: string; readonly heard: string };
  readonly rules?: Partial<FollowerRules>;
  /** Data folder of the writer; its own by default. */
  readonly data?: string;
  /** A command that the writer is run by, such as a shell that sets a limit. */
  readonly writerWrap?: readonly string[];
};

let count = 0;

export class MeshWorld implements AsyncDisposable {
  readonly logs: readonly LogName[];
  readonly folder = mkdtempSync(join(tmpdir(), 'tickmesh-world-'));
  readonly data: string;
  readonly copy = join(this.folder, 'copy');
  readonly writer: Node;
  readonly reader: Node;
  readonly replica: Node;
  /** Reads what the replica copied. */
  readonly far: Node;

  constructor({ logs: many, perSecond, rollBytes = 1 << 20, keep = true, ...rest }: WorldOptions) {
    const logs = Array.from({ length: many }, (_, i) => logName(`test/S${i}-USD/trade`));
    const { feed: wires, rules, writerWrap, data = join(this.folder, 'data') } = rest;
    const { folder, copy } = this;
    this.logs = logs;
    this.data = data;
    const at = (what: string): string => `ipc://@tickmesh-world-${process.pid}-${count}-${what}`;
    count++;
    const [feed, catchup, inbox] = [wires?.bound ?? at('feed'), at('catchup'), at('inbox')];
    const serve = { endpoint: catchup, readers: { replica: inbox } };
    this.writer = new Node(
      { role: 'writer', data, logs, perSecond, feed, rollBytes, catchup: serve },
      writerWrap,
    );
    const reads = { role: 'reader', logs, keep, ...(rules && { rules }) } as const;
    this.reader = new Node({
      ...reads,
      data,
      app: join(folder, 'near'),
      ...(wires && { notices: [wires.heard] }),
    });
    this.replica = new Node({
      role: 'replica',
      data: copy,
      logs,
      from: { feed: wires?.heard ?? feed, catchup },
      inbox,
      feed: at('copy'),
      ...(rules && { rules }),
    });
    this.far = new Node({ ...reads, data: copy, app: join(folder, 'far') });
  }

  get nodes(): readonly Node[] {
    return [this.writer, this.reader, this.replica, this.far];
  }

  /** Starts all and waits until records have reached every reader. */
  async start(): Promise<void> {
    for (const node of this.nodes) node.start();
    await this.writer.until('ready');
    for (const node of [this.reader, this.replica, this.far]) await node.until('going');
  }

  /** What is announced of each log now. */
  heads(data = this.data): Map<LogName, Slot> {
    const heads = new Map<LogName, Slot>();
    for (const log of this.logs) {
      using reader = new LogReader(data, log);
      const head = reader.head();
      if (head) heads.set(log, head);
    }
    return heads;
  }

  epochs(log: LogName, data = this.data): readonly Epoch[] {
    using reader = new LogReader(data, log);
    return reader.epochs(0);
  }

  /** Bytes that recoveries cut off and kept aside, by file. */
  torn(): string[] {
    return this.logs.flatMap((log) =>
      readdirSync(join(this.data, log)).filter((name) => name.endsWith('.torn')),
    );
  }

  /** Stops the records, and demands that both readers were handed all, and that the copy is one. Returns lines checked. */
  async settle(withinMs = 60_000): Promise<number> {
    this.writer.tell({ do: 'pause' });
    const { ends } = (await this.writer.until('paused', withinMs)) as unknown as { ends: Ends };
    for (const reader of [this.reader, this.far]) reader.tell({ do: 'end', ends });
    for (const reader of [this.reader, this.far]) await reader.until('complete', withinMs);
    let lines = 0;
    for (const log of this.logs) {
      const here = this.#segments(this.data, log);
      const there = this.#segments(this.copy, log);
      for (const [name, sum] of there)
        if (here.has(name) && here.get(name) !== sum)
          throw new Error(`${log}: the copy of ${name} is not one`);
      lines += ends[log]!.lines;
    }
    return lines;
  }

  #segments(data: string, log: LogName): Map<string, string> {
    const folder = join(data, log);
    const sums = new Map<string, string>();
    for (const name of readdirSync(folder).sort()) {
      if (!/^\d.*\.jsonl$/.test(name)) continue;
      const bytes = readFileSync(join(folder, name));
      if (bytes.length > 0)
        sums.set(name, `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`);
    }
    return sums;
  }

  /** After `settle`, of readers that kept their lines: what they kept is the log, byte for byte. */
  compareKept(): void {
    for (const log of this.logs) {
      const folder = join(this.data, log);
      const names = readdirSync(folder).filter((name) => /^\d.*\.jsonl$/.test(name));
      const bytes = Buffer.concat(names.sort().map((name) => readFileSync(join(folder, name))));
      for (const app of ['near', 'far'].map((name) => join(this.folder, name))) {
        const { position } = lastCommit(app)!.held[log]!;
        const kept = readFileSync(outputOf(app, log)).subarray(0, position);
        if (!kept.equals(bytes)) throw new Error(`${app}: ${log} is not what was kept`);
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.kill()));
    rmSync(this.folder, { recursive: true, force: true });
  }
}
