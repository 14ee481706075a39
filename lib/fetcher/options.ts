/** What a fetcher is made of, and what it tells an operator. */
import type { BudgetRule } from '../catchup/budget.ts';
import type { LogWriterOptions } from '../log/disk-writer.ts';
import type { Refusal } from '../log/line.ts';
import type { LogName } from '../log/name.ts';
import type { Security } from '../mesh/security-zeromq.ts';
import type { Announcer, Notifier, ProcessPort } from '../notifier/notifier.ts';
import type { Source } from '../source/source.ts';
import type { Clock } from '../world/clock.ts';
import type { TickmeshError } from '../world/error.ts';

export type FetcherOptions = {
  /** Name of the node: its clock, and who holds the logs. */
  readonly node: string;
  readonly data: string;
  readonly source: Source;
  /**
   * Where notices are announced: one endpoint, e.g. `ipc://@tickmesh-demo-fetcher` (readers of the files then watch these
   * as well), or a list that says all. Absent: nobody is told, readers watch and poll.
   */
  readonly feed?: string | readonly string[];
  /** Notifiers beside the built-in ones, and the process channel of `node-ipc:`. */
  readonly notifiers?: readonly Notifier[];
  readonly port?: ProcessPort;
  /** For tests and simulations of loss: what is announced goes through it. */
  readonly through?: (announcer: Announcer) => Announcer;
  /** Where readers without the disk ask for bytes, and who may: by name, with the inbox that each one binds. */
  readonly catchup?: {
    readonly endpoint: string | readonly string[];
    readonly readers: Readonly<Record<string, string>>;
    /** What each reader may ask for. */
    readonly budget?: BudgetRule;
  };
  /** Keys of this node and of its readers. Absent: plain sockets, on this computer only. */
  readonly security?: Security | undefined;
  readonly roll?: LogWriterOptions['roll'];
  readonly sync?: 'never' | 'each' | { readonly intervalMs: number };
  /** Event time of a payload, by exchange and channel; undefined where it has none. */
  readonly eventTimeUs: (exchange: string, channel: string, payload: Buffer) => number | undefined;
  readonly clock: Clock;
  /** Told of what an operator should know. */
  readonly report?: (what: FetcherReport) => void;
};

export type FetcherReport =
  | {
      readonly event: 'recovered';
      readonly log: LogName;
      readonly tornBytes: number;
      readonly epoch: number;
      readonly position: number;
      readonly unannouncedLines: number;
    }
  /** A record that can be no line: a gap mark stands in its place. Told for each one. */
  | {
      readonly event: 'refused';
      readonly log: LogName;
      readonly reason: Refusal;
      readonly bytes: number;
    }
  | { readonly event: 'stalled'; readonly error: TickmeshError }
  | { readonly event: 'resumed'; readonly stalledMs: number };
