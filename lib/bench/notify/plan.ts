/** Which runs there are, in which order: round after round, every transport once a round (ABAB…), so that a bad minute of the machine hits all alike. Pure. */
import type { Transport } from '../transport/transport.ts';

export type Planned = {
  readonly transport: Transport;
  readonly rate: number;
  readonly size: number;
  readonly round: number;
};

export type PlanOptions = {
  readonly transports: readonly Transport[];
  readonly rates: readonly number[];
  readonly sizes: readonly number[];
  readonly rounds: number;
  /** Also transports at rates that they are not meant for. */
  readonly all?: boolean;
};

export function plan(options: PlanOptions): Planned[] {
  const planned: Planned[] = [];
  for (let round = 0; round < options.rounds; round++)
    for (const rate of options.rates)
      for (const size of options.sizes)
        for (const transport of options.transports)
          if (options.all || rate <= (transport.rateMax ?? Infinity))
            planned.push({ transport, rate, size, round });
  return planned;
}
