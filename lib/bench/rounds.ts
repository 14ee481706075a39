/** Runs things in turn, round after round (ABAB…); what fails is said and leaves a hole. */
import { TickmeshError } from '../world/error.ts';

export type RoundsOptions = {
  readonly count: number;
  readonly signal: AbortSignal;
  readonly progress: (text: string) => void;
  /** Where to say what failed. */
  readonly problems: string[];
};

export class Rounds {
  readonly #options: RoundsOptions;

  constructor(options: RoundsOptions) {
    this.#options = options;
  }

  /** Results by thing, then by round; null where it failed or was not run any more. */
  async run<Thing extends { readonly name: string }, Result>(
    things: readonly Thing[],
    once: (thing: Thing, round: number) => Promise<Result>,
  ): Promise<(Result | null)[][]> {
    const { count, signal, progress, problems } = this.#options;
    const results = things.map(() => [] as (Result | null)[]);
    const all = count * things.length;
    for (let round = 0; round < count; round++)
      for (const [at, thing] of things.entries()) {
        let result: Result | null = null;
        if (!signal.aborted) {
          progress(`${round * things.length + at + 1} of ${all}: ${thing.name}, run ${round + 1}`);
          try {
            result = await once(thing, round);
          } catch (error) {
            if (signal.aborted) continue;
            if (!(error instanceof TickmeshError || error instanceof TypeError)) throw error;
            problems.push(`${thing.name}, run ${round + 1}: ${error.message}`);
          }
        }
        results[at]!.push(result);
      }
    return results;
  }
}
