/**
 * What the suite tells its actors (processes), one JSON text a line on their standard input, and what they say on their
 * standard output.
 */
export type ToActor =
  /** Open the logs for writing, and the saying end. */
  | { readonly do: 'announce'; readonly logs: readonly string[] }
  /** Append a record to a log and say so. */
  | { readonly do: 'say'; readonly log: string }
  /** Say again what was true when so many records had been said; nothing is written. */
  | { readonly do: 'repeat'; readonly log: string; readonly said: number }
  | { readonly do: 'listen'; readonly id: string; readonly logs: readonly string[] | 'all' }
  | { readonly do: 'leave'; readonly id: string }
  /** A fetcher: so many records a second over all logs, counted on in each, up to `until` in each. */
  | {
      readonly do: 'write';
      readonly logs: readonly string[];
      readonly perSecond: number;
      readonly until: number;
      /** Part of the notices that is lost, that is said twice, and that comes late. */
      readonly garbled: number;
    }
  /** A feed that drops a part of what it hears, and checks every record. */
  | { readonly do: 'read'; readonly logs: readonly string[]; readonly lost: number }
  /** Close everything; the process then has nothing left to do. */
  | { readonly do: 'close' };

export type FromActor =
  | { readonly is: 'open' | 'closed' }
  | { readonly is: 'error'; readonly code: string | undefined; readonly message: string }
  | { readonly is: 'said'; readonly log: string; readonly epoch: number; readonly position: number }
  | {
      readonly is: 'heard';
      readonly id: string;
      readonly log: string;
      readonly epoch: number;
      readonly position: number;
    }
  | { readonly is: 'state'; readonly id: string; readonly state: string; readonly why?: string }
  /** Last number written to each log. */
  | { readonly is: 'written'; readonly last: Readonly<Record<string, number>> }
  /** Last number read of each log, records in all, and how often it was told by whom. */
  | {
      readonly is: 'read';
      readonly last: Readonly<Record<string, number>>;
      readonly records: number;
      readonly told: number;
      /** Logs of which records came late, and no restart that explains it. */
      readonly late: readonly string[];
    }
  /** A record that was lost, came twice, or came out of order. */
  | { readonly is: 'wrong'; readonly what: string };

/** Where an actor works. */
export type Stage = {
  readonly endpoint: string;
  readonly data: string;
  /** Module with a notifier of one's own, as `notifier`. */
  readonly module?: string;
};
